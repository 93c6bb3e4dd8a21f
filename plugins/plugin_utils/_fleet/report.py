# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What became of the hosts of a play, for people and for programs."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Reason

from .._fast_reboot.result import Pair
from .._text.table import EMPTY_CELL, TEXT_LIMIT, aligned, one_line
from .campaign import Campaign, RoleResult

# Raised when a key changes its meaning or goes away, not when one is added.
REPORT_VERSION = 1

Ending = t.Literal["done", "failed", "away", "waiting"]
ENDINGS: tuple[Ending, ...] = t.get_args(Ending)
WRONG: tuple[Ending, ...] = ("failed", "away")

HOST_COLUMNS = (
    "HOST",
    "OUTCOME",
    "METHOD",
    "DOWNTIME",
    "KERNEL BEFORE",
    "AFTER",
    "DRAINED",
    "WRONG",
)

BOOT_IS_MISSING = "It has still to be rebooted."
ON_ITS_WAY = "It left the play at the stage {stage}; its last message says why."
NOT_RESET = "{message} It left the play in its power cycle; its last message says why."
WITHOUT_RESULT = "It left the play before the role had a result; its last message says why."


@dataclass(frozen=True)
class Row:
    """One host."""

    host: str
    outcome: Ending
    method: str | None = None
    downtime: float | None = None
    release_before: str | None = None
    release_after: str | None = None
    drained: tuple[str, ...] = ()
    # Code and message of what the host failed by.
    reason: str | None = None
    message: str | None = None
    # By what a kernel that was tried is not kept.
    cause: str | None = None


def rows(campaign: Campaign) -> list[Row]:
    """The hosts in their order."""
    left = {*campaign.left, *campaign.braked}
    return [_row(campaign, host, is_left=host in left) for host in campaign.hosts]


def _row(campaign: Campaign, host: str, *, is_left: bool) -> Row:
    result, failure = campaign.result_of(host), campaign.failures.get(host)
    if result is None:
        if host in campaign.silent:
            return Row(host, "failed", message=failure or campaign.silent[host])
        if is_left and not failure:
            return Row(host, "waiting")
        return Row(host, "failed", message=failure or WITHOUT_RESULT)
    reason, release = result.reason, result.release or Pair()
    # A role around the reboot that has said why it failed is not on its way any more.
    outcome = "failed" if failure else _outcome(result, is_left)
    if outcome == "away":
        failure = ON_ITS_WAY.format(stage=result.stage)
    if outcome == "done" and result.reboot_required:
        failure = BOOT_IS_MISSING
    return Row(
        host,
        outcome,
        result.method,
        result.downtime,
        release.before,
        release.after,
        _drained(result, is_away=outcome == "away"),
        None if reason is None else reason.code,
        failure or None if reason is None else _message(result, reason, is_left=is_left),
        result.cause,
    )


def _message(result: RoleResult, reason: Reason, *, is_left: bool) -> str:
    """What a host failed by, and where the helper that was to reset it could not be reached that, too."""
    cut_off = not is_left and result.run is not None and result.run.next == "power_cycle"
    return NOT_RESET.format(message=reason.message) if cut_off else reason.message


def _drained(result: RoleResult, *, is_away: bool) -> tuple[str, ...]:
    """The hooks that are to be undone; one that was at work when its host left the play may be."""
    at_work = result.run.hook if result.run and is_away and result.stage == "drain" else ""
    return tuple(dict.fromkeys((*result.drained, *([at_work] if at_work else []))))


def _outcome(result: RoleResult, is_left: bool) -> Ending:
    if result.done:
        return "done"
    # Of a host that was on its way when it left the play nobody knows more.
    return "failed" if result.reason or is_left else "away"


def is_due(found: t.Sequence[Row]) -> bool:
    """Whether people want to see it: at the end, and once something is wrong."""
    outcomes = {row.outcome for row in found}
    return "waiting" not in outcomes or not outcomes.isdisjoint(WRONG)


def is_news(found: t.Sequence[Row], of: t.Collection[str]) -> bool:
    """Whether something is wrong with one of these hosts."""
    return any(row.outcome in WRONG and row.host in of for row in found)


def as_dict(found: t.Sequence[Row]) -> dict[str, t.Any]:
    return {
        "version": REPORT_VERSION,
        "summary": {"hosts": len(found), **_counts(found)},
        "hosts": [asdict(row) for row in found],
    }


def _counts(found: t.Sequence[Row]) -> dict[str, int]:
    outcomes = [row.outcome for row in found]
    return {outcome: outcomes.count(outcome) for outcome in ENDINGS}


def table(found: t.Sequence[Row]) -> list[str]:
    """The hosts that were touched, and how many there are of each kind."""
    touched = [row for row in found if row.outcome != "waiting"]
    counts = ", ".join(f"{outcome} {number}" for outcome, number in _counts(found).items())
    return [*aligned([HOST_COLUMNS, *map(_cells, touched)]), "", f"hosts {len(found)}: {counts}"]


def _cells(row: Row) -> tuple[str, ...]:
    downtime = EMPTY_CELL if row.downtime is None else f"{row.downtime:.1f} s"
    wrong = ": ".join(word for word in (row.reason, row.message) if word)
    return (
        row.host,
        row.outcome,
        row.method or EMPTY_CELL,
        downtime,
        row.release_before or EMPTY_CELL,
        row.release_after or EMPTY_CELL,
        ", ".join(row.drained) or EMPTY_CELL,
        one_line(wrong, TEXT_LIMIT) or EMPTY_CELL,
    )
