# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host says as facts changes no variable of the roles, and nothing on the controller.

Facts outrank the inventory and the defaults of roles. A host says them in answer to any module:
before a role begins, or while it is at work.
"""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._variables import roles
from ansible_collections.alpinefleet.kexec.tests.unit.reboots import GONE
from ansible_collections.alpinefleet.kexec.tests.unit.roles.scripted_reboot import (
    SCRIPT,
    python_that_answers,
    run_scripted,
    task,
)

from tests.plays import PlayRun
from tests.plays.run import ROOT

# One worker for all of them, and one run.
pytestmark = pytest.mark.xdist_group("facts")

ROLES = ("fast_reboot", "kernel_upgrade", "kexec_host", "rolling_upgrade")


def options(role: str) -> dict[str, dict[str, t.Any]]:
    specs = yaml.safe_load((ROOT / f"roles/{role}/meta/argument_specs.yml").read_text())
    found = specs["argument_specs"]["main"]["options"]
    # What has no default another role says, and no inventory.
    return {name: option for name, option in found.items() if "default" in option}


def other(option: dict[str, t.Any]) -> t.Any:
    """Return a value that is not the default and that Ansible finds nothing wrong with."""
    values = {"bool": not option["default"], "int": 1, "float": 1}
    if "choices" in option:
        return next(word for word in reversed(option["choices"]) if word != option["default"])
    if "options" in option and option["type"] == "dict":
        return dict.fromkeys(option["options"], "said")
    if option["type"] == "list":
        return [other({**option, "type": option["elements"]})]
    return values.get(option["type"], "said")


OPTIONS = {role: options(role) for role in ROLES}
DEFAULTS = {
    role: {name: option["default"] for name, option in OPTIONS[role].items()} for role in ROLES
}
VARIABLES = [(role, name) for role in ROLES for name in OPTIONS[role]]
SAID = {name: other(OPTIONS[role][name]) for role, name in VARIABLES}
# What the roles read besides: their own names before they are set, what they leave for the play,
# names of Ansible itself, and functions of Jinja.
SAID_TOO = {
    "fast_reboot_result": {"failed": False},
    "kexec_host_result": {"done": True},
    "__fast_reboot_begun": {"run": {}},
    "__fast_reboot_no_log": False,
    "fast_reboot_changed": True,
    "fast_reboot_changes": {"power_cycle_delegate": "said"},
    "fast_reboot_frozen": {"run": {}},
    "fast_reboot_noted": {"run": {}},
    "__kexec_host_given": {"state": "absent"},
    "__kexec_host_noted": {"wanted": {"state": "absent"}},
    "__kexec_host_wanted": {},
    "__kexec_host_so_far": {"failure": "said"},
    "kernel_upgrade_result": {"done": True},
    "__kernel_upgrade_given": {"slots": "absent"},
    "__kernel_upgrade_noted": {"wanted": {"slots": "absent"}},
    "__kernel_upgrade_wanted": {},
    "__kernel_upgrade_so_far": {"failure": "said"},
    "__kernel_upgrade_found": {"state": "on_trial", "run": "said"},
    "__kernel_upgrade_earlier": {"way": "finish", "back": "", "cause": ""},
    "__rolling_upgrade_noted": {"wanted": {"reboot": "never"}},
    "__rolling_upgrade_wanted": {},
    "__rolling_upgrade_so_far": {"failure": "said"},
    "ansible_check_mode": True,
    # As if a step of the role had told it, with a file that the host would have run.
    "ansible_failed_result": {"done": False, "run": {"id": "0" * 32, "next": "undrain"}},
    "ansible_failed_task": {"name": "said", "listen": []},
    "ansible_limit": "said",
    "__fast_reboot_asked": {"unreachable": True},
    "ansible_play_batch": [],
    "ansible_play_hosts": [],
    "ansible_play_hosts_all": [],
    "hostvars": {},
    "item": "said",
    "playbook_dir": "/said",
    "role_path": "/said",
}
# By these a task file of the user tells which host it is about.
PRETENDED = {
    "inventory_hostname": "said",
    "inventory_hostname_short": "said",
    "inventory_dir": "/said",
    "inventory_file": "/said",
    "group_names": ["said"],
}
FUNCTIONS = dict.fromkeys(["now", "lookup", "query", "omit", "dict", "range", "undef"], "said")

# The operator's word, where it is not the default. What a program of a host printed is no template.
PRINTED = "{{ 7 * 7 }}"
HOOK = {"name": "{{ text.stdout }}", "drain": "drain.yml", "undrain": "undrain.yml"}
OPERATOR = {
    # A turn of the wait is the last one.
    "fast_reboot_timeout": 0.01,
    "fast_reboot_shutdown_timeout": 2.5,
    "fast_reboot_cmdline_append": ["a=1", "b"],
    "fast_reboot_health_services": "yes",
    "fast_reboot_test_command": "echo {{ text.stdout }}",
    "fast_reboot_hooks": [HOOK],
    "kernel_upgrade_cold_proof": "always",
    "kernel_upgrade_deadline": 900,
    "kexec_host_kernel": "/boot/{{ text.stdout }}",
    "rolling_upgrade_reboot": "always",
}
NOTED = {
    **{name: value for values in DEFAULTS.values() for name, value in values.items()},
    **OPERATOR,
    "fast_reboot_health_services": True,
    "fast_reboot_test_command": f"echo {PRINTED}",
    "fast_reboot_hooks": [{**HOOK, "name": PRINTED}],
    "kexec_host_kernel": f"/boot/{PRINTED}",
}

# Nothing stands against a reboot but a lock, and each file looks as the role leaves it.
LOCKED = {"code": "kexec_locked", "message": "Locked.", "remedy": "Reboot.", "blocks": "kexec"}
ANSWER = {
    "changed": False,
    "reasons": [LOCKED],
    "facts": {"reboot_needed": False, "kexec_load_disabled": True, "lock_settings": []},
    "stat": {"exists": True, "lnk_target": "busybox", "islnk": True, "isdir": False},
    # Of the command that sees what the service would load.
    "rc": 0,
}
BUDGETS = {"rolling_upgrade_error_budget": 99, "fast_reboot_error_budget": 99}


def role(name: str, **rest: t.Any) -> dict[str, t.Any]:
    return task("Run", "include_role", arguments={"name": f"alpinefleet.kexec.{name}"}, **rest)


NOTES = {
    **{role: f"__{role}_noted.wanted" for role in ROLES},
    "fast_reboot": "__fast_reboot_begun.run.plan",
}


def note(name: str) -> dict[str, t.Any]:
    return task(f"See {name}", "debug", arguments={"var": NOTES[name]})


def rescued(*tasks: dict[str, t.Any]) -> dict[str, t.Any]:
    return {"block": list(tasks), "rescue": [task("Rescue", "debug")]}


def play(hosts: str, *tasks: dict[str, t.Any]) -> dict[str, t.Any]:
    return {"hosts": hosts, "gather_facts": False, "tasks": list(tasks)}


BRAKE = task(
    "Brake",
    "include_role",
    arguments={"name": "alpinefleet.kexec.fast_reboot", "tasks_from": "brake"},
    vars={"fast_reboot_error_budget": "{{ rolling_upgrade_error_budget | default(0) }}"},
)
SAY = {"name": "Say", "alpinefleet.kexec.say": {"ansible_facts": "{{ before }}"}}
READ = task(
    "Read", "command", arguments={"argv": ["cat", "{{ playbook_dir }}/text"]}, register="text"
)
PLAYS = [
    play("inventor-*", SAY),
    play("inventor-of-a-number", rescued(BRAKE)),
    play("before-*", SAY, rescued(role("{{ runs }}"))),
    play("twice", READ, role("fast_reboot", vars={"fast_reboot_timeout": 11}), note("fast_reboot")),
    play("twice", role("fast_reboot"), note("fast_reboot")),
    play(
        "liar-*:names:functions:hidden:pretender*",
        {**READ, "delegate_to": "twice"},
        rescued(role("{{ runs }}")),
        *map(note, ROLES),
    ),
    play("all", BRAKE),
]
NAMES = "{{ inventory_hostname }} {{ inventory_hostname_short }}"
FILES = {
    # Whatever the tasks of a hook run on the host, it may say more than it is asked.
    "drain.yml": [
        task("Drain", "debug", changed_when=True),
        {"name": "Ask", "alpinefleet.kexec.say": {"ansible_facts": "{{ says }}"}},
    ],
    "undrain.yml": [task("Undrain", "debug", arguments={"msg": NAMES})],
    "reset.yml": [
        task("Reset", "file", arguments={"path": "{{ said }}/by-tasks", "state": "touch"})
    ],
    "playbook.yml": PLAYS,
}


def said_of(role: str) -> dict[str, t.Any]:
    return {name: SAID[name] for name in OPTIONS[role]}


def hosts(folder: Path) -> dict[str, dict[str, t.Any]]:
    """Return each host with the role that it gets and what it says."""
    reset = {
        "fast_reboot_power_cycle_command": ["touch", str(folder / "by-command")],
        "fast_reboot_power_cycle_delegate": "localhost",
        "fast_reboot_power_cycle_tasks": str(folder / "reset.yml"),
    }
    said = {**SAID, **reset}
    python = python_that_answers(folder / "python", **ANSWER, ansible_facts={**said, **SAID_TOO})
    by_module = {"ansible_python_interpreter": str(python)}
    lost = {"script": {**SCRIPT, "wait": GONE}}
    return {
        # The brake runs on the first of them.
        "twice": {},
        **{f"before-{name}": {"runs": name, "before": said_of(name)} for name in ROLES},
        "liar-fast_reboot": {"runs": "fast_reboot", "says": said, **lost},
        "liar-kernel_upgrade": {"runs": "kernel_upgrade", **lost, **by_module},
        "liar-kexec_host": {"runs": "kexec_host", **by_module},
        "liar-rolling_upgrade": {
            "runs": "rolling_upgrade",
            **lost,
            **by_module,
        },
        "names": {"runs": "fast_reboot", "says": SAID_TOO},
        "functions": {"runs": "fast_reboot", "says": FUNCTIONS},
        "hidden": {"runs": "fast_reboot", "says": SAID_TOO, **lost},
        "pretender": {"runs": "fast_reboot", "says": PRETENDED},
        "pretender-early": {
            "runs": "fast_reboot",
            "says": PRETENDED,
            "fast_reboot_hooks": [HOOK, {**HOOK, "name": "second"}],
        },
        "pretender-lost": {
            "runs": "fast_reboot",
            "says": PRETENDED,
            **lost,
            "fast_reboot_power_cycle_command": ["touch", str(folder / "by-command")],
        },
        "inventor-of-a-number": {"before": {"fast_reboot_result": 7, **BUDGETS}},
        "inventor-of-a-failure": {"before": {"fast_reboot_result": {"failed": True}}},
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("facts")
    for name, tasks in FILES.items():
        (folder / name).write_text(json.dumps(tasks))
    (folder / "text").write_text(PRINTED)
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> PlayRun:
    common = {"script": SCRIPT, "before": {}, "says": {}, "said": str(folder), **OPERATOR}
    # That facts become variables at all is deprecated; here it is what hosts try.
    deprecated = ["INJECT_FACTS_AS_VARS"]
    return run_scripted(folder, hosts(folder), common, deprecated=deprecated)


def of_host(run: PlayRun, host: str, task: str) -> list[dict[str, t.Any]]:
    """Return the results of a task, which has the name of its role before its own."""
    found = [each for each in run.tasks if each.host == host]
    return [each.result for each in found if each.task.rpartition(" : ")[2] == task]


def noted(run: PlayRun, host: str, role: str) -> list[dict[str, t.Any]]:
    found = [each[NOTES[role]] for each in of_host(run, host, f"See {role}")]
    return [by_name(each) if role == "fast_reboot" else each for each in found]


def by_name(planned: dict[str, t.Any]) -> dict[str, t.Any]:
    """What the role has frozen, by the names of its variables."""
    arguments, cycle = planned["arguments"], planned["power_cycle"]
    return {
        **{name: arguments[option] for name, option in roles.OPTIONS.items()},
        **{name: arguments["health"][option] for name, option in roles.HEALTH.items()},
        "hooks": [
            {name: Path(hook[name]).name for name in ("name", "drain", "undrain")}
            for hook in planned["hooks"]
        ],
        "health_tasks": planned["health_tasks"],
        **{f"power_cycle_{name}": value for name, value in cycle.items()},
        # Its words go where nobody shows them.
        "power_cycle_command": [] if not cycle["command"] else ["said"],
    }


@pytest.mark.parametrize(("role", "name"), VARIABLES)
def test_variable_is_what_the_operator_said(run: PlayRun, role: str, name: str) -> None:
    (values,) = noted(run, f"liar-{role}", role)
    value = values[name.removeprefix(f"{role}_")]
    # A time is noted as one, however it is written.
    same = int if isinstance(value, float) else type(value)
    assert value == NOTED[name]
    assert isinstance(NOTED[name], (same, float))
    assert SAID[name] != value


def test_role_notes_all_of_its_variables_and_no_other(run: PlayRun) -> None:
    for role in ("kernel_upgrade", "kexec_host", "rolling_upgrade"):
        (values,) = noted(run, f"liar-{role}", role)
        assert [f"{role}_{name}" for name in values] == list(OPTIONS[role])


def test_variables_of_the_next_role_are_noted_before_the_host_is_asked(run: PlayRun) -> None:
    (values,) = noted(run, "liar-rolling_upgrade", "fast_reboot")
    assert {f"fast_reboot_{name}": value for name, value in values.items()} == {
        name: NOTED[name] for name in OPTIONS["fast_reboot"]
    }


@pytest.mark.parametrize("host", ["liar-fast_reboot", "liar-rolling_upgrade"])
@pytest.mark.parametrize("reset", ["by-command", "by-tasks"])
def test_lost_host_runs_nothing_on_the_controller(
    run: PlayRun, folder: Path, host: str, reset: str
) -> None:
    assert not (folder / reset).exists()
    assert run.reboot_of(host)["reason"]["code"] == "did_not_return"


@pytest.mark.parametrize(("role", "name"), VARIABLES)
def test_host_that_spoke_before_is_refused(run: PlayRun, role: str, name: str) -> None:
    (refusal,) = of_host(run, f"before-{role}", "end | Fail where it failed")
    assert name in refusal["msg"]
    assert "--flush-cache" in refusal["msg"]
    assert "said" not in refusal["msg"]


def test_host_that_spoke_before_has_a_result_and_is_not_touched(run: PlayRun) -> None:
    found = run.reboot_of("before-fast_reboot")
    assert (found["reason"]["code"], found["rebooted"]) == ("argument_invalid", False)
    tasks = [each.task for each in run.tasks if each.host == "before-fast_reboot"]
    assert not any(task.endswith(("Drain", "Wait for the host")) for task in tasks)


def test_host_does_not_allow_the_reboot_that_unlocks_it(run: PlayRun) -> None:
    (ended,) = of_host(run, "liar-kexec_host", "end | Fail where it failed")
    assert (ended["done"], ended["reboot_required"]) == (True, True)
    assert of_host(run, "liar-kexec_host", "firmware | Ask the host again") == []
    assert len(of_host(run, "liar-kexec_host", "reboot | Say that a reboot is needed")) == 1


def test_names_of_ansible_change_no_ending(run: PlayRun) -> None:
    found = run.reboot_of("names")
    assert (found["failed"], found["drained"]) == (False, [])
    assert len(of_host(run, "names", "drain | Wait for the host")) == 1


def test_hooks_are_run_for_a_host_under_its_name(run: PlayRun) -> None:
    (undrained,) = of_host(run, "names", "Undrain")
    assert undrained["msg"] == "names names"


@pytest.mark.parametrize(
    ("host", "code", "stage", "drained"),
    [
        ("pretender", "undrain_failed", "undrain", [PRINTED]),
        ("pretender-early", "drain_failed", "drain", [PRINTED]),
        ("pretender-lost", "did_not_return", "down", [PRINTED]),
    ],
)
def test_nothing_is_run_for_a_host_that_pretends_to_be_another(
    run: PlayRun, folder: Path, host: str, code: str, stage: str, drained: list[str]
) -> None:
    found = run.reboot_of(host)
    assert (found["reason"]["code"], found["stage"], found["drained"]) == (code, stage, drained)
    assert "inventory_hostname" in found["reason"]["message"]
    assert of_host(run, host, "Undrain") == []
    assert not (folder / "by-command").exists()


def test_names_of_functions_change_no_ending(run: PlayRun) -> None:
    found = run.reboot_of("functions")
    assert (found["failed"], found["stage"], found["drained"]) == (False, None, [])


def test_what_a_host_printed_is_no_template(run: PlayRun) -> None:
    (failed,) = of_host(run, "hidden", "end | Fail where it failed")
    assert f"The host is still drained: {PRINTED}." in failed["msg"]


def test_brake_counts_what_the_role_says_and_not_the_host(run: PlayRun) -> None:
    (stop,) = of_host(run, "twice", "brake | Stop when too many hosts are not well")
    lost = [
        *(f"before-{name}" for name in ROLES),
        "hidden",
        "liar-fast_reboot",
        "liar-kernel_upgrade",
        "liar-rolling_upgrade",
    ]
    lost += ["pretender", "pretender-early", "pretender-lost"]
    names = re.findall(r"not well: (.*?)\. The play ends", stop["msg"])
    assert sorted(names[0].split(", ")) == lost


def test_brake_holds_where_a_host_of_the_batch_says_the_budget(run: PlayRun) -> None:
    (stop,) = of_host(run, "inventor-of-a-number", "brake | Stop when too many hosts are not well")
    assert "fast_reboot_error_budget" in stop["msg"]
    assert "rolling_upgrade_error_budget" in stop["msg"]


def test_each_call_has_the_values_that_it_was_given(run: PlayRun) -> None:
    assert [each["timeout"] for each in noted(run, "twice", "fast_reboot")] == [11, 0.01]
