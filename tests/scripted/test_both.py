# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task and the role say the same of hosts that do not do what was ordered, many in one play."""

from __future__ import annotations

import typing as t

import pytest

from tests.hosts import FOR_EVER, Host, Script

from .site import Site, reboot

# Room for a dozen logins at a time, on a slow machine: with both cores taken by others, two hosts
# that had come back were not asked twice within 12 seconds.
SECONDS = 30
MANY = 10_000

# What each host does, and what is then said of it: the code and the stage of the failure, whether
# it was rebooted and how, none of them a guess. Nothing but kexec is accepted.
Said = tuple[str | None, str | None, bool | None, str | None]
CASES: dict[str, tuple[Script, Said]] = {
    "well": (Script(), (None, None, True, "kexec")),
    "locked": (Script(able=False), ("kexec_locked", "preflight", False, None)),
    "stays": (Script(goes_down=False), ("did_not_go_down", "shutdown", None, None)),
    "lost": (Script(returns=False), ("did_not_return", "down", None, None)),
    "new-key": (Script(new_host_key=True), ("host_key_changed", "down", None, None)),
    "refuses": (
        Script(refuses_logins_for=FOR_EVER),
        ("authentication_refused", "down", None, None),
    ),
    "other-machine": (Script(other_machine=True), ("other_host", "verify", None, None)),
    "other-image": (Script(comes_up="other_image"), ("wrong_method", "verify", True, None)),
    "firmware": (Script(comes_up="firmware"), ("wrong_method", "verify", True, "firmware")),
    "other-kernel": (Script(release="6.1.2-0-virt"), ("wrong_kernel", "verify", True, "kexec")),
    "sick": (
        Script(test_failures=MANY),
        ("test_command_failed", "test_command", True, "kexec"),
    ),
    "deaf": (Script(can_be_confirmed=False), ("not_confirmed", "confirm", True, "kexec")),
}
FORKS = f"--forks={len(CASES)}"

Results = dict[str, dict[str, t.Any]]


def by_task(site: Site) -> Results:
    run = site.play([reboot(fallback="fail", reboot_timeout=SECONDS)], FORKS)
    assert {task.status for task in run.tasks} == {"ok", "failed"}, run.output
    return {task.host: task.result for task in run.tasks}


def by_role(site: Site) -> Results:
    wanted = {"fallback": "fail", "timeout": SECONDS, "hooks": []}
    variables = {f"fast_reboot_{name}": value for name, value in wanted.items()}
    run = site.fast_reboot(FORKS, **variables)
    assert "unreachable" not in {task.status for task in run.tasks}, run.output
    return {name: run.reboot_of(name) for name in CASES}


def said(result: dict[str, t.Any]) -> Said:
    code = (result.get("reason") or {}).get("code")
    return code, result.get("stage"), result["rebooted"], result["method"]


@pytest.mark.parametrize("by", [by_task, by_role], ids=["task", "role"])
def test_same_is_said_of_each_host(site: Site, by: t.Callable[[Site], Results]) -> None:
    hosts: dict[str, Host] = {
        name: site.hosts.add(name, script) for name, (script, _said) in CASES.items()
    }
    results = by(site)
    assert {name: said(result) for name, result in results.items()} == {
        name: expected for name, (_script, expected) in CASES.items()
    }
    # A boot is named where it was seen, and it is the one that the host runs.
    assert {name: result["boot_id"]["after"] for name, result in results.items()} == {
        name: host.boot.boot_id if results[name]["rebooted"] else None
        for name, host in hosts.items()
    }
