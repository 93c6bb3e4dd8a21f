# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host has its turn when guard and brake of its play have let it, and not where they were passed over."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible.playbook.block import Block
from ansible.playbook.play import Play
from ansible.playbook.task import Task
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._step import StepError
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._variables import turns
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._variables.turns import Turns

from tests.unit.role_tasks import FAST_REBOOT, task_of_role

GUARDED = {"output": "", "nonce": "1-2", "failed": False}
BRAKED = {"of_play": "p", "not_well": [], "nonce": "2-3", "failed": False}
WELL = {"__look_after_guarded": GUARDED, "__fast_reboot_braked": BRAKED}
PASSED_OVER = "The playbook was begun in the middle, or a task of it was left out: nobody has seen"
UNNAMED = f"{PASSED_OVER} whether its hosts were named."
UNBRAKED = f"{PASSED_OVER} whether the hosts before are well."


def refused(check: t.Callable[[dict[str, t.Any]], None], variables: dict[str, t.Any]) -> str:
    try:
        check(variables)
    except StepError as error:
        return error.message
    return ""


@pytest.mark.parametrize(
    ("needs", "variables", "said"),
    [
        pytest.param("", {}, "", id="a play of somebody's own"),
        pytest.param("brake", WELL, "", id="both were run"),
        pytest.param("guard", {"__look_after_guarded": GUARDED}, "", id="no batches"),
        pytest.param("guard", {}, UNNAMED, id="no guard"),
        pytest.param("brake", {"__fast_reboot_braked": BRAKED}, UNNAMED, id="a brake alone"),
        pytest.param("brake", {"__look_after_guarded": GUARDED}, UNBRAKED, id="no brake"),
        pytest.param(
            "brake",
            {**WELL, "__fast_reboot_braked": {**BRAKED, "of_play": "q"}},
            UNBRAKED,
            id="the brake of another play",
        ),
        pytest.param(
            "brake",
            {**WELL, "__fast_reboot_braked": {**BRAKED, "failed": True}},
            UNBRAKED,
            id="a brake that has failed",
        ),
        pytest.param(
            "brake",
            {**WELL, "__look_after_guarded": {"skipped": True, "failed": False}},
            UNNAMED,
            id="a guard that was skipped",
        ),
        pytest.param(
            "brake",
            {**WELL, "ansible_facts": {"__fast_reboot_braked": BRAKED}},
            UNBRAKED,
            id="a host that says so",
        ),
        pytest.param("brake", {**WELL, "__look_after_guarded": 7}, UNNAMED, id="no result"),
    ],
)
def test_host_has_no_turn_that_nobody_has_given_it(
    needs: str, variables: dict[str, t.Any], said: str
) -> None:
    asked = Turns("p", needs)
    assert refused(asked.refuse_out_of_turn, variables) == said
    # The brake comes after the guard.
    assert refused(asked.refuse_unguarded, variables) == (said if said == UNNAMED else "")


def test_play_says_itself_what_it_needs() -> None:
    play = Play()
    play.vars = {"__look_after_needs": "brake"}
    assert turns.of(Task(block=Block(play=play))) == Turns(play._uuid, "brake")
    assert turns.of(Task(block=Block(play=Play()))).needs == ""


def includes(path: Path, name: str) -> Path:
    path.write_text(f"- name: More\n  ansible.builtin.include_tasks: {name}\n")
    return path


def test_file_of_the_role_that_another_one_has_included_is_found(tmp_path: Path) -> None:
    """As Ansible does it where a hook includes what it takes for its neighbour."""
    assert (FAST_REBOOT / "tasks/look.yml").is_file()
    hook = includes(tmp_path / "drain.yml", "look.yml")
    found = turns.of(task_of_role(tmp_path, hook))
    assert found.includer == f"{hook}:1"
    said = f"A task file includes another one at {hook}:1, and Ansible has taken the role's own file of that name."
    assert refused(found.refuse_unguarded, {}) == said
    assert refused(found.refuse_out_of_turn, {}) == said


def test_file_of_the_role_that_the_role_has_included_is_in_its_turn(tmp_path: Path) -> None:
    role = tmp_path / "roles/other"
    (role / "tasks").mkdir(parents=True)
    own = includes(role / "tasks/main.yml", "look.yml")
    assert turns.of(task_of_role(tmp_path, own, role=role)).includer == ""
    assert turns.of(task_of_role(tmp_path)).includer == ""
    # By another way to the same folder.
    (tmp_path / "link").symlink_to(role)
    assert turns.of(task_of_role(tmp_path, own, role=tmp_path / "link")).includer == ""
