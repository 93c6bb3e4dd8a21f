# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task does with what Ansible lends it, in which order, and how it gives it back."""

from __future__ import annotations

import time
import typing as t
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._kexec_reboot.task import (
    Ansible,
    RebootTask,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot import spec
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.failure import RebootError
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.ports import NoAnswerError
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

BOOT_ID = "3b2d1f60-6f5c-4a0e-9f0d-6a1f0f3c9a77"
LEFT = "/tmp/ansible-tmp-1"
SAID: dict[str, t.Any] = {
    "changed": True,
    "boot_id": BOOT_ID,
    "uptime": 40.0,
    "reasons": [],
    "facts": {"running_release": "6.18.38-0-virt", "running_cmdline": "quiet"},
}
ORDER: dict[str, t.Any] = {
    **dict.fromkeys(spec.ORDER_SPEC),
    "host": "web1",
    "method": "kexec",
    "fallback": "firmware",
    "token": "5f2b6c0e",
    "mark": "5f2b6c0e",
    "boot_id": BOOT_ID,
    "expires": 60,
    "loader_ends_in_kexec": False,
    "acknowledged": True,
}


class TaskTimeoutError(BaseException):
    """What Ansible ends a task by."""


CUT_OFF = TaskTimeoutError("Timed out after 5 second(s).")
# What is run on a host beside modules.
SCRIPTS = ("leave.sh", "observe.sh", "memory.sh", "health.sh")


class Lender:
    """An Ansible whose host takes no order, and a record of what it was asked for."""

    def __init__(self, transport: str = "fake") -> None:
        self.done: list[str] = []
        self.answer: dict[str, t.Any] | Exception = SAID
        self.silence: BaseException = AnsibleConnectionFailure("No route to host")
        self.hangs = False
        self.options = {"timeout": 10}
        self.connection = SimpleNamespace(
            transport=transport,
            become=None,
            _shell=SimpleNamespace(tmpdir=None),
            get_option=self.options.__getitem__,
            set_option=self.options.__setitem__,
            is_pipelining_enabled=lambda: False,
            reset=lambda: self.done.append("reset"),
            close=lambda: self.done.append("close"),
        )

    def run_module(self, name: str, _arguments: dict[str, t.Any]) -> t.Mapping[str, t.Any]:
        self.done.append(name.rpartition(".")[2])
        self.connection._shell.tmpdir = LEFT
        if self.hangs:
            raise CUT_OFF
        return fakes.answer(self.answer)

    def execute(self, command: str) -> t.Mapping[str, t.Any]:
        script = next(name for name in SCRIPTS if name in command)
        self.done.append(script)
        raise self.silence

    def clean_up(self) -> None:
        self.done.append("clean up")


@pytest.fixture
def lender() -> Lender:
    return Lender()


def ready(lender: Lender, *, check_mode: bool = False) -> RebootTask:
    ansible = Ansible(
        connection=t.cast(t.Any, lender.connection),
        execute=lender.execute,
        run_module=lender.run_module,
        clean_up=lender.clean_up,
        log=lambda _message: None,
        check_mode=check_mode,
    )
    return RebootTask(ansible, fakes.FakeClock())


def request(**given: t.Any) -> spec.Request:
    defaults = {name: option.get("default") for name, option in spec.ARGUMENT_SPEC.items()}
    return spec.parse({**defaults, "reboot_timeout": 20, **given}, "web1")


def refusal(task: RebootTask, asked: spec.Request) -> tuple[str, bool | None]:
    with pytest.raises(RebootError) as caught:
        task.run(asked)
    return caught.value.reason.code, caught.value.rebooted


def test_files_of_the_module_are_gone_before_the_order(lender: Lender) -> None:
    assert refusal(ready(lender), request()) == ("did_not_return", None)
    assert lender.done[:3] == ["kexec_load", "clean up", "leave.sh"]
    assert lender.connection._shell.tmpdir is None


def test_task_that_ansible_ends_before_the_order_has_ordered_nothing(lender: Lender) -> None:
    lender.hangs = True
    assert refusal(ready(lender), request()) == ("task_timeout", False)
    assert "leave.sh" not in lender.done
    assert lender.connection._shell.tmpdir is None


@pytest.mark.parametrize("wait", [True, False])
def test_task_that_ansible_ends_after_the_order_tells_it(lender: Lender, wait: bool) -> None:
    lender.silence = CUT_OFF
    with pytest.raises(RebootError, match="Whether the host reboots is not known") as caught:
        ready(lender).run(request(wait=wait))
    assert (caught.value.reason.code, caught.value.rebooted) == ("task_timeout", None)
    # So that another task can wait for it.
    order = caught.value.details["order"]
    assert (order["host"], order["boot_id"], order["method"]) == ("web1", BOOT_ID, "kexec")


def test_task_that_ansible_ends_while_the_order_is_noted_has_not_given_it(lender: Lender) -> None:
    def note(_order: t.Any) -> t.NoReturn:
        raise CUT_OFF

    with pytest.raises(RebootError) as caught:
        ready(lender).run(request(), note)
    assert (caught.value.reason.code, caught.value.rebooted) == ("task_timeout", False)
    assert "leave.sh" not in lender.done


def test_wait_that_ansible_ends_still_has_its_order(lender: Lender) -> None:
    lender.silence = CUT_OFF
    waiting = request(wait_for=ORDER)
    assert refusal(ready(lender), waiting) == ("task_timeout", None)
    with pytest.raises(RebootError) as caught:
        ready(lender).wait_and_look(waiting, spec.Handed(**{**ORDER, "services": None}), 5.0)
    assert caught.value.details["order"]["token"] == ORDER["token"]


@pytest.mark.parametrize(
    ("given", "done"),
    [
        pytest.param({}, ["kexec_load", "clean up"], id="kexec"),
        pytest.param({"method": "firmware"}, ["kexec_preflight", "clean up"], id="firmware"),
        pytest.param({"wait": False}, ["kexec_load", "clean up"], id="order"),
        pytest.param({"wait_for": ORDER}, [], id="wait"),
    ],
)
def test_check_mode_orders_nothing(
    lender: Lender, given: dict[str, t.Any], done: list[str]
) -> None:
    assert ready(lender, check_mode=True).run(request(**given))["rebooted"] is False
    assert lender.done == done


@pytest.mark.parametrize("handed", [None, ORDER], ids=["reboot", "wait"])
def test_controller_is_left_alone(handed: dict[str, t.Any] | None) -> None:
    lender = Lender("local")
    rebooted = False if handed is None else None
    assert refusal(ready(lender), request(wait_for=handed)) == ("local_connection", rebooted)
    assert lender.done == []


def test_order_of_another_task_is_not_given_again(lender: Lender) -> None:
    task = ready(lender)
    assert refusal(task, request(wait_for=ORDER)) == ("did_not_return", None)
    assert "kexec_load" not in lender.done
    assert "leave.sh" not in lender.done
    # What it can tell of the host comes with the order.
    assert task.answer.boot_id == BOOT_ID


def test_host_that_is_lost_before_the_order_is_what_ansible_says(lender: Lender) -> None:
    lender.answer = AnsibleConnectionFailure("No route to host")
    with pytest.raises(AnsibleConnectionFailure):
        ready(lender).run(request())
    assert lender.done == ["kexec_load"]
    assert lender.connection._shell.tmpdir is None


@pytest.mark.parametrize("hangs", ["run_module", "clean_up"])
def test_host_that_hangs_before_the_order_is_given_up(lender: Lender, hangs: str) -> None:
    does = getattr(lender, hangs)

    def hang(*arguments: t.Any) -> t.Any:
        does(*arguments)
        time.sleep(5)

    setattr(lender, hangs, hang)
    assert refusal(ready(lender), request(reboot_timeout=0.1)) == ("module_failed", False)
    assert lender.done[-1] == "close"
    assert lender.connection._shell.tmpdir is None


@pytest.mark.parametrize(
    "given", [{}, {"wait": False}, {"wait_for": ORDER}], ids=["reboot", "order", "wait"]
)
def test_connection_is_given_back_as_it_was(lender: Lender, given: dict[str, t.Any]) -> None:
    task, asked = ready(lender), request(connect_timeout=1, **given)
    if given == {"wait": False}:
        assert task.run(asked)["order"]["acknowledged"] is False
    else:
        assert refusal(task, asked) == ("did_not_return", None)
    assert lender.options == {"timeout": 10}


def test_answer_is_known_though_the_task_failed(lender: Lender) -> None:
    lender.answer = {**SAID, "failed": True}
    task = ready(lender)
    assert refusal(task, request())[0] == "module_failed"
    assert (task.answer.failed, task.answer.boot_id) == (True, BOOT_ID)


# --- What the role asks beside a reboot -----------------------------------------------------

RUN = "0d4ba4f53c8e4b578f0f7a7a1b1a9f10"
HEALTH = {name: option.get("default") for name, option in spec.HEALTH_SPEC.items()}


MEMORIES: dict[str, t.Callable[[RebootTask], t.Any]] = {
    "take": lambda task: task.take(RUN),
    "tell": lambda task: task.tell(),
    "keep": lambda task: task.keep(RUN, "drain", known=False),
}


def wait(task: RebootTask) -> t.Any:
    asked = request(wait_for={**ORDER, "services": ["sshd"]}, health=HEALTH)
    assert asked.wait_for is not None
    return task.wait_and_look(asked, asked.wait_for, 5.0)


def look(task: RebootTask) -> t.Any:
    wanted = request(health=HEALTH).health
    assert wanted is not None
    return task.look(wanted, ["sshd"], BOOT_ID, 0.0)


@pytest.mark.parametrize("ask", [*MEMORIES.values(), wait, look], ids=[*MEMORIES, "wait", "look"])
def test_controller_is_asked_nothing(ask: t.Callable[[RebootTask], t.Any]) -> None:
    lender = Lender("local")
    with pytest.raises(RebootError) as caught:
        ask(ready(lender))
    assert (caught.value.reason.code, lender.done) == ("local_connection", [])


@pytest.mark.parametrize("ask", MEMORIES.values(), ids=MEMORIES)
def test_host_that_is_silent_remembers_nothing_for_anybody(
    lender: Lender, ask: t.Callable[[RebootTask], t.Any]
) -> None:
    with pytest.raises(NoAnswerError, match="No route to host"):
        ask(ready(lender))
    assert "memory.sh" in lender.done


def test_host_that_does_not_come_back_is_not_looked_at(lender: Lender) -> None:
    with pytest.raises(RebootError) as caught:
        wait(ready(lender))
    assert caught.value.reason.code == "did_not_return"
    assert "health.sh" not in lender.done


def test_host_that_falls_silent_while_it_is_looked_at_is_not_well(lender: Lender) -> None:
    findings = look(ready(lender))
    assert any("No route to host" in finding for finding in findings)
    assert "health.sh" in lender.done
