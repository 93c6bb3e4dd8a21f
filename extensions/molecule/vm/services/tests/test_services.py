# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the services do when something is in the way, and that an upgrade leaves them alone."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

import pytest

from tests.plays import FAST_REBOOT, codes_of, only_in_full

KEXEC = "/usr/sbin/kexec"
SYSCTL = "/proc/sys/kernel/kexec_load_disabled"
LOCKED = {"kexec_host_mode": "every_reboot", "kexec_host_lock_after_load": True}
UPGRADE = """
set -e
folder=$(mktemp -d)
tar -xzf /lib/apk/db/scripts.tar.gz -C "$folder"
cd /
for script in "$folder"/busybox-[0-9]*.post-upgrade; do sh "$script"; done
for script in "$folder"/busybox-[0-9]*.trigger; do sh "$script" /bin /sbin /usr/bin /usr/sbin; done
rm -r "$folder"
"""


# A service whose end is when somebody asks for a poweroff.
POWERS_OFF = """#!/sbin/openrc-run
start() { return 0; }
stop() { poweroff; sleep 10; }
"""


@pytest.fixture
def host(hosts: dict[str, t.Any]) -> t.Any:
    """A host whose every reboot goes through kexec."""
    hosts["parallel"].set_mode("every_reboot")
    return hosts["parallel"]


@pytest.fixture
def refusing_kexec(host: t.Any, request: pytest.FixtureRequest) -> Iterator[t.Any]:
    """A kexec command that fails when it is called with the given option."""
    host.shell(f"mv {KEXEC} {KEXEC}.real")
    host.shell(
        f"printf '%s\\n' '#!/bin/sh' 'case $1 in {request.param}) echo no >&2; exit 1 ;; esac' "
        f"'exec {KEXEC}.real \"$@\"' >{KEXEC} && chmod 755 {KEXEC}"
    )
    yield host
    host.shell(f"mv {KEXEC}.real {KEXEC}")


@only_in_full
@pytest.mark.parametrize("refusing_kexec", ["-a"], indirect=True)
def test_a_failed_load_becomes_firmware_and_the_next_boot_says_why(refusing_kexec: t.Any) -> None:
    assert refusing_kexec.end("reboot") == "firmware"
    assert "kexec could not load /boot/vmlinuz-virt: no" in refusing_kexec.last_log()


@pytest.mark.parametrize("refusing_kexec", ["-e"], indirect=True)
def test_a_failed_jump_becomes_firmware_and_the_next_boot_says_why(refusing_kexec: t.Any) -> None:
    assert refusing_kexec.end("reboot") == "firmware"
    assert "went through firmware: kexec -e failed: no" in refusing_kexec.last_log()
    assert refusing_kexec.shell("dmesg | grep -c -i -e recover -e orphan") == "0"


def test_an_upgrade_of_busybox_leaves_the_command_alone(host: t.Any) -> None:
    host.host.check_output("sh -c %s", UPGRADE)
    assert host.shell("readlink /sbin/reboot") == "kexec-reboot"
    assert host.shell("readlink /sbin/poweroff") == "/bin/busybox"


def test_a_poweroff_during_the_shutdown_before_a_jump_is_one(host: t.Any) -> None:
    host.host.check_output("printf '%%s' %s >/etc/init.d/powers-off", POWERS_OFF)
    host.shell("chmod 755 /etc/init.d/powers-off && rc-service powers-off start")
    assert host.end("kexec_reboot") == "off"
    # Init gives everybody one second to end, in which a slow machine does not get to this.
    host.shell("rm -f /var/lib/alpinefleet-kexec/jump")


# The last ones: kexec stays locked until the machine boots through firmware.
def test_what_is_locked_at_boot_still_reboots_through_kexec(host: t.Any) -> None:
    run = host.role(**LOCKED)
    assert run.rc == 0, run.output
    assert host.end("reboot") == "kexec"
    assert host.read(SYSCTL) == "1"
    fast = host.play(FAST_REBOOT).reboot
    assert (fast["method"], codes_of(fast)[0]) == ("kexec", "kexec_frozen")
    assert host.read(SYSCTL) == "1"


@only_in_full
def test_role_does_not_take_the_lock_for_a_defect(host: t.Any) -> None:
    assert host.role(**LOCKED).changed == []
