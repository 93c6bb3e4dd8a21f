# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role fast_reboot in all its endings, on hosts whose reboot is a script.

Everything but the reboot itself is real: hooks, checks, power cycle, rescue and brake. The hosts are
names for the controller, and one play goes through all of them, because a play takes seconds.
"""

from __future__ import annotations

import json
import re
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.tests.unit.reboots import (
    BOOT_ID,
    GONE,
    failure,
    reason,
    result,
)
from ansible_collections.alpinefleet.kexec.tests.unit.roles.scripted_reboot import (
    ORDER,
    SCRIPT,
    run_scripted,
    task,
)

from tests.plays import EXHAUSTIVE, PlayRun, codes_of

# One worker for all of them, and one play.
pytestmark = pytest.mark.xdist_group("fast_reboot")


# Says on the second call that nginx does not run, on the host "sick".
RC_STATUS = """#!/bin/sh
printf '[default]\\nsshd =  started \\nntpd =  crashed \\n'
[ -e "$SEEN" ] && [ "$CASE" = sick ] || echo 'nginx =  started '
: >"$SEEN"
"""
# By its Python a host is known there: an environment of the play is templated for each task.
PYTHON = """#!/bin/sh
export CASE={name} SEEN={folder}/seen-by-{name}
exec {python} "$@"
"""


# "a" and "c" change something, "c" in a file that its own file includes; "b" finds that all is as
# it should be and is none of the role's business afterwards.
CHANGED = {"changed_when": True}
FILES = {
    "a-drain.yml": [task("Drain a", "debug", **CHANGED)],
    "b-drain.yml": [task("Drain b", "debug")],
    "c-drain.yml": [task("Go on", "include_tasks", arguments="c-more.yml")],
    "c-more.yml": [
        task("Drain c", "debug", changed_when=True, failed_when="'drain' in fails"),
        task("Finish c", "debug", failed_when="'late' in fails"),
    ],
    **{
        f"{name}-undrain.yml": [task(f"Undrain {name}", "debug", failed_when=f"'{name}' in fails")]
        for name in "abc"
    },
    "check.yml": [task("Ask the balancer", "fail", arguments={"msg": "it says 503"})],
    "secret.yml": [task("Ask in secret", "fail", arguments={"msg": "password"}, no_log=True)],
    "reset.yml": [task("Reset", "debug", **CHANGED)],
}

HOOKS = [
    {"name": name, "drain": f"{name}-drain.yml", "undrain": f"{name}-undrain.yml"} for name in "abc"
]


ANOTHER_BOOT = f"another boot than {BOOT_ID}"
SECRET = "s3cret"
RESET: dict[str, t.Any] = {"fast_reboot_power_cycle_command": ["true"]}


def host(script: dict[str, t.Any] | None = None, **variables: t.Any) -> dict[str, t.Any]:
    return {"script": {**SCRIPT, **(script or {})}, **variables}


def with_hooks(script: dict[str, t.Any] | None = None, **variables: t.Any) -> dict[str, t.Any]:
    return host(script, fast_reboot_hooks=HOOKS, **variables)


CASES: dict[str, dict[str, t.Any]] = {
    "well": with_hooks(
        fast_reboot_health_services=True,
        fast_reboot_health_commands=["true", ["test", "-d", "/"]],
        fast_reboot_stable_seconds=1,
    ),
    "refused": host({"predict": failure("kexec_locked", "preflight", False)}),
    "refused-late": host({"order": failure("load_failed", "load", False)}),
    "never-began": with_hooks({"wait": failure("trigger_lost", "trigger", False)}),
    "leaving": host({"order": failure("already_leaving", "preflight", None)}),
    # The old system answered before the reset came.
    "reset-too-soon": with_hooks(
        {"wait": GONE, "again": failure("trigger_lost", "trigger", False)}, **RESET
    ),
    "reset-and-sick": with_hooks(
        {"wait": GONE, "again": failure("test_command_failed", "test_command", True)}, **RESET
    ),
    "replaced": with_hooks({"wait": failure("image_replaced", "trigger", None)}),
    "lost": with_hooks({"wait": GONE}),
    "reset": host({"wait": GONE}, **RESET),
    "reset-by-tasks": host(
        {"wait": failure("did_not_go_down", "shutdown", None)},
        fast_reboot_power_cycle_tasks="reset.yml",
    ),
    "reset-fails": host(
        {"wait": GONE}, fast_reboot_power_cycle_command=["sh", "-c", "exit 7", SECRET]
    ),
    "reset-says-why": host(
        {"wait": GONE},
        fast_reboot_power_cycle_command=["sh", "-c", "echo no route to the controller >&2; exit 7"],
        fast_reboot_power_cycle_no_log="no",
    ),
    "reset-in-vain": host({"wait": GONE, "again": GONE}, **RESET),
    "other-key": host({"wait": failure("host_key_changed", "down", None)}, **RESET),
    "crash": host({"wait": {"failed": True, "msg": "a defect"}}, **RESET),
    "sick": host(
        {"looks": [["service nginx"], ["service nginx", "port 1"]]},
        fast_reboot_health_tasks=["check.yml"],
    ),
    "sick-outside": host(fast_reboot_health_tasks=["check.yml", "secret.yml"]),
    "again": host({"looks": [[ANOTHER_BOOT]] * 2}),
    "drain-fails": with_hooks(fails=["drain"]),
    "drain-fails-late": with_hooks(fails=["late"]),
    "undrain-fails": with_hooks(fails=["c"]),
    "firmware": host(
        {
            "order": result(
                rebooted=None,
                method="firmware",
                order={**ORDER, "method": "firmware"},
                reasons=[reason("panic_hangs", "nothing"), reason("kexec_locked", "kexec")],
            ),
            "wait": result(method="firmware"),
        }
    ),
    "fell-back": host({"wait": SCRIPT["again"]}),
    "wrong": host(
        fast_reboot_hooks=[{**HOOKS[0], "drain": "no-such.yml"}, HOOKS[0]],
        fast_reboot_power_cycle_tasks="reset.yml",
        **RESET,
    ),
}
# Half of them take as long as all other unit tests.
QUICK = {
    "well",
    "refused",
    "never-began",
    "lost",
    "reset",
    "reset-fails",
    "reset-says-why",
    "sick",
    "drain-fails",
    "undrain-fails",
}
NAMES = CASES.keys() if EXHAUSTIVE else QUICK
WELL = NAMES & {"well", "reset", "reset-by-tasks", "firmware", "fell-back"}

# With a rescue as an operator may write it, so that the play goes on with every host.
PLAYS = [
    {
        "hosts": "all",
        "gather_facts": False,
        "tasks": [
            {
                "block": [
                    task(
                        "Reboot",
                        "include_role",
                        arguments={"name": "alpinefleet.kexec.fast_reboot"},
                    )
                ],
                "rescue": [task("Go on", "debug", arguments={"var": "fast_reboot_result"})],
            }
        ],
    },
    {
        "hosts": "all",
        "gather_facts": False,
        "serial": 1,
        "tasks": [
            task(
                "Brake",
                "include_role",
                arguments={"name": "alpinefleet.kexec.fast_reboot", "tasks_from": "brake"},
                vars={"fast_reboot_error_budget": 2},
            ),
            task("Not reached", "debug"),
        ],
    },
]


COMMON = {
    "fails": [],
    "fast_reboot_health_services": False,
    "fast_reboot_fallback": "fail",
    # Its turn is over when it was waited for once.
    "fast_reboot_timeout": 0.01,
    # The others need one only to see what becomes of it.
    "fast_reboot_hooks": HOOKS[:1],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the play, its task files, and a rc-status of its own."""
    folder = tmp_path_factory.mktemp("fast_reboot")
    for name, tasks in {**FILES, "playbook.yml": PLAYS}.items():
        (folder / name).write_text(json.dumps(tasks))
    (folder / "bin").mkdir()
    write_program(folder / "bin/rc-status", RC_STATUS)
    return folder


def write_program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def with_a_python(folder: Path, name: str, case: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return a host that is known to the programs which its modules run."""
    python = folder / f"python-of-{name}"
    write_program(python, PYTHON.format(name=name, folder=folder, python=sys.executable))
    return {**case, "ansible_python_interpreter": str(python)}


def play(folder: Path, cases: dict[str, dict[str, t.Any]], *options: str) -> PlayRun:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(folder / "bin"), prepend=":")
        return run_scripted(folder, cases, COMMON, *options)


@pytest.fixture(scope="module")
def run(folder: Path) -> PlayRun:
    """The cases, in one play."""
    chosen = {name: case for name, case in CASES.items() if name in NAMES}
    return play(folder, {name: with_a_python(folder, name, case) for name, case in chosen.items()})


def told(run: PlayRun, name: str) -> dict[str, t.Any]:
    if name not in NAMES:
        pytest.skip("only in ./test full")
    return run.reboot_of(name)


def changing(name: str) -> list[str]:
    """Return the hooks of a host that drain it."""
    hooks = CASES[name].get("fast_reboot_hooks", HOOKS[:1])
    return [hook["name"] for hook in hooks if hook["name"] != "b"]


def done(run: PlayRun, name: str, word: str) -> list[str]:
    """Return the hooks whose tasks of a kind were run on a host, in their order."""
    # Ansible puts the name of the role before that of a task in an included file, too.
    pattern = re.compile(rf"(?:.* : )?{word} ([abc])")
    found = [pattern.fullmatch(each.task) for each in run.tasks if each.host == name]
    return [match[1] for match in found if match is not None]


def test_every_host_has_a_result_and_only_good_ones_succeed(run: PlayRun) -> None:
    assert {name for name in NAMES if not told(run, name)["failed"]} == WELL, run.output
    assert {name for name in NAMES if told(run, name)["reason"] is None} == WELL


def test_result_of_a_good_reboot(run: PlayRun) -> None:
    found = told(run, "well")
    assert (found["rebooted"], found["method"], found["stage"]) == (True, "kexec", None)
    assert (found["boot_id"]["after"], found["release"]) == (BOOT_ID, result()["release"])
    assert (found["downtime"], found["unhealthy"]) == (5.5, [])
    assert codes_of(found) == ["panic_hangs"]
    assert "order" not in found


@pytest.mark.parametrize("name", sorted(WELL))
def test_hooks_that_changed_something_are_undone_in_reverse_order(run: PlayRun, name: str) -> None:
    assert told(run, name)["drained"] == []
    assert done(run, name, "Undrain") == changing(name)[::-1]


def test_all_hooks_are_asked_in_their_order(run: PlayRun) -> None:
    assert done(run, "well", "Drain") == ["a", "b", "c"]
    assert changing("well") == ["a", "c"]


@pytest.mark.parametrize("name", ["refused", "wrong"])
def test_what_is_refused_beforehand_is_not_drained(run: PlayRun, name: str) -> None:
    assert (told(run, name)["stage"], told(run, name)["rebooted"]) == ("preflight", False)
    assert done(run, name, "Drain") == []


@pytest.mark.parametrize(
    ("name", "stage"),
    [("refused-late", "load"), ("never-began", "trigger"), ("drain-fails-late", "drain")],
)
def test_host_that_was_not_touched_is_undrained(run: PlayRun, name: str, stage: str) -> None:
    found = told(run, name)
    assert done(run, name, "Undrain") == changing(name)[::-1]
    assert (found["stage"], found["rebooted"], found["drained"]) == (stage, False, [])


def test_hook_that_fails_in_the_task_that_changed_something_is_undone(run: PlayRun) -> None:
    assert done(run, "drain-fails", "Undrain") == ["c", "a"]
    assert "Drain c" in told(run, "drain-fails")["reason"]["message"]


@pytest.mark.parametrize(
    ("name", "code", "stage", "rebooted"),
    [
        ("leaving", "already_leaving", "preflight", None),
        ("replaced", "image_replaced", "trigger", None),
        ("reset-too-soon", "trigger_lost", "down", None),
        ("reset-and-sick", "test_command_failed", "test_command", True),
        ("lost", "did_not_return", "down", None),
        ("reset-fails", "did_not_return", "down", None),
        ("reset-says-why", "did_not_return", "down", None),
        ("reset-in-vain", "did_not_return", "down", None),
        ("other-key", "host_key_changed", "down", None),
        ("crash", "task_failed", "down", None),
        ("sick", "unhealthy", "health", True),
        ("sick-outside", "unhealthy", "health", True),
        ("again", "unhealthy", "health", True),
    ],
)
def test_host_that_is_not_well_stays_drained(
    run: PlayRun, name: str, code: str, stage: str, rebooted: bool | None
) -> None:
    found = told(run, name)
    assert (found["reason"]["code"], found["stage"]) == (code, stage)
    assert found["rebooted"] is rebooted
    assert found["drained"] == changing(name)
    assert done(run, name, "Undrain") == []
    (failed,) = [
        each
        for each in run.tasks
        if each.host == name and each.task.endswith("Fail where it failed")
    ]
    assert f"The host is still drained: {', '.join(changing(name))}." in failed.result["msg"]


def test_undrain_that_fails_leaves_the_rest_drained(run: PlayRun) -> None:
    found = told(run, "undrain-fails")
    assert (found["reason"]["code"], found["rebooted"]) == ("undrain_failed", True)
    assert "Undrain c" in found["reason"]["message"]
    assert found["drained"] == ["a", "c"]


def test_all_that_is_not_well_is_told(run: PlayRun) -> None:
    assert told(run, "sick")["unhealthy"] == [
        "service nginx",
        "port 1",
    ]


def test_task_files_and_another_boot_are_told_too(run: PlayRun) -> None:
    outside = told(run, "sick-outside")["unhealthy"]
    assert outside[0].endswith("/check.yml: Ask the balancer: it says 503")
    assert outside[1].endswith("/secret.yml: Ask in secret: its result is hidden")
    assert told(run, "again")["unhealthy"] == [ANOTHER_BOOT]


@pytest.mark.parametrize(
    ("name", "rungs"),
    [
        ("well", [("kexec", None)]),
        ("refused", [("kexec", "kexec_locked")]),
        ("firmware", [("kexec", "kexec_locked"), ("firmware", None)]),
        ("fell-back", [("kexec", "kexec_not_proven"), ("firmware", None)]),
        ("lost", [("kexec", "did_not_return")]),
        ("other-key", [("kexec", "host_key_changed")]),
        ("reset", [("kexec", "did_not_return"), ("power_cycle", None)]),
        ("reset-by-tasks", [("kexec", "did_not_go_down"), ("power_cycle", None)]),
        ("reset-fails", [("kexec", "did_not_return"), ("power_cycle", "power_cycle_failed")]),
        ("reset-in-vain", [("kexec", "did_not_return"), ("power_cycle", "did_not_return")]),
    ],
)
def test_rungs_of_the_ladder(run: PlayRun, name: str, rungs: list[tuple[str, str | None]]) -> None:
    assert [(each["method"], each["reason"]) for each in told(run, name)["rungs"]] == rungs


def test_command_of_the_power_cycle_is_told_by_its_exit_status_only(run: PlayRun) -> None:
    assert "; it ended with exit status 7" in told(run, "reset-fails")["reason"]["message"]
    assert SECRET not in run.output
    assert SECRET not in json.dumps([task.result for task in run.tasks])


def test_command_of_the_power_cycle_says_why_it_failed_where_it_has_no_secret(run: PlayRun) -> None:
    message = told(run, "reset-says-why")["reason"]["message"]
    assert "; it ended with exit status 7: no route to the controller" in message


@pytest.mark.parametrize("name", ["reset", "reset-by-tasks"])
def test_host_that_was_power_cycled_is_back_and_says_so(run: PlayRun, name: str) -> None:
    found = told(run, name)
    assert (found["rebooted"], found["method"]) == (True, "firmware")
    assert codes_of(found) == ["power_cycled", "kexec_not_proven", "panic_hangs"]


def test_all_that_is_wrong_with_the_variables_is_told_at_once(run: PlayRun) -> None:
    found = told(run, "wrong")["reason"]
    assert found["code"] == "argument_invalid"
    for text in ("no-such.yml.", "the same name", "only one can be set"):
        assert text in found["message"]


def test_brake_counts_what_a_rescue_hid_and_names_the_hosts(run: PlayRun) -> None:
    (brake,) = [
        each for each in run.tasks if each.task.endswith("Stop when too many hosts are not well")
    ]
    lost = sorted(NAMES - WELL)
    assert brake.status == "failed"
    assert f"{len(lost)} of {len(NAMES)} hosts" in brake.result["msg"]
    assert [name for name in lost if name not in brake.result["msg"]] == []
    assert run.rc != 0
    assert not any(each.task == "Not reached" for each in run.tasks)


def test_check_mode_predicts_and_undrains_what_it_would_have_drained(tmp_path: Path) -> None:
    for name, tasks in {**FILES, "playbook.yml": PLAYS}.items():
        (tmp_path / name).write_text(json.dumps(tasks))
    run = play(tmp_path, {"well": CASES["well"]}, "--check")
    found = told(run, "well")
    assert run.rc == 0, run.output
    assert (found["failed"], found["rebooted"], found["method"]) == (False, False, "kexec")
    assert (found["drained"], found["stage"]) == ([], None)
    assert done(run, "well", "Undrain") == ["c", "a"]
    assert not any(each.task.endswith("Reboot the host") for each in run.tasks)
