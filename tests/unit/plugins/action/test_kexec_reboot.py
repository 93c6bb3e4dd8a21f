# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action from arguments to result, over a connection whose host is a script."""

from __future__ import annotations

import re
import socket
import subprocess
import tempfile
import threading
import time
import typing as t
from pathlib import Path

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.connection import ConnectionBase
from ansible.template import Templar
from ansible_collections.alpinefleet.kexec.plugins.action import kexec_reboot
from ansible_collections.alpinefleet.kexec.plugins.module_utils import _reasons
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._kexec_reboot import action as base
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._transport import (
    commands,
    controller,
    remote,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._transport.prober import (
    BannerProber,
)
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

OLD_BOOT = "3b2d1f60-6f5c-4a0e-9f0d-6a1f0f3c9a77"
NEW_BOOT = "d7a0c3f2-04f3-4b7e-8a44-0d1c8fb0a6e1"
MACHINE, UPTIME = "dmi:4c4c4544-0042-3510-8056-b4c04f4a4e32", 4000.25
OLD_RELEASE, RELEASE = "6.18.38-0-virt", "6.18.56-0-virt"
VIRT, LTS = "/boot/vmlinuz-virt", "/boot/vmlinuz-lts"
REMOTE_FILES = "/tmp/ansible-tmp-1"
# What a terminal would carry out, and as it is told.
HOSTILE, HARMLESS = "\x1b[2J\x1b]0;web1\x07", "\\x1b[2J\\x1b]0;web1\\x07"

LEAVE = re.compile(
    r"leave\.sh (kexec|firmware) \S+ \S+ ([0-9a-f]{32}) ([0-9a-f-]{36})\b.* \d+ ([0-9a-f]{32})"
)
CONFIRM = re.compile(r"confirm\.sh ([0-9a-f]{32})\b")
OBSERVE = re.compile(r"observe\.sh ([0-9a-f]{16})\b")

Result = dict[str, t.Any]


class FakeHost:
    """A host that obeys: it goes down two seconds after the order, and is back six later."""

    def __init__(self, clock: fakes.FakeClock) -> None:
        self.clock = clock
        self.machine = MACHINE
        # What a login prints, and no newline after it.
        self.greeting = ""
        self.log: list[str] = []
        self.comes_up: str | None = None
        self.error = "No route to host"
        self.stderr = ""
        self.accepts = True
        self.test_rc = 0
        self.removal_rc = 0
        self._left: float | None = None
        self._token = self._mark = ""

    def answer(self, command: str) -> tuple[int, str]:
        self.clock.advance(0.1)
        since = None if self._left is None else self.clock.time - self._left
        if since is not None and 2 < since < 8:
            raise AnsibleConnectionFailure("No route to host")
        back = since is not None and since >= 8
        if back and self.comes_up == "nothing":
            raise AnsibleConnectionFailure(self.error)
        return self._act(command, back)

    def _act(self, command: str, back: bool) -> tuple[int, str]:
        if leave := LEAVE.search(command):
            return self._leave(*leave.groups())
        if observe := OBSERVE.search(command):
            self.log.append("observe")
            return 0, self._observation(observe[1], back)
        if confirm := CONFIRM.search(command):
            self.log.append("confirm")
            return 0, f"{confirm[1]}\n"
        if REMOTE_FILES in command:
            self.log.append("remove")
            return self.removal_rc, ""
        self.log.append(f"test {command}")
        return self.test_rc, ""

    def _leave(self, method: str, token: str, boot_id: str, mark: str) -> tuple[int, str]:
        self.log.append(f"leave by {method}")
        if not self.accepts or boot_id != OLD_BOOT:
            return 127, ""
        self._left, self._token, self._mark = self.clock.time, token, mark
        self.comes_up = self.comes_up or method
        return 0, f"{self.greeting}\n{mark}\n"

    def _observation(self, nonce: str, back: bool) -> str:
        boot_id, release, stage, cmdline, kind = (
            (NEW_BOOT, RELEASE, "", "quiet", "114")
            if back
            else (OLD_BOOT, OLD_RELEASE, self._mark and f"{self._mark} shutdown", "quiet", "114")
        )
        uptime = self.clock.time + (0 if back else UPTIME)
        if back and self.comes_up == "kexec":
            cmdline, kind = f"quiet alpinefleet_kexec.token={self._token}", "208"
        return (
            f"{self.greeting}\nBEGIN {nonce}\nboot_id {boot_id}\nrelease {release}\n"
            f"bootloader_type {kind}\nhardware_id {self.machine}\nuptime {uptime} 1.0\n"
            f"stage {stage}\ncmdline {cmdline}\nEND {nonce}\n"
        )


class FakeConnection(ConnectionBase):
    """A connection to that host."""

    transport = "fake"

    def __init__(self, play_context: PlayContext, host: FakeHost) -> None:
        super().__init__(play_context, ansible_playbook_pid="1", task_uuid="1")
        self.options: dict[str, t.Any] = {"timeout": 10}
        self._host = host

    def get_option(self, option: str, hostvars: t.Any = None) -> t.Any:
        return self.options[option]

    def set_option(self, option: str, value: t.Any) -> None:
        self.options[option] = value

    def exec_command(
        self, cmd: str, in_data: bytes | None = None, sudoable: bool = True
    ) -> tuple[int, bytes, bytes]:
        rc, stdout = self._host.answer(cmd)
        return rc, stdout.encode(), self._host.stderr.encode()

    def _connect(self) -> FakeConnection:
        return self

    def put_file(self, in_path: str, out_path: str) -> None:
        raise NotImplementedError

    def fetch_file(self, in_path: str, out_path: str) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """Forget a connection that was lost; the next command opens another one."""


class Action(kexec_reboot.ActionModule):
    """The action, with the answer of its module prepared."""

    prepared: Result | Exception
    called: list[tuple[str, Result]]

    def _execute_module(self, *_arguments: t.Any, **call: t.Any) -> Result:
        self.called.append((call["module_name"], call["module_args"]))
        # Without pipelining, a module leaves its directory to whoever called it.
        self._connection._shell.tmpdir = REMOTE_FILES
        self._cleanup_remote_tmp = True
        return fakes.answer(self.prepared)


def survey(*codes: str, **given: t.Any) -> Result:
    """What the module returns."""
    reasons = [_reasons.reason(code, "It is so.", "Mend it.").as_dict() for code in codes]
    return {
        "changed": True,
        "boot_id": OLD_BOOT,
        "kernel": VIRT,
        "release": RELEASE,
        "reasons": reasons,
        "facts": {
            "firmware_kernel": VIRT,
            "running_release": OLD_RELEASE,
            "running_cmdline": "quiet",
            "hardware_id": MACHINE,
        },
        "uptime": UPTIME,
        "diff": {"before": "", "after": f"kernel: {VIRT}\n"},
        **given,
    }


def refused(*codes: str, **given: t.Any) -> Result:
    return survey(*codes, **{"failed": True, "changed": False, "stage": "preflight", **given})


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> FakeHost:
    clock = fakes.FakeClock()
    monkeypatch.setattr(kexec_reboot.ActionModule, "clock", clock)
    return FakeHost(clock)


@pytest.fixture
def play_context() -> PlayContext:
    context = PlayContext()
    context.remote_addr = "web1"
    context.shell = "sh"
    return context


@pytest.fixture
def connection(play_context: PlayContext, host: FakeHost) -> FakeConnection:
    return FakeConnection(play_context, host)


@pytest.fixture
def task() -> Task:
    task = Task()
    task.action = "alpinefleet.kexec.kexec_reboot"
    task.args = {"reboot_timeout": 60}
    task.check_mode = False
    task.async_val = 0
    return task


@pytest.fixture
def action(task: Task, connection: FakeConnection, play_context: PlayContext) -> Action:
    loader = DataLoader()
    action = Action(task, connection, play_context, loader, Templar(loader, variables={}))
    action.called = []
    action.prepared = survey()
    return action


def run(action: Action, **arguments: t.Any) -> Result:
    action._task.args = {**action._task.args, **arguments}
    result: Result = action.run(task_vars={"inventory_hostname": "web1"})
    return result


def end(action: t.Any) -> None:
    """What Ansible does when an action is done."""
    action.cleanup()


def texts(value: t.Any) -> t.Iterator[str]:
    """All that is text in a result."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for each in [*value, *value.values()] if isinstance(value, dict) else value:
            yield from texts(each)


def outcome(result: Result) -> tuple[str, str, bool | None]:
    return result["reason"]["code"], result["stage"], result["rebooted"]


# --- A reboot ------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["kexec", "firmware"])
def test_reboot_is_proven(action: Action, method: str) -> None:
    result = run(action, method=method)
    assert (result["changed"], result["rebooted"], result["method"]) == (True, True, method)
    assert result["boot_id"] == {"before": OLD_BOOT, "after": NEW_BOOT}
    assert "failed" not in result


def test_reboot_through_firmware_has_no_token(action: Action) -> None:
    assert run(action, method="firmware")["token"] is None


def test_user_who_named_a_kernel_does_not_get_another_one(action: Action, host: FakeHost) -> None:
    action.prepared = survey(kernel=LTS)
    host.comes_up = "firmware"
    result = run(action, flavour="lts")
    assert outcome(result) == ("wrong_method", "verify", True)
    assert (result["method"], result["release"]["after"]) == ("firmware", RELEASE)


def test_elapsed_is_the_time_of_the_whole_task(action: Action, host: FakeHost) -> None:
    result = run(action)
    assert result["elapsed"] == pytest.approx(host.clock.time, abs=0.01)
    assert result["elapsed"] >= sum(result["timings"].values()) - 0.05


def test_token_is_another_each_time(action: Action) -> None:
    run(action)
    run(action)
    tokens = {call["token"] for _name, call in action.called}
    assert len(tokens) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", token) for token in tokens)


def test_token_of_the_image_is_that_of_the_order(action: Action) -> None:
    assert run(action)["token"] == action.called[0][1]["token"]


def test_module_is_told_which_boot_the_controller_runs(action: Action) -> None:
    run(action)
    assert action.called[0][1]["controller_boot_id"] == controller.boot_id()


def test_files_of_the_module_are_gone_before_the_host_is(action: Action, host: FakeHost) -> None:
    run(action)
    assert host.log[:2] == ["remove", "leave by kexec"]


def test_host_that_falls_back_is_noted(action: Action, host: FakeHost) -> None:
    host.comes_up = "firmware"
    result = run(action)
    assert result["method"] == "firmware"
    assert [each["code"] for each in result["reasons"]] == ["kexec_not_proven"]


def test_host_that_cannot_kexec_reboots_through_firmware(action: Action, host: FakeHost) -> None:
    action.prepared = refused("kexec_locked")
    result = run(action)
    assert result["method"] == "firmware"
    assert [each["code"] for each in result["reasons"]] == ["kexec_locked"]
    assert "leave by firmware" in host.log


def test_steps_are_shown_to_who_asks_for_them(
    action: Action, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[tuple[str, str]] = []
    monkeypatch.setattr(base.display, "vvv", lambda message, host: shown.append((message, host)))
    run(action)
    assert ("kexec_reboot: leaving by kexec", "web1") in shown


def test_words_of_a_host_are_shown_without_what_a_terminal_carries_out(
    action: Action, host: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(base.display, "vvv", lambda message, host: shown.append(message))
    host.comes_up, host.error = "nothing", f"{HOSTILE} No route to host"
    run(action)
    assert any(HARMLESS in message for message in shown)
    assert "\x1b" not in "".join(shown)


def test_module_that_hangs_is_given_up(action: Action, monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(**_call: t.Any) -> Result:
        action._connection._shell.tmpdir = REMOTE_FILES
        time.sleep(5)
        return {}

    monkeypatch.setattr(action, "_execute_module", hang)
    result = run(action, reboot_timeout=0.2)
    assert outcome(result) == ("module_failed", "preflight", False)
    assert "within 0.2 seconds" in result["msg"]
    # Nothing is removed from a host that does not answer.
    assert action._connection._shell.tmpdir is None


# --- Order and wait apart ------------------------------------------------------------------


def test_order_that_is_not_waited_for_ends_the_task(action: Action, host: FakeHost) -> None:
    result = run(action, wait=False)
    assert (result["changed"], result["rebooted"], result["method"]) == (True, None, "kexec")
    assert host.log == ["remove", "leave by kexec"]


def test_order_of_another_task_is_waited_for(action: Action, host: FakeHost) -> None:
    order = run(action, wait=False)["order"]
    action.called.clear()
    result = run(action, wait=True, wait_for=order)
    assert (result["changed"], result["rebooted"], result["method"]) == (False, True, "kexec")
    assert result["boot_id"] == {"before": OLD_BOOT, "after": NEW_BOOT}
    assert result["release"] == {"before": OLD_RELEASE, "after": RELEASE}
    assert action.called == []
    assert host.log.count("leave by kexec") == 1


class FakeSsh(FakeConnection):
    """A connection that has a client of its own; this one says nothing."""

    transport = "ssh"
    client = "true"

    def __init__(self, play_context: PlayContext, host: FakeHost) -> None:
        super().__init__(play_context, host)
        self.options |= {"host": "web1", "ssh_executable": "false", "ssh_args": "-C"}

    def _build_command(self, binary: str, subsystem: str, *arguments: str) -> list[str]:
        return [self.client, *arguments]


def no_room(*_arguments: t.Any, **_options: t.Any) -> t.Any:
    raise OSError(28, "No space left on device")


def no_thread(_thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


# What a controller may lack, by where that comes up between the order and the result.
LACKS: dict[str, tuple[t.Any, str, t.Any]] = {
    "nothing": (FakeSsh, "client", "true"),
    "room for sockets": (tempfile, "mkdtemp", no_room),
    "a descriptor for a password": (FakeSsh, "_build_command", no_room),
    "a client": (FakeSsh, "client", "/nowhere/ssh"),
    "a process": (subprocess, "run", no_room),
    "a socket to probe with": (socket, "socket", no_room),
    "a thread for the resolver": (threading.Thread, "start", no_thread),
    "the files of the collection": (commands, "SHELL", Path("/nowhere")),
}


@pytest.mark.parametrize("apart", [False, True], ids=["one task", "order and wait"])
@pytest.mark.parametrize(("owner", "name", "lack"), LACKS.values(), ids=LACKS)
def test_nothing_that_the_controller_lacks_ends_the_wait(
    action: Action,
    host: FakeHost,
    play_context: PlayContext,
    monkeypatch: pytest.MonkeyPatch,
    owner: t.Any,
    name: str,
    lack: t.Any,
    *,
    apart: bool,
) -> None:
    monkeypatch.setattr(remote, "prober_for", lambda _configuration: BannerProber("127.0.0.1", 1))
    action._connection = FakeSsh(play_context, host)
    monkeypatch.setattr(owner, name, lack)
    result = run(action, wait=not apart)
    if apart:
        assert (result["rebooted"], result["order"]["acknowledged"]) == (None, True)
        result = run(action, wait=True, wait_for=result["order"])
    assert (result["rebooted"], result["method"]) == (True, "kexec")
    assert action._connection.options["ssh_args"] == "-C"


def test_wait_for_a_lost_host_fails(action: Action, host: FakeHost) -> None:
    order = run(action, wait=False)["order"]
    host.comes_up = "nothing"
    assert outcome(run(action, wait=True, wait_for=order)) == ("did_not_return", "down", None)


def test_order_of_another_host_is_refused(action: Action, host: FakeHost) -> None:
    order = run(action, wait=False)["order"]
    host.log.clear()
    action._task.delegate_to = "web2"
    result = run(action, wait=True, wait_for=order)
    assert outcome(result) == ("argument_invalid", "preflight", None)
    assert "'web1', and this is 'web2'" in result["msg"]
    assert host.log == []


def test_order_is_that_of_the_host_that_the_task_is_delegated_to(action: Action) -> None:
    action._task.delegate_to = "web2"
    order = run(action, wait=False)["order"]
    assert order["host"] == "web2"
    assert run(action, wait=True, wait_for=order)["rebooted"] is True


def test_boot_that_runs_is_no_new_one_however_it_is_written(action: Action, host: FakeHost) -> None:
    action.prepared = survey(boot_id=OLD_BOOT.upper())
    order = run(action, wait=False)["order"]
    assert order["boot_id"] == OLD_BOOT
    host.comes_up = "nothing"
    result = run(action, wait=True, wait_for={**order, "boot_id": OLD_BOOT.upper()})
    assert outcome(result) == ("did_not_return", "down", None)


def test_answer_of_another_machine_is_none(action: Action, host: FakeHost) -> None:
    order = run(action, wait=False)["order"]
    host.machine = "dmi:f00d"
    result = run(action, wait=True, wait_for=order)
    assert outcome(result) == ("other_host", "verify", None)
    assert result["boot_id"] == {"before": OLD_BOOT, "after": None}


@pytest.mark.parametrize("greeting", ["Welcome! ", "\x1b]0;web1\x07"], ids=["words", "title"])
def test_login_that_greets_without_a_newline(action: Action, host: FakeHost, greeting: str) -> None:
    host.greeting = greeting
    assert run(action)["rebooted"] is True


def test_check_mode_waits_for_nothing(action: Action, host: FakeHost) -> None:
    order = run(action, wait=False)["order"]
    host.log.clear()
    action._task.check_mode = True
    result = run(action, wait=True, wait_for=order)
    assert (result["changed"], result["rebooted"], result["method"]) == (False, False, None)
    assert host.log == []


def test_check_mode_waits_for_the_order_that_it_predicts(action: Action, host: FakeHost) -> None:
    action._task.check_mode = True
    order = run(action, wait=False)["order"]
    assert (order["boot_id"], order["acknowledged"]) == (OLD_BOOT, False)
    host.log.clear()
    result = run(action, wait=True, wait_for=order)
    assert (result["changed"], result["rebooted"], result["method"]) == (False, False, None)
    assert result["boot_id"] == {"before": OLD_BOOT, "after": None}
    assert host.log == []


# --- Check mode ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prepared", "method"),
    [
        pytest.param(survey(), "kexec", id="kexec is possible"),
        pytest.param(refused("lockdown"), "firmware", id="kexec is not possible"),
    ],
)
def test_check_mode_predicts(action: Action, host: FakeHost, prepared: Result, method: str) -> None:
    action._task.check_mode = True
    action.prepared = prepared
    result = run(action)
    assert (result["changed"], result["rebooted"], result["method"]) == (True, False, method)
    assert host.log == ["remove"]


def test_check_mode_refuses_what_would_be_refused(action: Action) -> None:
    action._task.check_mode = True
    action.prepared = refused("kernel_truncated")
    assert outcome(run(action)) == ("kernel_truncated", "preflight", False)


# --- Refusals ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param({"method": "magic"}, "method", id="unknown method"),
        pytest.param({"reboot_timeout": "soon"}, "reboot_timeout", id="words for a time"),
        pytest.param({"msg": "bye"}, "msg", id="unknown option"),
        pytest.param({"kernel": VIRT, "flavour": "lts"}, "mutually exclusive", id="two kernels"),
    ],
)
@pytest.mark.parametrize("check_mode", [True, False], ids=["check mode", "real"])
def test_arguments_that_are_wrong_fail(
    action: Action, arguments: Result, said: str, check_mode: bool
) -> None:
    action._task.check_mode = check_mode
    result = run(action, **arguments)
    assert outcome(result) == ("argument_invalid", "preflight", False)
    assert said in result["msg"]
    assert action.called == []


@pytest.mark.parametrize(
    "order",
    [
        pytest.param({}, id="nothing"),
        pytest.param("web1", id="a text"),
        pytest.param(None, id="null"),
        pytest.param({"host": "web1", "expires": "soon"}, id="words for a time"),
    ],
)
def test_arguments_that_are_wrong_do_not_say_what_becomes_of_an_order(
    action: Action, order: t.Any
) -> None:
    result = run(action, wait_for=order, reboot_timeout="soon")
    assert outcome(result) == ("argument_invalid", "preflight", None)
    assert action.called == []


def test_argument_out_of_its_range_is_refused(action: Action) -> None:
    result = run(action, reboot_timeout=0)
    assert outcome(result) == ("argument_invalid", "preflight", False)
    assert (result["failed"], result["changed"]) == (True, False)
    assert action.called == []


def test_controller_is_not_rebooted_by_its_own_connection(
    action: Action, connection: FakeConnection
) -> None:
    connection.transport = "local"
    assert outcome(run(action)) == ("local_connection", "preflight", False)
    assert action.called == []


@pytest.mark.parametrize(
    ("prepared", "arguments", "code"),
    [
        pytest.param(refused("not_root"), {}, "not_root", id="not root"),
        pytest.param(
            refused("target_is_controller"), {}, "target_is_controller", id="the controller"
        ),
        pytest.param(refused("lockdown"), {"fallback": "fail"}, "lockdown", id="no fallback"),
        pytest.param(
            refused("lockdown", kernel=LTS),
            {"flavour": "lts"},
            "firmware_boots_other_kernel",
            id="other kernel",
        ),
        pytest.param({"failed": True, "msg": "MODULE FAILURE"}, {}, "module_failed", id="crash"),
        pytest.param({"failed": True, "rc": 127}, {}, "module_failed", id="no interpreter"),
    ],
)
def test_refusal_changes_nothing(
    action: Action, host: FakeHost, prepared: Result, arguments: Result, code: str
) -> None:
    action.prepared = prepared
    result = run(action, **arguments)
    assert outcome(result) == (code, "preflight", False)
    assert (result["failed"], result["changed"]) == (True, False)
    assert host.log == ["remove"]


@pytest.mark.parametrize(
    "prepared",
    [
        pytest.param({"failed": True, "msg": HOSTILE}, id="crash"),
        pytest.param({"failed": True, "module_stderr": HOSTILE}, id="no interpreter"),
        pytest.param(
            refused(reasons=[_reasons.reason("not_root", HOSTILE, HOSTILE).as_dict()]), id="refusal"
        ),
    ],
)
def test_refusal_holds_nothing_that_a_terminal_carries_out(
    action: Action, prepared: Result
) -> None:
    action.prepared = prepared
    result = run(action)
    assert result["failed"] is True
    assert HARMLESS in result["msg"]
    assert HARMLESS in result["reason"]["message"]
    assert not re.search("[\x07\x1b]", "".join(texts(result)))


@pytest.mark.parametrize("stage", ["trigger", "test_command"])
def test_output_of_a_host_holds_nothing_that_a_terminal_carries_out(
    action: Action, host: FakeHost, stage: str
) -> None:
    host.accepts, host.test_rc, host.stderr = stage != "trigger", 3, HOSTILE
    result = run(action)
    assert (result["stage"], result["stderr"]) == (stage, HARMLESS)
    assert not re.search("[\x07\x1b]", "".join(texts(result)))


def test_host_that_is_lost_before_the_order_is_unreachable(action: Action, host: FakeHost) -> None:
    # Ansible makes that of this error; nothing has happened yet.
    action.prepared = AnsibleConnectionFailure("No route to host")
    with pytest.raises(AnsibleConnectionFailure):
        run(action)
    assert host.log == []


# --- After the order -----------------------------------------------------------------------

LOST = {
    "never back": ("No route to host", "did_not_return"),
    "new host key": ("Host key verification failed.", "host_key_changed"),
    "login refused": ("Permission denied (publickey).", "authentication_refused"),
}


@pytest.mark.parametrize(("error", "code"), LOST.values(), ids=LOST)
def test_host_that_is_lost_after_the_order_has_failed(
    action: Action, host: FakeHost, error: str, code: str
) -> None:
    host.comes_up, host.error = "nothing", error
    result = run(action)
    end(action)
    assert outcome(result) == (code, "down", None)
    assert (result["failed"], result["changed"]) == (True, True)
    assert error in result["last_error"]
    assert "unreachable" not in result
    assert host.log.count("remove") == 1


def test_files_that_could_not_be_removed_do_not_make_a_lost_host_unreachable(
    action: Action, host: FakeHost
) -> None:
    # Ansible would try again afterwards, and the host is gone.
    host.comes_up, host.removal_rc = "nothing", 1
    result = run(action)
    end(action)
    assert outcome(result) == ("did_not_return", "down", None)
    assert host.log.count("remove") == 1


def test_order_that_the_host_refuses_has_failed(action: Action, host: FakeHost) -> None:
    host.accepts = False
    result = run(action)
    assert outcome(result) == ("trigger_failed", "trigger", False)
    assert result["rc"] == 127
    # The image is loaded all the same.
    assert result["changed"] is True


def test_kernel_that_was_not_expected_has_failed(action: Action) -> None:
    action.prepared = survey(release="6.19.0-0-virt")
    result = run(action)
    assert outcome(result) == ("wrong_kernel", "verify", True)
    assert (result["method"], result["boot_id"]["after"]) == ("kexec", NEW_BOOT)
    assert result["release"] == {"before": OLD_RELEASE, "after": RELEASE}


def test_command_that_does_not_succeed_has_failed(action: Action, host: FakeHost) -> None:
    host.test_rc = 3
    result = run(action, test_command="rc-service nginx status")
    assert outcome(result) == ("test_command_failed", "test_command", True)
    assert (result["rc"], result["method"]) == (3, "kexec")
    assert (result["boot_id"]["after"], result["release"]["after"]) == (NEW_BOOT, RELEASE)
    assert "rc-service nginx status" in host.log[-1]


@pytest.mark.parametrize("comes_up", ["kexec", "nothing"], ids=["back", "lost"])
def test_connection_is_given_back_as_it_was(
    action: Action, connection: FakeConnection, host: FakeHost, comes_up: str
) -> None:
    host.comes_up = comes_up
    run(action, connect_timeout=1)
    assert connection.options == {"timeout": 10}
