# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A role around the reboot goes on with what an earlier run has left before it changes anything."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot.memory import Memory
from ansible_collections.alpinefleet.kexec.tests.unit import reboots
from ansible_collections.alpinefleet.kexec.tests.unit.roles.scripted_reboot import (
    SCRIPT,
    python_that_answers,
    run_scripted,
    task,
)

from tests.plays import PlayRun

pytestmark = pytest.mark.xdist_group("left-behind")

RUN = "5f2b6c0e9d1a4f3b8c7d6e5f4a3b2c1d"
SICK = [["service crond"], ["service crond"]]
# Nothing stands against a reboot, none is needed, and nothing was upgraded.
ANSWER = {"changed": False, "reasons": [], "facts": {"reboot_needed": False}}
LOCK = {"code": "kexec_locked", "message": "Locked.", "remedy": "Reboot.", "blocks": "kexec"}


def remembers(progress: t.Any, **changes: t.Any) -> dict[str, t.Any]:
    memory = Memory(RUN, progress, order=reboots.order(host="host", services=["crond"]))
    return {**SCRIPT, "memory": f"{RUN} {memory.as_text()}\n", **changes}


def run(
    folder: Path, role: str, script: dict[str, t.Any], answer: dict[str, t.Any], **variables: t.Any
) -> PlayRun:
    include = task("Run", "include_role", arguments={"name": f"alpinefleet.kexec.{role}"})
    play = {"hosts": "all", "gather_facts": False, "tasks": [include]}
    (folder / "playbook.yml").write_text(json.dumps([play]))
    host = {
        "script": script,
        "ansible_python_interpreter": str(python_that_answers(folder / "python", **answer)),
    }
    return run_scripted(folder, {"host": host}, {"kexec_host_reboot_allowed": True, **variables})


def names(found: PlayRun) -> list[str]:
    return [re.split(" [:|] ", each.task)[-1] for each in found.tasks]


@pytest.mark.parametrize(
    ("progress", "looks", "upgrades"),
    [
        pytest.param("unhealthy", SICK, False, id="sick"),
        pytest.param("unhealthy", [[], []], True, id="well by now"),
        pytest.param("down", [[], []], True, id="on its way"),
        pytest.param("ended", SICK, False, id="back, and sick"),
    ],
)
def test_packages_are_upgraded_only_after_what_was_left_is_seen_to(
    tmp_path: Path, progress: str, looks: t.Any, upgrades: bool
) -> None:
    found = run(tmp_path, "rolling_upgrade", remembers(progress, looks=looks), ANSWER)
    done = names(found)
    assert ("Upgrade all packages" in done) is upgrades, found.output
    assert (found.rc == 0) is upgrades
    if upgrades:
        taken_over = done.index("Take over what was left on the host")
        assert taken_over < done.index("Upgrade all packages")
    else:
        assert "unhealthy" in found.output


@pytest.mark.parametrize(
    ("changed", "packages"),
    [(True, []), (True, ["openssl"]), (False, []), (False, ["openssl"])],
    ids=["all", "named", "all, unchanged", "named, unchanged"],
)
def test_host_whose_packages_changed_is_looked_at_where_it_needs_no_reboot(
    tmp_path: Path, changed: bool, packages: list[str]
) -> None:
    answer = {**ANSWER, "changed": changed}
    found = run(
        tmp_path,
        "rolling_upgrade",
        {**SCRIPT, "looks": SICK},
        answer,
        rolling_upgrade_packages=packages,
        fast_reboot_health_services=False,
    )
    done = names(found)
    assert any(name.startswith("Upgrade ") for name in done), found.output
    assert "Order the reboot" not in done
    assert ("See whether the host is well" in done) is changed
    assert (found.rc != 0, "service crond" in found.output) == (changed, changed)


def test_order_of_before_is_no_reboot_of_a_host_that_was_changed_since(tmp_path: Path) -> None:
    answer = {
        **ANSWER,
        "reasons": [LOCK],
        "facts": {"kexec_load_disabled": True, "lock_settings": []},
        "stat": {"exists": True, "lnk_target": "busybox", "islnk": True, "isdir": False},
        "origin": {"reboot": "/bin/busybox", "package": True, "parameters": {}},
    }
    found = run(tmp_path, "kexec_host", remembers("down"), answer)
    done = names(found)
    assert done.index("Take over what was left on the host") < done.index(
        "Take what is wanted, and order the reboot unless the host is to be drained first"
    ), found.output
