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
from .._variables import registered, speakers
from .._variables.speakers import Variables

NO_ANSWER = "It did not answer when it was asked what an earlier run has left."


@dataclass(frozen=True)
class Doing:
    """What a run was at."""

    hook: str = ""


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
        of_host = everything[host]
        # What a host says of itself by such a name is none of these.
        told = speakers.own(of_host, result)
        if told is not None:
            results[host] = told
        failed = [
            each for each in (_failure(speakers.own(of_host, name)) for name in failure) if each
        ]
        if failed:
            failures[host] = failed[0]
        if _is(speakers.own(of_host, registered.BRAKED), "failed"):
            braked.add(host)
        why = _silence(speakers.own(of_host, registered.ASKED))
        if why:
            silent[host] = why
    left, batch = variables["ansible_play_hosts"], variables["ansible_play_batch"]
    return Campaign(hosts, left, batch, results, failures, braked, silent)


def _failure(told: object) -> str:
    """What a role around the reboot has failed by, as its last step has left it."""
    return str(told.get("failure") or "") if isinstance(told, t.Mapping) else ""


def _silence(told: object) -> str:
    """Why a host could not tell what it remembers; "" if it could, or was not asked."""
    if _is(told, "unreachable"):
        return NO_ANSWER
    failed = isinstance(told, t.Mapping) and told.get("failed")
    return str(told.get("msg") or NO_ANSWER) if failed and isinstance(told, t.Mapping) else ""


def _is(told: object, word: str) -> bool:
    """What a task has said of the host."""
    return isinstance(told, t.Mapping) and bool(told.get(word))
