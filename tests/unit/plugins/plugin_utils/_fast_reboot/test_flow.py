# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a run goes on from whatever happened to it: a table for each step."""

from __future__ import annotations

import json
import typing as t
from dataclasses import asdict, replace

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Reason
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot import flow
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot.flow import Broken, Run
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot.plan import (
    Hook,
    PowerCycle,
    RunPlan,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot.result import (
    Attempt,
    RebootResult,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._parsing.values import parse
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.spec import Handed
from ansible_collections.alpinefleet.kexec.tests.unit import reboots
from ansible_collections.alpinefleet.kexec.tests.unit.reboots import (
    GONE,
    failure,
    reason,
    result,
)

HOOKS = tuple(Hook(name, f"/{name}-drain.yml", f"/{name}-undrain.yml") for name in "abc")
NO_RESET = PowerCycle(command=False, no_log=True, delegate="localhost", tasks="", timeout=600.0)
RESET = replace(NO_RESET, command=True)


def attempt(told: dict[str, t.Any]) -> Attempt:
    return parse(Attempt, told)


def ordered(run: Run, told: dict[str, t.Any], *, now: float) -> Run:
    return flow.after_order(run, attempt(told), now=now)


def reset(run: Run, told: dict[str, t.Any], findings: t.Sequence[str] = (), *, now: float) -> Run:
    return flow.after_power_cycle(run, attempt(told), findings, now=now)


def plan(**given: t.Any) -> RunPlan:
    settings: dict[str, t.Any] = {
        "arguments": {"method": "kexec"},
        "method": "kexec",
        "hooks": (),
        "health_tasks": (),
        "power_cycle": NO_RESET,
    }
    return RunPlan(**{**settings, **given})


def begun(**given: t.Any) -> Run:
    return flow.begin("r1", plan(**given))


ORDER = reboots.order(fallback="firmware", services=["sshd"])
HANDED = parse(Handed, ORDER)
ORDERED = result(rebooted=None, order=ORDER, reasons=[reason("panic_hangs", "nothing")])


def left(**given: t.Any) -> Run:
    """A run whose host was ordered to leave."""
    drained = given.pop("drained", [])
    return ordered(begun(**given).told(drained=tuple(drained)), ORDERED, now=100.0)


def waited(run: Run, found: dict[str, t.Any], **given: t.Any) -> Run:
    return flow.after_wait(run, attempt(found), **{"now": 130.0, "left": 0.0, **given})


def rungs(run: Run) -> list[tuple[str, str | None]]:
    return [(each.method, each.reason) for each in run.result.rungs]


def code(run: Run) -> str | None:
    return run.result.code


def why(run: Run) -> Reason:
    assert run.result.reason is not None
    return run.result.reason


# --- From one task to the next --------------------------------------------------------------


@pytest.mark.parametrize(
    "run",
    [
        begun(),
        begun(hooks=HOOKS, health_tasks=("/check.yml",), power_cycle=RESET),
        left(hooks=HOOKS, drained=["a"]),
        waited(left(), GONE),
    ],
    ids=["begun", "with all", "left", "lost"],
)
def test_run_is_the_same_after_a_task_has_handed_it_to_the_next(run: Run) -> None:
    assert parse(Run, json.loads(json.dumps(asdict(run)))) == run


def test_run_that_has_begun_is_neither_done_nor_failed() -> None:
    assert (begun().done, begun().failed, begun().next) == (False, False, "leave")
    assert begun(hooks=HOOKS).next == "drain"


# --- Hooks ----------------------------------------------------------------------------------


def test_hooks_have_their_turns_in_their_order() -> None:
    run, turns = begun(hooks=HOOKS), []
    while run.next == "drain":
        run = flow.next_hook(run)
        turns.append((run.hook, run.file, run.result.stage))
    assert turns == [(name, f"/{name}-drain.yml", "drain") for name in "abc"]
    assert run.next == "leave"


def test_hook_that_hides_whether_it_changed_something_is_undone_in_any_case() -> None:
    hooks = (replace(HOOKS[0], always=True), HOOKS[1])
    assert flow.next_hook(flow.next_hook(begun(hooks=hooks))).result.drained == ("a",)


def test_hook_counts_once_and_only_in_its_turn() -> None:
    run = flow.next_hook(begun(hooks=HOOKS))
    assert flow.drained(flow.drained(run)).result.drained == ("a",)
    later = run.told(stage="down")
    assert flow.drained(later) is later


def test_hooks_are_undone_in_reverse_order() -> None:
    run, turns = waited(left(hooks=HOOKS, drained=["a", "c"]), result()), []
    while run.next == "undrain":
        run = flow.next_undrain(run)
        turns.append((run.file, run.result.stage))
        run = flow.undrained(run)
    assert turns == [("/c-undrain.yml", "undrain"), ("/a-undrain.yml", "undrain")]
    assert (run.done, [*run.result.drained], run.result.stage) == (True, [], None)


def test_hook_is_undone_when_it_is_the_next_ones_turn() -> None:
    first = flow.next_undrain(waited(left(hooks=HOOKS, drained=["a", "c"]), result()))
    assert (first.hook, [*first.result.drained]) == ("c", ["a", "c"])
    second = flow.next_undrain(first)
    assert (second.hook, [*second.result.drained]) == ("a", ["a"])


def test_hook_whose_undrain_file_failed_is_not_undone() -> None:
    turn = flow.next_undrain(waited(left(hooks=HOOKS, drained=["a", "c"]), result()))
    after = flow.broke(turn, Broken("x"))
    assert (after.undoing, after.next, [*after.result.drained]) == ("", "", ["a", "c"])


# --- The order ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(ORDERED, [], id="as was asked for"),
        pytest.param(
            {
                **ORDERED,
                "method": "firmware",
                "reasons": [reason("panic_hangs", "nothing"), reason("kexec_locked", "kexec")],
            },
            [("kexec", "kexec_locked")],
            id="by firmware",
        ),
        pytest.param(
            {**ORDERED, "method": "firmware"}, [("kexec", None)], id="by firmware, nobody knows why"
        ),
    ],
)
def test_host_that_was_left_is_waited_for(
    found: dict[str, t.Any], expected: list[tuple[str, str | None]]
) -> None:
    run = ordered(begun(), found, now=100.0)
    assert (run.next, run.order, run.ordered_at) == ("wait", HANDED, 100.0)
    assert (run.result.stage, run.result.rebooted, rungs(run)) == ("down", None, expected)


@pytest.mark.parametrize(
    ("stage", "rebooted", "drained", "following"),
    [
        pytest.param("preflight", False, [], "", id="refused"),
        pytest.param("load", False, ["a"], "undrain", id="refused after it was drained"),
        pytest.param("trigger", False, ["a"], "undrain", id="never began"),
        pytest.param("preflight", None, ["a"], "", id="somebody else may reboot it"),
        pytest.param("shutdown", None, ["a"], "", id="under way"),
    ],
)
def test_host_that_stays_is_undrained(
    stage: str, rebooted: bool | None, drained: list[str], following: str
) -> None:
    run = begun(hooks=HOOKS).told(drained=tuple(drained))
    after = ordered(run, failure("kexec_locked", stage, rebooted), now=1.0)
    assert (after.next, code(after), after.result.stage) == (following, "kexec_locked", stage)
    assert rungs(after) == [("kexec", "kexec_locked")]
    assert not after.done


@pytest.mark.parametrize(("drained", "following"), [([], ""), (["a"], "undrain")])
def test_reboot_that_was_only_predicted_is_not_waited_for(
    drained: list[str], following: str
) -> None:
    run = begun(hooks=HOOKS).told(drained=tuple(drained))
    after = ordered(run, {**ORDERED, "rebooted": False}, now=1.0)
    assert (after.next, after.predicted, after.done) == (following, True, not drained)


# --- The wait -------------------------------------------------------------------------------


def test_host_that_is_well_at_once_is_done() -> None:
    run = waited(left(), result())
    assert (run.done, run.result.stage, run.proven_at) == (True, None, 130.0)
    told = run.result
    assert (told.rebooted, told.method, told.downtime) == (True, "kexec", 5.5)
    assert (told.elapsed, rungs(run)) == (20.0, [("kexec", None)])
    assert [each.code for each in told.reasons] == ["panic_hangs"]


@pytest.mark.parametrize(
    ("given", "arguments", "following"),
    [
        pytest.param({}, {"findings": ["port 1"]}, "look", id="not well yet"),
        pytest.param({}, {"stable": True}, "look", id="to be looked at again"),
        pytest.param({"health_tasks": ("/a", "/b")}, {}, "task_file", id="files to be run"),
        pytest.param({"hooks": HOOKS, "drained": ["a"]}, {}, "undrain", id="drained"),
    ],
)
def test_host_that_came_back_has_more_to_show(
    given: dict[str, t.Any], arguments: dict[str, t.Any], following: str
) -> None:
    run = waited(left(**given), result(), **arguments)
    assert (run.next, run.done, run.result.stage) == (following, False, "health")


def test_boot_through_firmware_after_all_has_two_rungs() -> None:
    assert rungs(waited(left(), result(method="firmware"))) == [
        ("kexec", "kexec_not_proven"),
        ("firmware", None),
    ]


def test_host_that_is_not_back_has_another_turn() -> None:
    run = left()
    assert waited(run, GONE, left=3.0) == replace(run, next="wait")


@pytest.mark.parametrize("lost", flow.LOST)
def test_lost_host_is_reset_where_that_is_possible(lost: str) -> None:
    gone = failure(lost, "down", None)
    assert waited(left(power_cycle=RESET), gone).next == "power_cycle"
    run = waited(left(hooks=HOOKS, drained=["a"]), gone)
    assert (run.next, code(run), [*run.result.drained]) == ("", lost, ["a"])


@pytest.mark.parametrize(
    ("found", "following"),
    [
        pytest.param(failure("host_key_changed", "down", None), "", id="another key"),
        pytest.param(failure("wrong_kernel", "verify", True), "", id="another kernel"),
        pytest.param(failure("trigger_lost", "trigger", False), "undrain", id="never began"),
        pytest.param(failure("image_replaced", "trigger", None), "", id="replaced"),
    ],
)
def test_failure_that_no_reset_mends_is_one(found: dict[str, t.Any], following: str) -> None:
    run = waited(left(hooks=HOOKS, drained=["a"], power_cycle=RESET), found, left=30.0)
    assert (run.next, code(run)) == (following, found["reason"]["code"])
    assert rungs(run) == [("kexec", found["reason"]["code"])]


TAKEN = replace(left(hooks=HOOKS, drained=["a"]), taken_over=True)


def test_order_of_an_earlier_run_that_was_never_begun_is_given_anew() -> None:
    never = failure("trigger_lost", "trigger", False)
    run = waited(TAKEN, never)
    assert (run.next, run.order, run.failed, run.taken_over) == ("drain", None, False, False)
    assert ([*run.result.drained], run.hooks_left) == (["a"], 3)
    # A host that needs no reboot is not rebooted because an earlier run had wanted to.
    stays = waited(flow.without_reboot(TAKEN, changed=False), never)
    assert (stays.next, [*stays.result.drained]) == ("look", ["a"])


def test_reboot_of_an_earlier_run_is_waited_for_where_none_is_needed_any_more() -> None:
    run = flow.without_reboot(TAKEN, changed=False)
    assert run.next == "wait"
    assert waited(run, result()).next == "undrain"


# --- The power cycle ------------------------------------------------------------------------


def lost(**given: t.Any) -> Run:
    return waited(left(power_cycle=RESET, **given), GONE)


def test_host_that_was_reset_is_back_and_says_so() -> None:
    run = reset(lost(), result(method="firmware"), now=500.0)
    assert (run.done, run.result.reason, run.result.last_error) == (True, None, None)
    assert rungs(run) == [("kexec", "did_not_return"), ("power_cycle", None)]
    assert run.result.reasons[0].code == "power_cycled"
    assert "(did_not_return)" in run.result.reasons[0].message


def test_host_that_was_reset_is_looked_at_like_any_other() -> None:
    run = reset(lost(), result(), ["service nginx"], now=500.0)
    assert (run.next, run.failed) == ("look", False)


@pytest.mark.parametrize(
    ("found", "stage", "rebooted"),
    [
        pytest.param(GONE, "down", None, id="lost for good"),
        pytest.param(failure("trigger_lost", "trigger", False), "down", None, id="too soon"),
        pytest.param(failure("wrong_kernel", "verify", True), "verify", True, id="another kernel"),
    ],
)
def test_reset_in_vain_leaves_the_host_drained(
    found: dict[str, t.Any], stage: str, rebooted: bool | None
) -> None:
    run = reset(lost(hooks=HOOKS, drained=["a"]), found, now=500.0)
    assert (run.next, code(run)) == ("", found["reason"]["code"])
    assert (run.result.stage, run.result.rebooted) == (stage, rebooted)
    assert rungs(run)[-1] == ("power_cycle", found["reason"]["code"])
    assert [*run.result.drained] == ["a"]


def test_reset_that_fails_leaves_the_reason_that_it_was_for() -> None:
    run = flow.reset_failed(lost(), "Reset: no route")
    assert (run.next, code(run)) == ("", "did_not_return")
    assert "The power cycle failed, too: Reset: no route" in why(run).message
    assert rungs(run)[-1] == ("power_cycle", "power_cycle_failed")


# --- Health ---------------------------------------------------------------------------------


def test_host_that_does_not_become_well_stays_drained() -> None:
    run = waited(left(hooks=HOOKS, drained=["a"]), result(), findings=["port 1"])
    after = flow.after_look(run, ["port 1", "service a"], stable=False)
    assert (after.next, code(after), after.result.stage) == ("", "unhealthy", "health")
    assert [*after.result.unhealthy] == ["port 1", "service a"]
    assert "port 1, service a" in why(after).message
    assert ([*after.result.drained], after.result.rebooted) == (["a"], True)


def test_host_that_became_well_is_undrained() -> None:
    run = waited(left(hooks=HOOKS, drained=["a"]), result(), findings=["port 1"])
    assert flow.after_look(run, [], stable=False).next == "undrain"


def test_files_are_run_one_after_the_other_and_once_more_where_it_must_stay_so() -> None:
    run, turns = waited(left(health_tasks=("/a", "/b")), result(), stable=True), []
    while run.next in ("task_file", "look"):
        turns.append(run.file if run.next == "task_file" else "look")
        run = (
            flow.after_file(run, stable=True)
            if run.next == "task_file"
            else flow.after_look(run, [], stable=True)
        )
    assert turns == ["/a", "/b", "look", "/a", "/b"]
    assert run.done


def test_all_files_are_asked_before_the_host_is_called_unhealthy() -> None:
    run = waited(left(health_tasks=("/a", "/b")), result())
    run = flow.after_file(flow.file_failed(run, "it says 503"), stable=True)
    assert (run.next, run.file, run.failed) == ("task_file", "/b", False)
    run = flow.after_file(run, stable=True)
    assert (run.next, code(run), [*run.result.unhealthy]) == ("", "unhealthy", ["/a: it says 503"])


# --- Tasks that fail ------------------------------------------------------------------------

IN_A_HOOK = flow.next_hook(begun(hooks=HOOKS))


@pytest.mark.parametrize(
    ("run", "broken", "following", "expected", "drained"),
    [
        pytest.param(IN_A_HOOK, Broken("x"), "", "drain_failed", [], id="hook, nothing changed"),
        pytest.param(
            IN_A_HOOK,
            Broken("x", changed=True),
            "undrain",
            "drain_failed",
            ["a"],
            id="hook, changed",
        ),
        pytest.param(
            IN_A_HOOK,
            Broken("x", handler=True),
            "undrain",
            "drain_failed",
            ["a"],
            id="its handler",
        ),
        pytest.param(
            flow.next_hook(flow.drained(IN_A_HOOK)),
            Broken("x"),
            "undrain",
            "drain_failed",
            ["a"],
            id="the second hook",
        ),
        pytest.param(
            flow.next_undrain(waited(left(hooks=HOOKS, drained=["a", "c"]), result())),
            Broken("x"),
            "",
            "undrain_failed",
            ["a", "c"],
            id="an undrain file",
        ),
        pytest.param(begun(), Broken("x", handler=True), "", "handler_failed", [], id="a handler"),
        pytest.param(begun(), Broken("x"), "", "task_failed", [], id="a step"),
        pytest.param(
            left(hooks=HOOKS, drained=["a"]), Broken("x"), "", "task_failed", ["a"], id="a wait"
        ),
    ],
)
def test_task_that_fails_ends_the_run(
    run: Run, broken: Broken, following: str, expected: str, drained: list[str]
) -> None:
    after = flow.broke(run, broken)
    assert (after.next, code(after), [*after.result.drained]) == (following, expected, drained)
    assert "x" in why(after).message
    assert not after.done


def test_failure_while_it_is_undone_leaves_its_reason() -> None:
    failed = flow.broke(IN_A_HOOK, Broken("x", changed=True))
    after = flow.broke(flow.next_undrain(failed), Broken("y"))
    assert (after.next, code(after), [*after.result.drained]) == ("", "drain_failed", ["a"])
    assert after.result.stage == "drain"


def test_hook_that_is_noted_after_its_failure_is_undone() -> None:
    failed = flow.broke(IN_A_HOOK, Broken("x"))
    after = flow.drained(failed)
    assert (after.next, code(after), [*after.result.drained]) == (
        "undrain",
        "drain_failed",
        ["a"],
    )


REASON = parse(Reason, reason("x"))


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"reason": REASON}, "This is x. Do."),
        (
            {"reason": REASON, "drained": ("a", "b")},
            "This is x. Do. The host is still drained: a, b.",
        ),
        (
            {"reason": None, "drained": []},
            "The role did not come to its end with this host. Run it again.",
        ),
    ],
)
def test_message_says_what_is_left_to_do(told: dict[str, t.Any], said: str) -> None:
    assert " ".join(flow.message(RebootResult(**told))) == said


# --- One boot of several --------------------------------------------------------------------


def test_boot_that_follows_another_one_drains_nothing() -> None:
    run = flow.begin("r1", plan(hooks=HOOKS), follows=True)
    assert (run.next, run.hooks_left) == ("leave", 0)


def test_host_that_is_held_stays_drained_when_it_is_well() -> None:
    run = replace(left(hooks=HOOKS, drained=["a", "c"]), holds=True)
    held = waited(run, result())
    assert (held.next, held.done, held.is_held, [*held.result.drained]) == (
        "",
        True,
        True,
        ["a", "c"],
    )
    assert held.result.stage is None


def test_host_that_is_not_well_is_not_held() -> None:
    run = replace(left(hooks=HOOKS, drained=["a"]), holds=True)
    lost = waited(run, GONE)
    assert (lost.failed, lost.is_held) == (True, False)


def test_order_that_came_to_nothing_makes_no_other_boot_of_it() -> None:
    run = replace(left(hooks=HOOKS), taken_over=True, follows=True, holds=True)
    anew = waited(run, failure("wrong_method", "verify", True))
    assert (anew.next, anew.follows, anew.holds) == ("leave", True, True)
