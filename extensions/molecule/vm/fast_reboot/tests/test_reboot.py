# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reboots through kexec that are looked at from the host's side."""

from __future__ import annotations

import typing as t

import pytest

from tests.plays import EXHAUSTIVE, FAST_REBOOT, State, Supply, only_in_full

from .conftest import Host

TIMES = 5 if EXHAUSTIVE else 2
TOKEN = "alpinefleet_kexec.token="
# What is on a command line for one boot only.
OURS = ("alpinefleet_kexec.", "panic=10", "oops=panic")
LOADER_ONLY = ("BOOT_IMAGE=", "initrd=")

# It does not stop within any time that a reboot should take.
HANGING_SERVICE = """#!/sbin/openrc-run
start() { return 0; }
stop() { sleep 600; }
"""

# It ends the one that has OpenRC stop it, which is not init.
ENDING_SERVICE = """#!/sbin/openrc-run
start() { return 0; }
stop() { kill -TERM $(ps -o ppid,args | awk '/[o]penrc shutdown/ && $1 > 1 { print $1; exit }'); }
"""


def fast_reboot(machine: Host) -> dict[str, t.Any]:
    run = machine.play(FAST_REBOOT)
    assert run.rc == 0, run.output
    return run.reboot


def ours_of(state: State) -> list[str]:
    return [word for word in state.parameters() if word.startswith(OURS)]


def name_of(word: str) -> str:
    return word.partition("=")[0]


@pytest.mark.long
def test_reboots_in_a_row_leave_the_host_as_it_was(unlocked: Host) -> None:
    start = unlocked.state()
    boots = [start.boot_id]
    for _number in range(TIMES):
        result = fast_reboot(unlocked)
        assert (result["rebooted"], result["method"]) == (True, "kexec")
        assert result["boot_id"]["before"] == boots[-1]
        assert f"{TOKEN}{result['token']}" in unlocked.read("/proc/cmdline").split()
        boots.append(unlocked.boot_id())
        assert result["boot_id"]["after"] == boots[-1]
    end = unlocked.state()
    assert len(set(boots)) == TIMES + 1
    assert end.parameters(*OURS) == start.parameters(*OURS, *LOADER_ONLY)
    # They are replaced, and do not pile up.
    assert sorted(map(name_of, ours_of(end))) == sorted({name_of(word) for word in ours_of(end)})
    assert unlocked.read("/proc/sys/kernel/panic_on_oops") == "0"
    # What tells this boot that it works, and is gone with it.
    assert end.names - start.names <= {"/run/alpinefleet-kexec/confirmed"}
    assert end.loaded == "0"


@pytest.fixture(scope="module")
def jumped(shared_machines: Supply) -> tuple[Host, dict[str, t.Any], str]:
    """A host after a jump with a parameter of its own, its result, and the console meanwhile."""
    host = shared_machines.take(Host, "parallel")
    seen = len(host.console())
    result = host.module("kexec_reboot", cmdline_append=["loglevel=3"]).result
    return host, result, host.console()[seen:]


@pytest.mark.xdist_group("jumped")
def test_services_stop_and_file_systems_are_read_only_before_the_jump(
    jumped: tuple[Host, dict[str, t.Any], str],
) -> None:
    _host, result, console = jumped
    assert (result["rebooted"], result["method"]) == (True, "kexec")
    shutdown, _banner, boot = console.partition("is starting up Linux")
    assert "Stopping sshd" in shutdown
    assert "Remounting / read only" in shutdown
    # fsck finds nothing to mend, and no journal to replay.
    assert "root: clean" in boot
    # Neither firmware nor boot loader had a word in between.
    assert "SYSLINUX" not in shutdown


@pytest.mark.xdist_group("jumped")
def test_a_parameter_for_one_boot_lasts_one_boot(
    jumped: tuple[Host, dict[str, t.Any], str],
) -> None:
    host = jumped[0]
    assert "loglevel=3" in host.read("/proc/cmdline").split()
    fast_reboot(host)
    assert "loglevel=3" not in host.read("/proc/cmdline").split()


@only_in_full
def test_firmware_on_request_comes_back_without_a_token(parallel: Host) -> None:
    parallel.module("kexec_load")
    result = parallel.module("kexec_reboot", method="firmware").result
    assert (result["rebooted"], result["method"]) == (True, "firmware")
    assert TOKEN not in parallel.read("/proc/cmdline")


def stop_with(host: Host, service: str) -> None:
    """Let the shutdown stop a service of the test, too."""
    path = "/etc/init.d/of-the-test"
    host.host.check_output("printf %%s %s > %s", service, path)
    host.host.check_output("chmod 755 %s && rc-service of-the-test start", path)


def test_a_shutdown_that_hangs_is_forced_through_firmware(parallel: Host) -> None:
    stop_with(parallel, HANGING_SERVICE)
    before = parallel.state()
    task = parallel.module("kexec_reboot", shutdown_timeout=5)
    assert (task.result["rebooted"], task.result["method"]) == (True, "firmware")
    assert "kexec_not_proven" in task.codes
    assert parallel.state().boot_id != before.boot_id


@only_in_full
def test_a_shutdown_whose_leader_is_ended_alone_goes_on_through_firmware(parallel: Host) -> None:
    stop_with(parallel, ENDING_SERVICE)
    task = parallel.module("kexec_reboot")
    assert (task.result["rebooted"], task.result["method"]) == (True, "firmware")
    assert "kexec_hung" not in parallel.module("kexec_preflight").codes
    assert parallel.read("/var/lib/alpinefleet-kexec/last-reboot") == (
        "- the program that led the shutdown was told to end."
    )
