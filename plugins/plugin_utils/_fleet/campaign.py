# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""A play over many hosts, batch by batch, as far as it came."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass, field

from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Reason

from .._fast_reboot.result import Pair
from .._parsing.values import FormError, parse
from .._step import moment
from .._variables import registered, speakers
from .._variables.speakers import Variables

NO_ANSWER = "It did not answer when it was asked what an earlier run has left."


@dataclass(frozen=True)
class Doing:
    """What a run was at."""

    hook: str = ""
    # The file of tasks that was next, or is at work.
    next: str = ""


@dataclass(frozen=True)
class RoleResult:
    """As much of a role's result as is of use for many hosts."""

    done: bool
    stage: str | None = None
    reason: Reason | None = None
    method: str | None = None
    downtime: float | None = None
    release: Pair | None = None
    drained: tuple[str, ...] = ()
    run: Doing | None = None
    # Whether a boot is missing that the role was not to make.
    reboot_required: bool | None = None
    # By what a kernel that was tried is not kept.
    cause: str | None = None


@dataclass(frozen=True)
class TaskWord:
    """What a task has left of a host, as far as it is of use here."""

    failed: bool = False
    unreachable: bool = False
    msg: str = ""
    # What a role around the reboot has failed by.
    failure: str = ""


@dataclass(frozen=True)
class Campaign:
    """The hosts of a play, those that are still in it, those of the batch, and what each says."""

    hosts: t.Sequence[str]
    left: t.Sequence[str]
    batch: t.Sequence[str]
    # What the role has left of each host of which it has left something.
    results: t.Mapping[str, object]
    # What a role around it failed by.
    failures: t.Mapping[str, str] = field(default_factory=dict)
    # Those of a batch that was not begun with.
    braked: t.Collection[str] = ()
    # Those that could not tell what an earlier run has left when they were asked, and why.
    silent: t.Mapping[str, str] = field(default_factory=dict)

    def result_of(self, host: str) -> RoleResult | None:
        """What the role says of a host; what is no result of a run is none."""
        with contextlib.suppress(FormError):
            return parse(RoleResult, self.results.get(host))
        return None


def read(
    variables: Variables, result: str, *failure: str, of: t.Sequence[str] | None = None
) -> Campaign:
    """The play so far, with what is said of all its hosts, or of some.

    The variables of a host cost more to find than all of the rest.
    """
    hosts, everything = variables["ansible_play_hosts_all"], variables["hostvars"]
    results, failures = {}, {}
    braked: set[str] = set()
    silent: dict[str, str] = {}
    for host in hosts if of is None else of:
        left_there = LeftOn(everything[host])
        told = left_there.since(result)
        if told is not None:
            results[host] = told
        words = [_word(left_there.since(name)) for name in failure]
        failed = [each.failure for each in words if each.failure]
        if failed:
            failures[host] = failed[0]
        if _word(left_there.since(registered.BRAKED)).failed:
            braked.add(host)
        why = _silence(_word(left_there.asked))
        if why:
            silent[host] = why
    left, batch = variables["ansible_play_hosts"], variables["ansible_play_batch"]
    return Campaign(hosts, left, batch, results, failures, braked, silent)


class LeftOn:
    """What tasks have left of one host; what it says of itself by such a name is none of that.

    Variables outlive a play. What is older than the question what an earlier run has left, with which a
    playbook begins, is another playbook's.
    """

    def __init__(self, variables: Variables) -> None:
        self._variables = variables
        self.asked = speakers.own(variables, registered.ASKED)
        self._asked_at = moment(self.asked)

    def since(self, name: str) -> t.Any:
        """What a task has left since then; None of what is older, or nobody has left."""
        told = speakers.own(self._variables, name)
        told_at = moment(told)
        if self._asked_at is None or told_at is None:
            return told
        return told if told_at > self._asked_at else None


def _word(told: object) -> TaskWord:
    """What a task of ours has left of a host; of another form than that it is a failure, not nothing."""
    if told is None:
        return TaskWord()
    try:
        return parse(TaskWord, told)
    except FormError as error:
        why = f"What a task has left of it is not understood: {error}."
        return TaskWord(failed=True, msg=why, failure=why)


def _silence(asked: TaskWord) -> str:
    """Why a host could not tell what it remembers; "" if it could, or was not asked."""
    if asked.unreachable:
        return NO_ANSWER
    return (asked.msg or NO_ANSWER) if asked.failed else ""
