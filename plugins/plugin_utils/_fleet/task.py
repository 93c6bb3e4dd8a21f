# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""One task of a playbook for all of its hosts together."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass

from .._step import StepError
from .._variables import registered, speakers
from .._variables.roles import FAMILIES
from .._variables.speakers import Variables
from .._variables.turns import ANY as ANY_TURNS
from .._variables.turns import Turns
from . import audit, batches, brake, campaign, outfile, patterns, remembered, report, standing
from .campaign import Campaign

TaskResult = dict[str, t.Any]

NOTHING_NEW = "There are hosts left, and nothing new is wrong."

# The options of the action fleet_step.
FLEET_ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "step": {
        "type": "str",
        "required": True,
        "choices": ["guard", "check_output", "brake", "report", "report_remembered", "audit"],
    },
    "hosts_variable": {"type": "str", "default": ""},
    "batch_sizes": {"type": "raw", "default": 1},
    "error_budget": {"type": "raw", "default": 0},
    "of_role": {
        "type": "str",
        "choices": list(registered.LEFT_BY),
        "default": "fast_reboot",
    },
    "output": {"type": "raw", "default": ""},
    "strict": {"type": "bool", "default": False},
}


@dataclass(frozen=True)
class Asked:
    """What a play's own lines are read with, which no host and no inventory has a part in."""

    # Those of -e, and those that a playbook gives to one that it imports.
    variables: Variables
    # Whether there is a --limit.
    limited: bool
    # What tells the play from others of the run; "" where its batches are no slices of its hosts.
    play: str = ""
    # What the hosts of the play must have behind them.
    turns: Turns = ANY_TURNS


class FleetTask:
    """What is done once for the hosts of a play, as the variables of one of them tell."""

    def __init__(self, variables: Variables, asked: Asked) -> None:
        self._variables = variables
        self._asked = asked

    def step(self, arguments: t.Mapping[str, t.Any]) -> TaskResult:
        output = arguments["output"]
        steps: dict[str, t.Callable[[], TaskResult]] = {
            "guard": lambda: self._guard(
                arguments["hosts_variable"], arguments["batch_sizes"], output
            ),
            "check_output": lambda: self._check_output(output),
            "brake": lambda: self._brake(arguments["error_budget"]),
            "report": lambda: self._report(arguments["of_role"], output),
            "report_remembered": lambda: self._report_remembered(output),
            "audit": lambda: self._audit(output, strict=arguments["strict"]),
        }
        return steps[arguments["step"]]()

    def _guard(self, name: str, sizes: object, output: object) -> TaskResult:
        """Nobody reboots all hosts of an inventory by leaving something out, or by a size of 0."""
        unread = self._unread(name, f"{name.removesuffix('hosts')}serial")
        if not self._asked.limited and not patterns.name_hosts(self._asked.variables.get(name)):
            count = len(self._variables["ansible_play_hosts_all"])
            raise StepError(
                f"This playbook reboots hosts, and nobody has said which: it would be all {count} of "
                f"the inventory.{unread}",
                f"Name them with -e {name}=PATTERN or --limit PATTERN; {name}=all is a pattern, too. "
                "Nothing was done.",
            )
        if unread:
            raise StepError(unread.strip(), "Give it with -e; nothing was done.")
        noted = self._check_output(output)
        batches.sizes(sizes)
        return noted

    def _brake(self, error_budget: object) -> TaskResult:
        """Fail where too many hosts are not well; the budget must not be a host's word."""
        turns = self._asked.turns
        turns.refuse_unguarded(self._variables)
        counted = standing.count(self._variables, self._asked.play)
        hosts = self._read(counted.fresh)
        try:
            speakers.refuse_a_speaker(self._variables)
            allowed = brake.budget(error_budget, len(hosts.hosts))
        except StepError as error:
            said = f"{error.message} {brake.ends_here(hosts)}"
            raise StepError(said, error.remedy, not_well=[]) from None
        found = counted.not_well(hosts.hosts, brake.not_well(hosts))
        if len(found) > allowed:
            raise brake.stopped(hosts, found)
        return {**counted.told(found), "of_play": turns.play}

    def _report(self, role: str, output: str) -> TaskResult:
        """Show what became of the hosts, when there is nothing more to come or something new is wrong."""
        now = standing.braked(self._variables, self._asked.play)
        if now is not None:
            of_batch = campaign.read(self._variables, *registered.LEFT_BY[role], of=now)
            if not report.is_news(report.rows(of_batch), {*now}):
                return {"msg": [NOTHING_NEW]}
        found = report.rows(campaign.read(self._variables, *registered.LEFT_BY[role]))
        in_slices = bool(self._asked.play)
        is_due = report.is_due(found) or (in_slices and standing.is_last(self._variables))
        if now is None and not is_due:
            return {"msg": [NOTHING_NEW]}
        return _shown(report.table(found), report.as_dict(found), output)

    def _unread(self, *names: str) -> str:
        """What is said of variables that a play cannot have from an inventory."""
        found = [name for name in names if name in self._variables]
        unread = [name for name in found if name not in self._asked.variables]
        if not unread:
            return ""
        return f" In an inventory a play does not see {' and '.join(unread)}."

    def _check_output(self, output: object) -> TaskResult:
        """Where a report will be; what would not work at the end is refused before a host is asked."""
        speakers.refuse_a_speaker(self._variables)
        for family in FAMILIES.values():
            family.refuse_unknown(self._variables)
        return {"output": outfile.path_of(output)}

    def _report_remembered(self, output: str) -> TaskResult:
        """Show what the step "recall" found on the hosts."""
        _refuse_unchecked(output)
        found = remembered.rows(campaign.read(self._variables, registered.RECALLED))
        return _shown(remembered.table(found), remembered.as_dict(found), output)

    def _audit(self, output: str, *, strict: bool) -> TaskResult:
        """Show what the preflight found on the hosts, or why one was not asked."""
        _refuse_unchecked(output)
        everything = self._variables["hostvars"]
        found = audit.report(
            {host: _answer(everything[host]) for host in self._variables["ansible_play_hosts_all"]}
        )
        shown = {**_shown(audit.table(found), found, output), "summary": found["summary"]}
        if strict:
            _refuse_what_lacks(shown)
        return shown

    def _read(self, of: t.Sequence[str]) -> Campaign:
        """The play as the brake sees it, whichever role its hosts have had."""
        failures = [name for _result, *names in registered.LEFT_BY.values() for name in names]
        return campaign.read(self._variables, registered.RESULT, *failures, of=of)


def _answer(of_host: Variables) -> object:
    """What a host has answered, or why it was not asked."""
    answer, frozen = (speakers.own(of_host, name) for name in registered.AUDITED)
    # An answer beside a refusal is that of another audit of the same run.
    refused = isinstance(frozen, t.Mapping) and frozen.get("failed") is True
    return (frozen if refused else answer) or frozen or {}


def _refuse_unchecked(output: object) -> None:
    """A playbook has false for a file of which the step that looks at it has said nothing."""
    if output is False:
        raise StepError(
            "The playbook was begun in the middle, or a task of it was left out: nobody has seen where the "
            "report goes.",
            "Run it from its beginning, without --start-at-task and --step.",
        )


def _refuse_what_lacks(shown: TaskResult) -> None:
    """A strict audit fails where not every host is able, and shows the table all the same."""
    summary = shown["summary"]
    if summary["kexec"] != summary["hosts"]:
        raise StepError(
            f"{summary['kexec']} of {summary['hosts']} hosts can reboot through kexec now.",
            "Do what the table says of the others, and ask them again.",
            **{**shown, "table": shown["msg"]},
        )


def _shown(lines: list[str], told: t.Mapping[str, t.Any], output: str) -> TaskResult:
    """A table for people, and the same as a file for programs if one is wanted."""
    if output:
        try:
            outfile.write(output, json.dumps(told, indent=2, sort_keys=True) + "\n")
        except StepError as error:
            raise StepError(error.message, error.remedy, table=lines) from None
        lines = [*lines, "", f"The report is in {output}."]
    # People want to see it without asking for more words of every task.
    return {"msg": lines, "_ansible_verbose_always": True}
