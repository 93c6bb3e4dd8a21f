# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps that reach a host: what they ask of it, for how long, and what they leave out."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.alpinefleet.kexec.plugins.module_utils._preflight import judge
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Reason
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot import (
    flow,
    memory,
    steps,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot.flow import Run
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot.memory import Memory
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot.steps import (
    CannotTellError,
    Steps,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._parsing.answer import Answer
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._parsing.values import parse
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot import failure
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.health import Health
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.orders import taken_over
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.ports import (
    NoAnswerError,
    OtherRunError,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.protocol import Order
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.spec import Handed, Request
from ansible_collections.alpinefleet.kexec.tests.unit import fakes, reboots
from ansible_collections.alpinefleet.kexec.tests.unit.reboots import BOOT_ID, reason, result

from . import test_plan
from .test_flow import ORDERED, attempt

RUN = "0d4ba4f53c8e4b578f0f7a7a1b1a9f10"
SILENCE = NoAnswerError("silent", "no route")
LB = {"name": "lb", "drain": "/hook.yml", "undrain": "/hook.yml"}
LOST = failure.did_not_return(600.0, "timed out", gone=True)
ORDER = reboots.order(services=["sshd"])


class FakeTask:
    """A task of kexec_reboot that answers from a script and takes its time."""

    def __init__(self, clock: fakes.FakeClock, *answers: t.Any) -> None:
        self._clock = clock
        self._answers = list(answers)
        self.answer = Answer()
        self.modes: list[bool] = []
        self.requests: list[Request] = []
        self.turns: list[float] = []
        # What the host remembers, and how it came to that.
        self.memory: str | BaseException = ""
        self.notes: list[tuple[str, str]] = []
        self.looked_for: list[tuple[Health, tuple[str, ...]]] = []
        self.looks: list[tuple[str, float]] = []

    def __call__(self, check_mode: bool) -> t.Any:
        self.modes.append(check_mode)
        return self

    def run(
        self, request: Request, before_order: t.Callable[[Order], None] = lambda _order: None
    ) -> dict[str, t.Any]:
        found = t.cast("dict[str, t.Any]", self._give(request))
        if found["rebooted"] is None:
            before_order(taken_over(request, Handed(**found["order"]))[0])
        return found

    def take(self, run: str) -> str:
        return self._use("take", run)

    def tell(self) -> str:
        return self._use("tell", "-")

    def keep(self, run: str, note: str, *, known: bool) -> None:
        self._use("keep" if known else "claim", run)
        self.memory = note and f"{run} {note}"

    def _use(self, what: str, run: str) -> str:
        self.notes.append((what, run))
        if isinstance(self.memory, BaseException):
            raise self.memory
        return self.memory

    def wait_and_look(
        self, request: Request, _handed: Handed, within: float
    ) -> tuple[dict[str, t.Any], list[str]]:
        self.turns.append(within)
        return self._give(request), []

    def look(
        self, wanted: Health, before: t.Sequence[str], boot_id: str, seconds: float
    ) -> list[str]:
        self.looks.append((boot_id, seconds))
        self.looked_for.append((wanted, tuple(before)))
        return t.cast("list[str]", self._give(None))

    def _give(self, request: Request | None) -> t.Any:
        self.requests += [request] if request else []
        self._clock.advance(7.0)
        answer = self._answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


class Scene:
    """The steps of one host, at a time."""

    def __init__(self, *answers: t.Any, check_mode: bool = False) -> None:
        self.clock = fakes.FakeClock(1000.0)
        self.task = FakeTask(self.clock, *answers)
        self.steps = Steps("web1", self.task, self.clock, check_mode=check_mode)


def begun(**given: t.Any) -> Run:
    made, _command = test_plan.make(**given)
    return flow.begin(RUN, made)


def code_of(run: Run) -> str | None:
    return t.cast("str", run.result.code) if run.failed else None


def left(at: float = 1000.0, **given: t.Any) -> Run:
    return flow.after_order(begun(**given), attempt({**ORDERED, "order": ORDER}), now=at)


# --- The turns of many hosts ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("timeout", "since", "confirm", "hosts", "forks", "seconds"),
    [
        pytest.param(600, 0, 300, 1, 5, 600, id="one host"),
        pytest.param(600, 0, 300, 5, 5, 600, id="each has a fork"),
        pytest.param(600, 0, 300, 6, 5, 75, id="two turns"),
        pytest.param(600, 0, 300, 50, 5, 15, id="ten turns"),
        pytest.param(600, 0, 300, 1000, 5, 10, id="more than can be kept"),
        pytest.param(600, 0, 0, 1000, 5, 600, id="nobody has to be told"),
        pytest.param(8, 0, 300, 1000, 5, 8, id="little time"),
        pytest.param(24, 0, 300, 50, 5, 24, id="too little for two turns"),
        pytest.param(25, 0, 300, 50, 5, 15, id="enough for two turns"),
        pytest.param(-3, 0, 300, 1, 5, 10, id="others had its time"),
        pytest.param(600, 0, 300, 0, 0, 600, id="no number"),
        pytest.param(400, 299, 300, 1000, 5, 10, id="hosts are to be told still"),
        pytest.param(300, 300, 300, 1000, 5, 300, id="who was not told has left"),
    ],
)
def test_turn_of_a_host_leaves_time_for_the_others(
    timeout: float, since: float, confirm: float, hosts: int, forks: int, seconds: float
) -> None:
    assert steps.turn(timeout, since, confirm, hosts, forks) == seconds


# --- The steps ------------------------------------------------------------------------------


def test_order_is_given_by_a_task_that_does_not_wait() -> None:
    scene = Scene({**ORDERED, "order": ORDER})
    run = scene.steps.leave(begun(timeout=77))
    assert (run.next, run.ordered_at, run.result.elapsed) == ("wait", 1007.0, 7.0)
    (request,) = scene.task.requests
    assert (request.wait, request.wait_for, request.reboot_timeout) == (False, None, 77)
    assert (request.host, scene.task.modes) == ("web1", [False])


def test_order_in_check_mode_is_a_prediction() -> None:
    scene = Scene({**ORDERED, "rebooted": False}, check_mode=True)
    assert scene.steps.leave(begun()).done
    assert scene.task.modes == [True]


def test_refusal_is_foreseen_and_nothing_else_is_kept_of_it() -> None:
    refusal = failure.local_connection(rebooted=False)
    scene = Scene(refusal, {**ORDERED, "rebooted": False})
    assert scene.steps.foresee(begun()).result.code == "local_connection"
    run = begun()
    assert scene.steps.foresee(run) is run
    assert scene.task.modes == [True, True]


def test_wait_has_what_is_left_of_the_time() -> None:
    scene = Scene(result())
    scene.clock.advance(100.0)
    run = scene.steps.wait(left(), hosts=1, forks=5)
    assert run.done
    (request,) = scene.task.requests
    assert (scene.task.turns, request.reboot_timeout) == ([500.0], 600.0)
    assert request.wait_for is not None
    # The order has its own, which may be stricter than what was asked for.
    assert request.wait_for.fallback == "fail"


def test_host_that_is_not_back_in_its_turn_has_another_one() -> None:
    scene = Scene(LOST, LOST)
    run = scene.steps.wait(left(), hosts=100, forks=5)
    assert run.next == "wait"
    scene.clock.advance(600.0)
    run = scene.steps.wait(run, hosts=100, forks=5)
    assert (run.next, run.result.code) == ("", "did_not_return")
    assert scene.task.turns == [10.0, 10.0]


def test_wait_after_a_reset_takes_firmware_for_granted() -> None:
    scene = Scene(result(method="firmware"))
    lost = flow.after_wait(
        left(power_cycle_command=["reset"], power_cycle_timeout=88),
        attempt({**result(), "failed": True, "reason": LOST.reason.as_dict(), "stage": "down"}),
        now=1600.0,
        left=0.0,
    )
    assert scene.steps.wait_after_reset(lost).done
    (request,) = scene.task.requests
    assert (scene.task.turns, request.reboot_timeout) == ([88.0], 88.0)
    assert request.wait_for is not None
    assert request.wait_for.fallback == "firmware"


@pytest.mark.parametrize(("since", "seconds"), [(0.0, 120.0), (50.0, 70.0), (500.0, 0.0)])
def test_look_has_what_is_left_of_the_time_since_the_proof(since: float, seconds: float) -> None:
    scene = Scene([])
    run = flow.after_wait(left(), attempt(result()), ["port 1"], now=1000.0, left=0.0)
    scene.clock.advance(since)
    assert scene.steps.look(run).done
    assert scene.task.looks == [(BOOT_ID, seconds)]
    assert [before for _wanted, before in scene.task.looked_for] == [("sshd",)]


@pytest.mark.parametrize(("since", "slept"), [(0.0, 60.0), (50.0, 10.0), (500.0, 0.0)])
def test_host_waits_for_what_is_left_of_its_own_time(since: float, slept: float) -> None:
    scene = Scene(["service nginx"])
    run = flow.after_wait(
        left(stable_seconds=60), attempt(result()), now=1000.0, left=0.0, stable=True
    )
    scene.clock.advance(since)
    before = scene.clock.time
    after = scene.steps.look(run)
    assert scene.clock.time - before == slept + 7.0
    assert (after.result.code, scene.task.looks) == ("unhealthy", [(BOOT_ID, 120.0)])


# --- What the host remembers ----------------------------------------------------------------


def remembered(scene: Scene) -> Memory | None:
    assert isinstance(scene.task.memory, str)
    return memory.parse(scene.task.memory)


def test_host_that_remembers_nothing_is_begun_with() -> None:
    scene = Scene()
    run = begun()
    assert scene.steps.begin(run) == run
    assert scene.task.notes == [("take", RUN)]


def test_run_is_claimed_by_the_first_that_is_remembered_of_it_and_kept_then() -> None:
    scene = Scene()
    run = scene.steps.still_mine(scene.steps.remember(scene.steps.begin(begun()), "drain"), "down")
    scene.steps.close(run)
    assert [what for what, _run in scene.task.notes] == ["take", "claim", "keep", "keep"]


def test_run_that_was_taken_over_is_known_to_the_host_from_the_beginning() -> None:
    scene = Scene()
    scene.task.memory = f"{'1' * 32} drain"
    scene.steps.remember(scene.steps.begin(begun()), "drain")
    assert [what for what, _run in scene.task.notes] == ["take", "keep"]


def test_order_that_is_remembered_makes_the_run_known() -> None:
    scene = Scene({**ORDERED, "order": ORDER})
    assert scene.steps.leave(begun()).known
    refused = Scene(failure.unfit(judge.not_root(1000)))
    assert not refused.steps.leave(begun()).known
    assert refused.task.notes == []


UNFIT = {
    "target_is_controller": failure.unfit(judge.target_is_controller()),
    "not_root": failure.unfit(judge.not_root(1000)),
    "local_connection": failure.local_connection(rebooted=None),
}


@pytest.mark.parametrize("code", UNFIT)
def test_host_that_is_not_to_be_rebooted_is_refused_with_the_reason(code: str) -> None:
    scene = Scene()
    scene.task.memory = UNFIT[code]
    with pytest.raises(CannotTellError) as caught:
        scene.steps.begin(begun())
    assert caught.value.reason.code == code
    refused = flow.fail(begun(), caught.value.reason)
    # Nor can it be told that the run is over, which changes nothing.
    assert scene.steps.close(refused) == refused
    assert code_of(scene.steps.remember(begun(), "drain")) == code


def test_check_mode_asks_what_is_remembered_and_takes_nothing() -> None:
    scene = Scene({**ORDERED, "rebooted": False}, check_mode=True)
    run = scene.steps.begin(begun())
    scene.steps.remember(run, "drain")
    scene.steps.close(run)
    assert scene.task.notes == [("tell", "-")]


def test_host_that_does_not_answer_is_unreachable() -> None:
    scene = Scene()
    scene.task.memory = SILENCE
    with pytest.raises(AnsibleConnectionFailure, match="no route"):
        scene.steps.begin(begun())


def test_order_is_remembered_before_it_is_given() -> None:
    scene = Scene({**ORDERED, "order": ORDER})
    scene.steps.leave(begun(hooks=[LB]).told(drained=("lb",)))
    found = remembered(scene)
    assert found is not None
    assert (found.run_id, found.progress, found.drained) == (RUN, "down", ("lb",))
    assert found.order is not None
    assert {name: found.order[name] for name in ("token", "boot_id", "services")} == {
        name: ORDER[name] for name in ("token", "boot_id", "services")
    }
    # The next run waits for it.
    again = Scene(result())
    again.task.memory = scene.task.memory
    run = again.steps.begin(begun(hooks=[LB]))
    assert (run.next, run.taken_over) == ("wait", True)
    assert again.steps.wait(run, hosts=1, forks=5).result.rebooted is True


@pytest.mark.parametrize(
    ("error", "code", "rebooted", "following"),
    [
        # Whoever took the host over may need it drained.
        (OtherRunError(), "overtaken", None, ""),
        (SILENCE, "not_remembered", False, "undrain"),
    ],
)
def test_run_that_may_not_act_orders_nothing(
    error: Exception, code: str, rebooted: bool | None, following: str
) -> None:
    scene = Scene({**ORDERED, "order": ORDER})
    scene.task.memory = error
    run = scene.steps.leave(begun().told(drained=("lb",)))
    assert (run.next, run.order, run.result.code) == (following, None, code)
    assert (run.result.rebooted, run.result.stage) == (rebooted, "trigger")
    assert scene.steps.remember(begun(), "drain").result.code == code


def test_run_that_was_overtaken_fails_at_its_end_as_well() -> None:
    scene = Scene()
    scene.task.memory = OtherRunError()
    proven = replace(begun(), next="").told(rebooted=True)
    assert code_of(scene.steps.close(proven)) == "overtaken"
    assert code_of(scene.steps.still_mine(proven, "undrain")) == "overtaken"
    failed = flow.fail(proven, flow.step_failed("It broke."))
    assert code_of(scene.steps.close(failed)) == "task_failed"


def test_host_that_cannot_be_told_that_a_run_is_over_is_well_and_that_is_said() -> None:
    scene = Scene()
    scene.task.memory = SILENCE
    proven = replace(begun(), next="").told(rebooted=True)
    closed = scene.steps.close(proven)
    assert closed.done
    (advice,) = closed.result.reasons
    assert (advice.code, advice.blocks) == ("not_remembered", "nothing")
    # What is to be done for it is known, and is done.
    assert scene.steps.still_mine(proven, "undrain") == proven


def test_host_that_answers_and_cannot_tell_what_it_remembers_is_not_unreachable() -> None:
    scene = Scene()
    scene.task.memory = NoAnswerError("garbled", "mkdir: Permission denied")
    with pytest.raises(CannotTellError) as caught:
        scene.steps.begin(begun())
    assert caught.value.reason.code == "not_remembered"
    assert "Permission denied" in caught.value.reason.message


def test_check_mode_waits_for_nothing_and_looks_at_nothing() -> None:
    scene = Scene(check_mode=True)
    scene.task.memory = f"{RUN} {Memory(RUN, 'down', order=ORDER).as_text()}"
    run = scene.steps.begin(begun())
    assert (run.next, run.taken_over) == ("leave", False)
    assert scene.steps.look(flow.without_reboot(run, changed=True)).done
    assert (scene.task.looks, scene.task.turns) == ([], [])


def test_services_of_an_earlier_run_are_looked_for_unless_none_are_asked_for() -> None:
    before = Memory(RUN, "unhealthy", order=ORDER, services=("crond",))
    for services, required in ((True, ("crond", "sshd")), (False, ())):
        scene = Scene([], [])
        made = begun(health_services=services, health_ports=[80])
        scene.steps.look(replace(made, before=before))
        ((wanted, _before),) = scene.task.looked_for
        assert wanted.required_services == required


def test_order_that_never_came_to_the_host_is_given_anew() -> None:
    never = failure.trigger_lost(acknowledged=False)
    scene = Scene({**ORDERED, "order": ORDER}, never)
    scene.steps.leave(begun())
    again = Scene(never)
    again.task.memory = scene.task.memory
    run = again.steps.wait(again.steps.begin(begun()), hosts=1, forks=5)
    assert (run.next, run.order, run.failed, run.taken_over) == ("leave", None, False, False)


@pytest.mark.parametrize(
    ("told", "progress"),
    [
        pytest.param({}, None, id="all is well"),
        pytest.param({"code": "unhealthy", "rebooted": True}, "unhealthy", id="sick"),
        pytest.param(
            {"code": "undrain_failed", "rebooted": True, "drained": ("lb",)},
            "undrain",
            id="still drained",
        ),
        pytest.param(
            {"code": "drain_failed", "rebooted": False, "drained": ("lb",)},
            "ended",
            id="not undone",
        ),
        pytest.param({"code": "kexec_locked", "rebooted": False}, None, id="refused"),
        pytest.param({"code": "module_failed", "rebooted": None}, "ended", id="unclear"),
    ],
)
def test_host_remembers_what_is_left_to_do(told: dict[str, t.Any], progress: str | None) -> None:
    scene = Scene()
    failed = {"reason": parse(Reason, reason(told["code"]))} if "code" in told else {}
    changes = {name: value for name, value in told.items() if name != "code"}
    scene.steps.close(begun().told(**changes, **failed))
    found = remembered(scene)
    assert (found and found.progress) == progress


def test_boot_that_follows_waits_for_no_order_of_before() -> None:
    scene = Scene()
    scene.task.memory = f"{RUN} {Memory(RUN, 'ended', order=ORDER).as_text()}"
    made, _command = test_plan.make()
    run = scene.steps.begin(flow.begin(RUN, made, follows=True))
    assert (run.next, run.taken_over) == ("leave", False)
    assert run.before is not None
