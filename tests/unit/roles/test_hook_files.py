# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A hook's files in a run of Ansible, which takes other files for them, or ends the run at them."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.tests.unit.roles.scripted_reboot import (
    SCRIPT,
    run_scripted,
    task,
)

from tests.plays import PlayRun
from tests.plays.run import ROOT

pytestmark = pytest.mark.xdist_group("hook files")

ROLE = task("Run", "include_role", arguments={"name": "alpinefleet.kexec.fast_reboot"})
CHANGES = task("Change", "debug", changed_when=True)
COMMON = {"script": SCRIPT, "fast_reboot_health_services": False, "fast_reboot_timeout": 0.01}
TASKS = ROOT / "roles/fast_reboot/tasks"
# The brake of a play ends it for all hosts, whoever calls it.
OWN = sorted(path.stem for path in TASKS.iterdir() if path.stem != "brake")
TAKEN = tuple(f"{name}-later" for name in OWN)
# What hooks that are not well have in the place of their task.
DRAINS: dict[str, list[dict[str, t.Any]]] = {
    "well": [task("More", "include_tasks", arguments="own.yml")],
    "well-by-role": [task("More", "include_role", arguments={"name": "balancer"})],
    "well-by-import": [task("More", "import_role", arguments={"name": "balancer"})],
    "same-name": [task("More", "include_tasks", arguments="wait.yml")],
    "misspelt": [task("More", "debgu")],
    "misspelt-inside": [task("More", "include_tasks", arguments="misspelt.yml")],
    "ends-all": [task("More", "meta", arguments="END_HOST")],
    "missing": [task("More", "include_tasks", arguments="{{ 'missing' }}.yml")],
    **{
        f"{name}-later": [task("More", "include_tasks", arguments=f"{{{{ '{name}' }}}}.yml")]
        for name in OWN
    },
}
WELL = ("well", "well-by-role", "well-by-import")
REFUSED = ("same-name", "misspelt", "misspelt-inside", "ends-all")
LATER = (*TAKEN, "missing")
# Where the host was rebooted, and the file that gives its work back is another one.
UNDRAINS = ("run", "main", "look_after", "leave", "settle")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> PlayRun:
    folder = tmp_path_factory.mktemp("hook-files")
    (folder / "hooks").mkdir()
    files = {f"drain-{name}": [CHANGES, *tasks] for name, tasks in DRAINS.items()}
    files |= {name: [CHANGES] for name in ("own", *OWN)}
    files |= {f"undrain-{name}": DRAINS[f"{name}-later"] for name in UNDRAINS}
    files |= {"misspelt": DRAINS["misspelt"], "undrain": [task("Undrain", "debug")]}
    for name, tasks in files.items():
        (folder / f"hooks/{name}.yml").write_text(json.dumps(tasks))
    (folder / "roles/balancer/tasks").mkdir(parents=True)
    (folder / "roles/balancer/tasks/main.yml").write_text(json.dumps([CHANGES]))
    play = {"hosts": "all", "gather_facts": False, "tasks": [ROLE]}
    (folder / "playbook.yml").write_text(json.dumps([play]))
    hosts = {name: with_hook(name) for name in DRAINS}
    hosts |= {f"undrain-{name}": with_hook("well", f"undrain-{name}") for name in UNDRAINS}
    return run_scripted(folder, hosts, COMMON)


def with_hook(drain: str, undrain: str = "undrain") -> dict[str, t.Any]:
    hook = {"name": "lb", "drain": f"hooks/drain-{drain}.yml", "undrain": f"hooks/{undrain}.yml"}
    return {"fast_reboot_hooks": [hook]}


def names_of(run: PlayRun, host: str) -> list[str]:
    return [each.task.rpartition(" : ")[2] for each in run.tasks if each.host == host]


@pytest.mark.parametrize("host", WELL)
def test_file_beside_the_hook_and_role_beside_the_playbook_are_its_own(
    run: PlayRun, host: str
) -> None:
    found = run.reboot_of(host)
    assert (found["done"], found["drained"], found.get("failed", False)) == (True, [], False)
    assert names_of(run, host).count("Change") == 2


@pytest.mark.parametrize("host", REFUSED)
def test_file_that_cannot_be_meant_is_refused_before_anything_is_done(
    run: PlayRun, host: str
) -> None:
    found = run.reboot_of(host)
    assert (found["reason"]["code"], found["rebooted"]) == ("argument_invalid", False)
    assert not {"Change", "Undrain"} & set(names_of(run, host))


@pytest.mark.parametrize("host", LATER)
def test_hook_that_includes_what_it_does_not_have_is_undone_and_nothing_is_rebooted(
    run: PlayRun, host: str
) -> None:
    found = run.reboot_of(host)
    assert (found["reason"]["code"], found["rebooted"]) == ("drain_failed", False)
    assert (found["failed"], found["drained"]) == (True, [])
    # As often as the host was drained.
    assert names_of(run, host).count("Change") == names_of(run, host).count("Undrain") == 1


def test_message_names_the_file_that_was_taken_for_another_one(run: PlayRun) -> None:
    for host in TAKEN:
        message = run.reboot_of(host)["reason"]["message"]
        assert f"hooks/drain-{host}.yml" in message
        assert "Ansible has taken the role's own file of that name" in message
    assert "a file that it includes was not found" in run.reboot_of("missing")["reason"]["message"]


@pytest.mark.parametrize("name", UNDRAINS)
def test_host_that_cannot_be_undrained_is_told_to_be_drained_and_rebooted(
    run: PlayRun, name: str
) -> None:
    found = run.reboot_of(f"undrain-{name}")
    assert (found["reason"]["code"], found["rebooted"]) == ("undrain_failed", True)
    assert (found["failed"], found["drained"]) == (True, ["lb"])
