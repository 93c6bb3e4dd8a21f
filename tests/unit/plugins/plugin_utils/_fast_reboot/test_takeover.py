# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one run leaves for the next, and how that one goes on with it."""

from __future__ import annotations

import json
import typing as t
from dataclasses import asdict, replace

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot import (
    flow,
    memory,
    takeover,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot.flow import Run
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot.memory import Memory
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot.result import Attempt
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._parsing.values import parse
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.spec import Handed
from ansible_collections.alpinefleet.kexec.tests.unit import reboots

from . import test_plan
from .test_flow import why

RUN = "5f2b6c0e9d1a4f3b8c7d6e5f4a3b2c1d"
ORDER = reboots.order(services=["sshd"])
HANDED = parse(Handed, ORDER)
FILE = "/hook.yml"
HOOKS = [{"name": name, "drain": FILE, "undrain": FILE} for name in ("a", "b b", "c")]


def begun(**given: t.Any) -> Run:
    made, _command = test_plan.make(hooks=HOOKS, **given)
    return flow.begin(RUN, made)


def taken(found: Memory | None, **given: t.Any) -> Run:
    return takeover.take_over(begun(**given), found, "web1", now=50.0)


@pytest.mark.parametrize(
    ("found", "drained"),
    [
        pytest.param(None, [], id="nothing"),
        pytest.param(Memory("r", "begun"), [], id="begun"),
        pytest.param(Memory("r", "drain", ("b b", "a")), ["a", "b b"], id="drained"),
        pytest.param(Memory("r", "unhealthy", ("a",)), ["a"], id="unhealthy"),
        pytest.param(Memory("r", "down", ("a",)), ["a"], id="down, and nobody knows the order"),
    ],
)
def test_what_was_drained_is_undrained_by_the_next_run(
    found: Memory | None, drained: list[str]
) -> None:
    run = taken(found)
    assert ([*run.result.drained], run.next, run.order) == (drained, "drain", None)


def test_what_ran_before_an_unhealthy_boot_is_still_known() -> None:
    run = taken(Memory("r", "unhealthy", ("a",), order=ORDER))
    assert (run.next, run.taken_over, run.order) == ("drain", False, None)
    assert run.before is not None
    assert run.before.required == ("sshd",)


@pytest.mark.parametrize("progress", ["down", "ended", "undrain"])
def test_reboot_that_was_ordered_is_waited_for(progress: memory.Progress) -> None:
    run = taken(Memory("r", progress, ("a",), order=ORDER))
    assert (run.next, run.ordered_at, run.result.stage) == ("wait", 50.0, "down")
    assert run.result.rebooted is None
    assert run.order == HANDED


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "web2"},
        {"token": "$(reboot)"},
        {"boot_id": "now"},
        {"method": "kexek"},
        {"expires": "soon"},
        {"mark": None},
        {"more": 1},
        {"services": None},
    ],
    ids=str,
)
def test_order_that_is_none_of_this_host_is_not_waited_for(changes: dict[str, t.Any]) -> None:
    run = taken(Memory("r", "down", order={**ORDER, **changes}))
    assert (run.next, run.order) == ("drain", None)


def test_order_of_a_run_that_asked_for_no_services_is_waited_for_without_them() -> None:
    order = {**ORDER, "services": None}
    assert taken(Memory("r", "down", order=order), health_services=False).next == "wait"


def test_hook_that_is_no_more_keeps_the_run_from_the_host() -> None:
    found = Memory("r", "unhealthy", ("x", "a", "y"), ("service crond",), ORDER)
    run = taken(found)
    assert (run.result.code, run.next) == ("hooks_unknown", "")
    assert "does not have: x, y." in why(run).message
    assert memory.PLACE in why(run).remedy
    # All of it is remembered still.
    assert takeover.left_by(run, "unhealthy") == replace(
        found, run_id=RUN, drained=("a", "x", "y"), services=("sshd",)
    )
    assert takeover.progress_of(run) == "unhealthy"


def test_what_was_ordered_counts_as_over_where_nobody_may_wait() -> None:
    found = Memory("r", "down", ("a",), order=ORDER)
    run = takeover.take_over(begun(), found, "web1", now=50.0, waits=False)
    assert (run.next, run.taken_over, run.result.rebooted) == ("drain", False, False)


# --- What is left -----------------------------------------------------------------------------

SICK = Memory("r", "unhealthy", ("a",), ("service crond",), ORDER, ("ntpd",))


def refused(run: Run) -> Run:
    return flow.fail(run, flow.step_failed("It is locked."))


def test_run_that_is_refused_leaves_a_sick_host_as_it_was() -> None:
    run = refused(flow.drained(flow.next_hook(taken(SICK, health_services=True))))
    # The hook of this run was drained by the earlier one, too, and the host is not known to be well.
    assert (run.next, [*run.result.drained], run.undoes) == ("", ["a"], [])
    assert takeover.progress_of(run) == "unhealthy"
    left = takeover.left_by(run, "unhealthy")
    assert (left.findings, left.order, left.required) == (
        SICK.findings,
        SICK.order,
        ("ntpd", "sshd"),
    )


def test_run_that_is_refused_undoes_what_it_has_drained_itself() -> None:
    run = flow.next_hook(flow.next_hook(taken(SICK)))
    run = refused(flow.drained(run))
    assert (run.next, run.undoes) == ("undrain", ["b b"])
    turn = flow.next_undrain(run)
    assert (turn.undoing, flow.undrained(turn).next) == ("b b", "")
    assert flow.undrained(turn).result.drained == ("a",)


def test_host_that_is_well_is_undrained_of_all() -> None:
    run = flow.after_look(taken(SICK), (), stable=False)
    assert (run.next, run.undoes, run.before) == ("undrain", ["a"], None)


def test_services_of_before_stay_required_over_another_reboot() -> None:
    run = replace(taken(SICK), order=HANDED)
    left = takeover.left_by(run, "down")
    assert (left.order, left.services) == (ORDER, ("ntpd", "sshd"))


@pytest.mark.parametrize(
    "told",
    [
        reboots.failure("trigger_lost", "trigger", False),
        reboots.failure("wrong_kernel", "verify", True),
        reboots.failure("wrong_method", "verify", True),
    ],
    ids=["never came to the host", "another kernel", "another way"],
)
@pytest.mark.parametrize(("without", "following"), [(False, "drain"), (True, "look")])
def test_order_of_which_nothing_comes_leaves_all_else_as_it_was(
    told: dict[str, t.Any], without: bool, following: str
) -> None:
    run = taken(replace(SICK, progress="ended"))
    run = flow.without_reboot(run, changed=False) if without else run
    after = flow.after_wait(run, parse(Attempt, told), now=60.0, left=0.0)
    assert (after.next, after.failed, after.order, after.taken_over) == (
        following,
        False,
        None,
        False,
    )
    assert [*after.result.drained] == ["a"]
    assert after.before is not None
    assert (after.before.order, after.before.required) == (None, ("ntpd", "sshd"))


@pytest.mark.parametrize("progress", memory.PROGRESS)
def test_run_goes_from_task_to_task_with_what_was_left(progress: memory.Progress) -> None:
    run = taken(replace(SICK, progress=progress))
    assert parse(Run, json.loads(json.dumps(asdict(run)))) == run


def test_host_that_is_held_remembers_what_to_give_back_and_no_order() -> None:
    run = replace(
        begun(), next="", order=parse(Handed, reboots.order(services=["sshd"])), holds=True
    )
    held = run.told(drained=("lb",), rebooted=True)
    assert takeover.progress_of(held) == "undrain"
    memory_of_it = takeover.left_by(held, "undrain")
    assert (memory_of_it.order, memory_of_it.drained) == (None, ("lb",))
    # What ran before the first boot must run after the next one.
    assert memory_of_it.services == ("sshd",)


def test_host_that_is_well_and_not_held_remembers_nothing() -> None:
    assert takeover.progress_of(replace(begun(), next="")) is None
