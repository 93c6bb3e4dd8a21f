# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run of ansible-playbook: what it did is recorded, and it ends in time with all it started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest

from tests.plays import (
    DeprecatedError,
    PlayRun,
    TaskResult,
    codes_of,
    kill_playbook,
    run_playbook,
)

LOCAL = "localhost ansible_connection=local\n"


class Play(t.Protocol):
    """Runs tasks on localhost."""

    def __call__(self, *tasks: dict[str, t.Any], **options: t.Any) -> PlayRun: ...


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Return a way to run tasks on localhost as a playbook of their own."""
    inventory = tmp_path / "inventory"
    inventory.write_text(f"{LOCAL[:-1]} ansible_python_interpreter={sys.executable}\n")
    playbook = tmp_path / "playbook.yml"

    def run(*tasks: dict[str, t.Any], **options: t.Any) -> PlayRun:
        plays = [{"hosts": "all", "gather_facts": False, "tasks": list(tasks)}]
        playbook.write_text(json.dumps(plays))
        return run_playbook(playbook, inventory, **options)

    return run


def test_results_are_recorded_in_their_order(play: Play) -> None:
    run = play(
        {"name": "First", "ansible.builtin.debug": {"msg": "{{ word }}"}},
        {"name": "Second", "ansible.builtin.set_fact": {"number": 1}},
        variables={"word": "Grüße"},
    )
    assert run.rc == 0, run.output
    assert [(task.host, task.task, task.status) for task in run.tasks] == [
        ("localhost", "First", "ok"),
        ("localhost", "Second", "ok"),
    ]
    assert run.task("First").result["msg"] == "Grüße"
    assert run.task("Second").result["ansible_facts"] == {"number": 1}
    assert "Grüße" in run.output


def test_fact_is_the_one_that_was_set_last(play: Play) -> None:
    set_twice = [
        {"name": str(n), "ansible.builtin.set_fact": {"number": {"is": n}}} for n in (1, 2)
    ]
    run = play(*set_twice)
    assert run.fact("number", "localhost") == run.fact("number") == {"is": 2}
    with pytest.raises(LookupError, match="no task set 'number'"):
        run.fact("number", "another")


def test_reboot_of_a_host_is_what_the_role_said_last() -> None:
    told = {"done": False, "rungs": []}
    run = PlayRun(
        0,
        "",
        (
            TaskResult("web1", "Wait", "ok", told),
            TaskResult("web2", "Wait", "ok", told),
            TaskResult("web1", "Fail where it failed", "failed", {**told, "rungs": ["kexec"]}),
            TaskResult("web1", "Another task", "ok", {"done": True}),
        ),
    )
    assert run.reboot_of("web1") == {"done": False, "rungs": ["kexec"], "failed": True}
    assert run.reboot_of("web2") == {**told, "failed": False}
    with pytest.raises(LookupError, match="the role said nothing of 'web3'"):
        run.reboot_of("web3")


def test_codes_of_a_result() -> None:
    assert codes_of({"reasons": [{"code": "a"}, {"code": "b"}]}) == ["a", "b"]


def test_failed_and_ok_are_told_apart(play: Play) -> None:
    run = play(
        {"name": "Forgiven", "ansible.builtin.fail": {"msg": "not yet"}, "ignore_errors": True},
        {"name": "Fine", "ansible.builtin.debug": {"msg": "on we go"}},
        {"name": "Last", "ansible.builtin.fail": {"msg": "that was it"}},
        {"name": "Never", "ansible.builtin.debug": {"msg": "not reached"}},
    )
    assert run.rc == 2
    assert [(task.task, task.status) for task in run.tasks] == [
        ("Forgiven", "failed"),
        ("Fine", "ok"),
        ("Last", "failed"),
    ]
    assert run.task("Last").result["msg"] == "that was it"
    assert "that was it" in run.output


def test_options_reach_ansible_playbook(tmp_path: Path) -> None:
    (tmp_path / "inventory").write_text(LOCAL)
    (tmp_path / "playbook.yml").write_text("- hosts: all\n")
    run = run_playbook(tmp_path / "playbook.yml", tmp_path / "inventory", "--list-hosts")
    assert (run.rc, run.tasks) == (0, ())
    assert "hosts (1)" in run.output


def test_playbook_that_cannot_be_read_is_a_run_that_says_so(tmp_path: Path) -> None:
    run = run_playbook(tmp_path / "none.yml", "localhost,")
    assert run.rc != 0
    assert "none.yml" in run.output
    assert run.tasks == ()


# --- The end of a run that takes too long --------------------------------------------------


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; a dead one that nobody has asked about does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_is_alive_tells_the_dead() -> None:
    assert is_alive(os.getpid())
    with subprocess.Popen(["sleep", "60"]) as process:
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not is_alive(process.pid)
    assert not is_alive(process.pid)


def wait_for(condition: t.Callable[[], bool], seconds: float = 30.0) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


# A lookup runs on the controller: as a task in a worker, for the hosts of a play in the play itself.
IN_A_WORKER = {
    "hosts": "all",
    "tasks": [{"ansible.builtin.debug": {"msg": "{{ lookup('pipe', wait) }}"}}],
}
WAITS = [
    pytest.param(IN_A_WORKER, id="in a worker"),
    pytest.param({"hosts": "{{ lookup('pipe', wait) }}"}, id="in the play"),
]


@pytest.fixture
def child(tmp_path: Path) -> t.Iterator[Path]:
    """A file for the number of a process that must not outlive the test."""
    note = tmp_path / "child"
    yield note
    if note.exists() and is_alive(int(note.read_text())):
        os.kill(int(note.read_text()), signal.SIGKILL)


@pytest.mark.parametrize("waiting", WAITS)
def test_play_that_takes_too_long_is_ended_with_its_children(
    tmp_path: Path, child: Path, waiting: dict[str, t.Any]
) -> None:
    (tmp_path / "inventory").write_text(LOCAL)
    (tmp_path / "playbook.yml").write_text(json.dumps([{"gather_facts": False, **waiting}]))
    variables = {"wait": f"echo $$ >{child}; exec sleep 60"}
    # The longer time is for a machine on which Ansible itself takes so long to start.
    for seconds in (1.5, 30.0):
        with pytest.raises(subprocess.TimeoutExpired):
            run_playbook(
                tmp_path / "playbook.yml",
                tmp_path / "inventory",
                variables=variables,
                timeout=seconds,
            )
        if child.exists():
            break
    pid = int(child.read_text())
    assert wait_for(lambda: not is_alive(pid))


@pytest.mark.parametrize("waiting", WAITS)
def test_play_that_is_killed_takes_its_children_along(
    tmp_path: Path, child: Path, waiting: dict[str, t.Any]
) -> None:
    (tmp_path / "inventory").write_text(LOCAL)
    (tmp_path / "playbook.yml").write_text(json.dumps([{"gather_facts": False, **waiting}]))
    kill_playbook(
        tmp_path / "playbook.yml",
        tmp_path / "inventory",
        moment=lambda: wait_for(lambda: child.exists() and bool(child.read_text())),
        variables={"wait": f"echo $$ >{child}; exec sleep 60"},
    )
    pid = int(child.read_text())
    assert wait_for(lambda: not is_alive(pid))


def test_play_whose_moment_does_not_come_is_shown(
    tmp_path: Path, child: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "inventory").write_text(LOCAL)
    (tmp_path / "playbook.yml").write_text(json.dumps([{"gather_facts": False, **IN_A_WORKER}]))

    def never() -> t.NoReturn:
        wait_for(child.exists)
        raise LookupError("it never came")

    with pytest.raises(LookupError, match="it never came"):
        kill_playbook(
            tmp_path / "playbook.yml",
            tmp_path / "inventory",
            moment=never,
            variables={"wait": f"echo $$ >{child}; exec sleep 60"},
        )
    assert "TASK [" in capsys.readouterr().out


# --- One task of a run ---------------------------------------------------------------------


def task(name: str, message: str = "") -> TaskResult:
    return TaskResult("web1", name, "ok", {"msg": message})


RUN = PlayRun(0, "PLAY RECAP", (task("Once", "found"), task("Twice"), task("Twice")))


def test_task_is_found_by_its_name() -> None:
    assert RUN.task("Once").result == {"msg": "found"}


@pytest.mark.parametrize(("name", "number"), [("Never", 0), ("Twice", 2)])
def test_task_that_is_not_there_once_shows_what_was_printed(name: str, number: int) -> None:
    with pytest.raises(LookupError, match=f"^{number} results of '{name}' in:\nPLAY RECAP$"):
        RUN.task(name)


def test_what_is_deprecated_is_an_error_unless_it_is_asked_for(
    play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The user's own settings do not hide it.
    monkeypatch.setenv("ANSIBLE_DEPRECATION_WARNINGS", "0")
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "outdated.py").write_text(
        "from ansible.plugins.action import ActionBase\n"
        "from ansible.utils.display import Display\n"
        "class ActionModule(ActionBase):\n"
        "    def run(self, tmp=None, task_vars=None):\n"
        "        Display().deprecated('It will be gone.', version='2.99')\n"
        "        return {'changed': False}\n"
    )
    monkeypatch.setenv("ANSIBLE_ACTION_PLUGINS", str(plugins))
    task = {"name": "Use it", "outdated": {}}
    with pytest.raises(DeprecatedError, match="It will be gone"):
        play(task)
    with pytest.raises(DeprecatedError):
        play(task, deprecated=["Something else"])
    assert play(task, deprecated=["will be gone"]).rc == 0
