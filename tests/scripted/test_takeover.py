# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run whose controller is killed is gone on with by the next one."""

from __future__ import annotations

import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.hosts import Host, Script

from .site import LOST_SECONDS, Site
from .test_role import told

# When the controller is killed, by what is seen of the host.
MOMENTS: dict[str, t.Callable[[Host], bool]] = {
    "it is asked what it remembers": lambda host: bool(host.journal.find("command", "memory.sh")),
    "it is about to be drained": lambda host: "drained" in host.memory,
    "its order is remembered": lambda host: "order" in host.memory,
    "it is ordered to leave": lambda host: bool(host.journal.find("order")),
    "it is back": lambda host: host.boot.number == 1,
    "it is told that it works": lambda host: bool(host.journal.find("confirmed")),
}


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_host_is_rebooted_once_and_drained_by_nobody(
    site: Site, moment: t.Callable[[Host], bool]
) -> None:
    host = site.host(Script(downtime=2.0))
    before = host.boot.boot_id
    site.kill_fast_reboot(lambda: host.journal.wait_until(lambda: moment(host), seconds=40))
    run = site.fast_reboot()
    assert told(run, "web1") == (None, None, True, []), run.output
    assert run.reboot["boot_id"] == {"before": before, "after": host.boot.boot_id}
    assert (host.boot.number, host.memory) == (1, "")


def test_host_that_was_left_sick_is_known_to_the_next_run(site: Site) -> None:
    sick = Script(lacks=("crond",))
    host = site.host(sick)
    first = site.fast_reboot(fast_reboot_health_timeout=1)
    assert told(first, "web1") == ("unhealthy", "health", True, ["work"]), first.output
    assert "unhealthy" in host.memory
    host.script = Script()
    second = site.fast_reboot()
    assert told(second, "web1") == (None, None, True, []), second.output
    assert second.reboot["taken_over"]["unhealthy"] == ["service crond"]
    assert host.memory == ""


def test_host_that_was_lost_and_came_back_later_is_not_rebooted_again(site: Site) -> None:
    host = site.host(Script(downtime=LOST_SECONDS + 10))
    first = site.fast_reboot(fast_reboot_timeout=LOST_SECONDS)
    assert told(first, "web1") == ("did_not_return", "down", None, ["work"]), first.output
    host.journal.wait_for("up")
    second = site.fast_reboot()
    assert told(second, "web1") == (None, None, True, []), second.output
    assert (host.boot.number, host.memory) == (1, "")


def test_run_that_was_overtaken_orders_nothing(site: Site) -> None:
    host = site.host()

    def overtake() -> None:
        host.journal.wait_until(lambda: "drained" in host.memory, seconds=40)
        host.memory = f"{'2' * 32} begun"

    with ThreadPoolExecutor() as pool:
        other = pool.submit(overtake)
        run = site.fast_reboot()
        other.result()
    assert told(run, "web1")[0] == "overtaken", run.output
    assert not host.journal.find("order")
    # What it leaves behind is the other run's.
    assert host.memory == f"{'2' * 32} begun"


@pytest.mark.parametrize("seconds", [4, 8])
def test_run_that_ansible_ends_by_its_timeout_forgets_neither_hook_nor_order(
    site: Site, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    host = site.host(Script(downtime=LOST_SECONDS))
    with monkeypatch.context() as patch:
        patch.setenv("ANSIBLE_TASK_TIMEOUT", str(seconds))
        first = site.fast_reboot()
    code, _stage, rebooted, drained = told(first, "web1")
    assert (code, rebooted, drained) == ("task_timeout", None, ["work"]), first.output
    assert "The host is still drained: work." in first.output
    assert all(word in host.memory for word in ("down", "order", "work"))
    host.journal.wait_for("up")
    second = site.fast_reboot()
    assert told(second, "web1") == (None, None, True, []), second.output
    assert (host.boot.number, host.memory) == (1, "")


# --- What an earlier run has left, and the next one does not see to --------------------------


def left_sick(site: Site) -> Host:
    host = site.host(Script(lacks=("crond",)))
    run = site.fast_reboot(fast_reboot_health_timeout=1)
    assert told(run, "web1") == ("unhealthy", "health", True, ["work"]), run.output
    return host


def test_host_that_was_left_sick_stays_drained_where_the_next_run_is_refused(site: Site) -> None:
    host = left_sick(site)
    host.script = Script(able=False, lacks=("crond",))
    run = site.fast_reboot(fast_reboot_fallback="fail")
    assert told(run, "web1")[1:] == ("preflight", False, ["work"]), run.output
    assert "still drained: work" in run.output
    assert all(word in host.memory for word in ("unhealthy", "work", "crond"))


def test_host_that_was_drained_by_a_hook_of_another_run_is_not_forgotten(site: Site) -> None:
    host = left_sick(site)
    host.script = Script()
    run = site.playbook("fast-reboot", fast_reboot_hosts="web1")
    assert run.rc != 0
    assert "by hooks that this one does not have: work." in run.output
    assert "drained" in host.memory
    assert len(host.journal.find("order")) == 1


def test_service_that_is_missing_since_an_earlier_run_is_missing_after_another_one(
    site: Site,
) -> None:
    host = left_sick(site)
    run = site.fast_reboot(fast_reboot_health_timeout=1)
    assert told(run, "web1") == ("unhealthy", "health", True, ["work"]), run.output
    assert run.reboot["unhealthy"] == ["service crond"]
    assert (host.boot.number, "crond" in host.memory) == (2, True)


def test_boot_that_somebody_has_chosen_by_hand_ends_the_wait_for_another_one(site: Site) -> None:
    by_hand = Script(downtime=LOST_SECONDS + 10, comes_up="firmware", release="6.12.1-0-virt")
    host = site.host(by_hand)
    first = site.fast_reboot(fast_reboot_timeout=LOST_SECONDS)
    assert told(first, "web1")[0] == "did_not_return", first.output
    host.journal.wait_for("up")
    host.script = Script()
    second = site.fast_reboot()
    assert told(second, "web1") == (None, None, True, []), second.output
    assert (host.boot.number, host.memory) == (2, "")


def test_check_mode_waits_for_no_order_and_looks_at_no_host(site: Site) -> None:
    host = site.host(Script(lacks=("crond",)))
    site.kill_fast_reboot(lambda: host.journal.wait_for("order"))
    host.journal.wait_for("up")
    remembered = host.memory
    run = site.fast_reboot("--check", fast_reboot_health_timeout=1)
    assert (run.rc, run.reboot["rebooted"]) == (0, False), run.output
    assert run.reboot["taken_over"]["progress"] == "down"
    assert (host.memory, host.journal.find("confirmed")) == (remembered, [])
