# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kernels that fail their trial: the host is back on the good one, says why, and does not try again."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

import pytest

from tests.plays import HANG, PlayRun, Supply, initramfs_with, only_in_full

from .conftest import Host, take
from .variables import DEADLINE, FORCE, NEW, OLD, REQUIRED, TRIAL_PARAMETER

pytestmark = [only_in_full, pytest.mark.long]

INITRAMFS, BROKEN = "/boot/initramfs-virt", "/boot/broken"
# The initramfs that apk made is replaced, as a trigger would that went wrong.
IN_PLACE = f"{{}}mv {BROKEN} {INITRAMFS}; sync"
CRASH = r"#!/bin/sh\n/bin/busybox mount -t proc proc /proc\necho c >/proc/sysrq-trigger\n"
EXIT = r"#!/bin/sh\nexit 1\n"
# A service that does something only while a kernel is on trial.
ON_TRIAL = f"grep -qF {TRIAL_PARAMETER} /proc/cmdline"
NO_NETWORK = f"echo 'if {ON_TRIAL}; then exit 1; fi' >>/etc/conf.d/networking"
HANGING_SERVICE = f"""#!/sbin/openrc-run
depend() {{ after sshd; }}
start() {{ if {ON_TRIAL}; then sleep 100000; fi; }}
"""
HANGS = (
    f"cat >/etc/init.d/of-the-test <<'END'\n{HANGING_SERVICE}END\n"
    "chmod 755 /etc/init.d/of-the-test; rc-update add of-the-test default"
)
CHECK = (
    f"mkdir -p {REQUIRED}; printf '#!/bin/sh\n! {ON_TRIAL}\n' >{REQUIRED}/of-the-test; "
    f"chmod 755 {REQUIRED}/of-the-test"
)
NO_ROOT = (
    "sed -i 's/^root=.*/root=UUID=00000000-0000-4000-8000-000000000000/' "
    "/etc/update-extlinux.conf && update-extlinux"
)


@dataclass(frozen=True)
class Case:
    """What makes a kernel fail, and what is to be told of it."""

    sabotage: str
    causes: frozenset[str]
    text: str = ""
    """A part of what the journal keeps of the end."""


def with_init(init: str) -> str:
    return IN_PLACE.format(initramfs_with(init, BROKEN))


CASES = {
    "panic at once": Case(with_init(CRASH), frozenset({"panic"}), "sysrq triggered crash"),
    "panic before any module": Case(with_init(EXIT), frozenset({"panic"}), "kill init"),
    "hang with a watchdog": Case(with_init(HANG), frozenset({"watchdog"})),
    # Where the initramfs gives up, its end is a panic, and the store has that.
    "no root": Case(NO_ROOT, frozenset({"unknown", "deadline", "panic"})),
    "no network": Case(NO_NETWORK, frozenset({"deadline"})),
    "required check": Case(CHECK, frozenset({"required_check"}), "of-the-test"),
    # The controller may find it unwell before its guard does.
    "default runlevel hangs": Case(HANGS, frozenset({"deadline", "required_check"})),
}


class Failed(t.NamedTuple):
    """A host on which a trial failed, and a second run of the same command."""

    case: Case
    host: Host
    good: str | None
    first: PlayRun
    trial: dict[str, t.Any]
    boot_id: str
    second: PlayRun


def one_worker(case: str) -> t.Any:
    """The tests of a case look at one machine."""
    return pytest.param(case, id=case, marks=pytest.mark.xdist_group(f"kernel with {case}"))


@pytest.fixture(scope="module", params=map(one_worker, CASES))
def failed(request: pytest.FixtureRequest, shared_machines: Supply) -> t.Iterator[Failed]:
    case = CASES[request.param]
    host = take(shared_machines, "extlinux")
    good = host.slots().good
    host.apk_upgrade()
    host.host.check_output("sh -c %s", case.sabotage)
    first = host.upgrade(**DEADLINE)
    trial, boot_id = host.trial(), host.boot_id()
    yield Failed(case, host, good, first, trial, boot_id, host.upgrade(**DEADLINE))
    shared_machines.down(host)


def test_run_fails_and_host_is_back_on_the_good_kernel(failed: Failed) -> None:
    assert failed.first.rc != 0
    assert failed.host.release() == OLD
    slots = failed.host.slots()
    assert (slots.good, slots.running) == (failed.good, failed.good)
    assert failed.host.lost_modules() == ""


def test_cause_is_told(failed: Failed) -> None:
    assert failed.trial["state"] in {"rolled_back", "refused"}
    assert failed.trial["cause"] in failed.case.causes
    assert failed.case.text in (failed.trial["text"] or "")
    assert failed.trial["candidate"].startswith(f"{NEW}-")


def test_second_run_does_not_try_again(failed: Failed) -> None:
    # It is no failure of this run: what else there was to upgrade is upgraded.
    assert failed.second.rc == 0, failed.second.output
    told = [task.result.get("reason") or {} for task in failed.second.tasks]
    assert "build_refused" in {reason.get("code") for reason in told}
    assert failed.host.boot_id() == failed.boot_id


@pytest.mark.parametrize("case", ["required check", "panic before any module"])
def test_force_tries_again(machines: Supply, case: str) -> None:
    host = take(machines, "extlinux")
    host.apk_upgrade()
    host.host.check_output(f"cp -p {INITRAMFS} {INITRAMFS}.mended")
    host.host.check_output("sh -c %s", CASES[case].sabotage)
    host.upgrade(**DEADLINE)
    first, before = host.trial(), host.boot_id()
    tried = host.upgrade(**DEADLINE, **FORCE)
    assert tried.rc != 0
    assert host.boot_id() != before
    assert host.trial()["run"] != first["run"]
    # What is mended is another build where its content is another one; a check is none of it.
    host.host.check_output(f"rm -rf {REQUIRED}; mv {INITRAMFS}.mended {INITRAMFS}")
    done = host.upgrade(**FORCE)
    assert done.rc == 0, done.output
    assert (host.release(), host.trial()["state"]) == (NEW, "committed")
