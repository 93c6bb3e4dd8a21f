# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Whether a play may go on to its next batch, by what became of the hosts before."""

from __future__ import annotations

import typing as t

from .._step import StepError
from .amount import amount
from .campaign import Campaign

# How many hosts a message names.
SHOWN = 20


def budget(given: object, hosts: int) -> int:
    """How many hosts that are not well do not end a play yet: a number, or a share of its hosts."""
    found = amount(given)
    if found is not None:
        return found.of(hosts)
    raise StepError(
        f"The error budget is {given!r} and must be a number of hosts, 0 or more, or a share of "
        "them from 0% to 100%.",
        "Give one such as 2 or 5%.",
    )


def not_well(campaign: Campaign) -> list[str]:
    """The hosts that failed, could not be reached, or are not well, also where a rescue hid it."""
    gone = set(campaign.hosts) - set(campaign.left)
    return [host for host in campaign.hosts if host in gone or _is_not_well(campaign, host)]


def _is_not_well(campaign: Campaign, host: str) -> bool:
    """A run of the role that has not come to its end, another role that failed, or no answer."""
    result = campaign.result_of(host)
    if host in campaign.failures:
        return True
    # What it could not tell before its turn is of no weight once it is done.
    return host in campaign.silent if result is None else not result.done


def stopped(campaign: Campaign, found: t.Sequence[str]) -> StepError:
    """Why the play ends, with a few names if there are many."""
    return StepError(
        f"{len(found)} of {len(campaign.hosts)} hosts failed, do not answer or are not well: "
        f"{shown(found)}. {ends_here(campaign)}",
        "Mend what the table says is wrong, see what is left on them with the playbook "
        "alpinefleet.kexec.status, or leave them out with --limit; then run the play again.",
        not_well=[*found],
    )


def ends_here(campaign: Campaign) -> str:
    return (
        f"The play ends here. No task was run on the hosts of this batch ({shown(campaign.batch)}), "
        "also where one of them is counted as failed below."
    )


def shown(hosts: t.Sequence[str]) -> str:
    more = len(hosts) - SHOWN
    return ", ".join(hosts[:SHOWN]) + (f" and {more} more" if more > 0 else "")
