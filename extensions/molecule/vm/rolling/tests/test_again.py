# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rolling-upgrade.yml foretells what it does, and again does nothing; the audit before and after."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

import pytest

from tests.plays import PlayRun, State, Supply

from .conftest import KIND, Host
from .variables import AUDIT, ROLLING_UPGRADE

# What apk writes whenever it is asked what there is, in check mode, too, and Python when it runs.
CACHES = ("/var/cache/apk/", "/etc/apk/cache/", "/__pycache__/")
PACKAGES = {"rolling_upgrade_packages": ["kexec-tools"]}
ALWAYS = {**PACKAGES, "rolling_upgrade_reboot": "always"}

pytestmark = pytest.mark.xdist_group("again")


class Seen(t.NamedTuple):
    """A run, and what the host was afterwards."""

    run: PlayRun
    state: State


@dataclass(frozen=True)
class Upgraded:
    """A host that was upgraded and rebooted, and then told to upgrade once more."""

    start: State
    before: Seen
    foretold: Seen
    done: Seen
    after: Seen
    nothing_foretold: Seen
    nothing_done: Seen


def files_of(state: State) -> set[str]:
    return {line for line in state.files if not any(cache in line for cache in CACHES)}


def same(one: State, other: State) -> bool:
    """Whether it is the same boot, with the same image and the same files."""
    return (one.boot_id, one.loaded, files_of(one)) == (
        other.boot_id,
        other.loaded,
        files_of(other),
    )


def audited(seen: Seen) -> list[str]:
    """The row of the host: verdict, kernel, boot loader, and whether a reboot is needed."""
    _host, *row = seen.run.task("Report").result["msg"][1].split()
    return t.cast("list[str]", row[:4])


@pytest.fixture(scope="module")
def upgraded(shared_machines: Supply) -> Upgraded:
    host = shared_machines.take(Host, KIND)
    start = host.state()

    def seen(run: PlayRun) -> Seen:
        assert run.rc == 0, run.output
        return Seen(run, host.state())

    # In this order: each run finds what the one before has left.
    return Upgraded(
        start,
        before=seen(host.play(AUDIT)),
        foretold=seen(host.play(ROLLING_UPGRADE, "--check", "--diff", **ALWAYS)),
        done=seen(host.play(ROLLING_UPGRADE, **ALWAYS)),
        after=seen(host.play(AUDIT, "--check")),
        nothing_foretold=seen(host.play(ROLLING_UPGRADE, "--check", **PACKAGES)),
        nothing_done=seen(host.play(ROLLING_UPGRADE, **PACKAGES)),
    )


def test_check_mode_changes_nothing(upgraded: Upgraded) -> None:
    assert same(upgraded.foretold.state, upgraded.start)


def test_check_mode_foretells_the_reboot(upgraded: Upgraded) -> None:
    foretold, done = upgraded.foretold.run.reboot, upgraded.done.run.reboot
    assert (foretold["changed"], foretold["rebooted"], foretold["failed"]) == (True, False, False)
    assert (done["changed"], done["rebooted"], done["failed"]) == (True, True, False)
    assert foretold["method"] == done["method"] == "kexec"
    assert foretold["release"] == done["release"]
    assert done["boot_id"] == {
        "before": upgraded.start.boot_id,
        "after": upgraded.done.state.boot_id,
    }


def test_diff_of_check_mode_shows_the_image_that_would_be_loaded(upgraded: Upgraded) -> None:
    diffs = [task.result["diff"] for task in upgraded.foretold.run.tasks if "diff" in task.result]
    assert "kernel: /boot/vmlinuz-virt" in str(diffs)


def test_second_run_changes_nothing(upgraded: Upgraded) -> None:
    assert upgraded.nothing_done.run.changed == []
    assert same(upgraded.nothing_done.state, upgraded.done.state)


def test_check_mode_foretells_that_nothing_is_left_to_do(upgraded: Upgraded) -> None:
    assert upgraded.nothing_foretold.run.changed == []
    assert same(upgraded.nothing_foretold.state, upgraded.done.state)


def test_audit_calls_the_host_able_before_and_after(upgraded: Upgraded) -> None:
    release = upgraded.done.run.reboot["release"]
    for seen, running in (
        (upgraded.before, release["before"]),
        (upgraded.after, release["after"]),
    ):
        verdict, kernel, _loader, needed = audited(seen)
        assert (verdict, kernel, needed) == ("kexec", running, "no")


def test_audit_changes_nothing(upgraded: Upgraded) -> None:
    assert upgraded.before.run.changed == upgraded.after.run.changed == []
    assert same(upgraded.before.state, upgraded.start)
    assert same(upgraded.after.state, upgraded.done.state)
