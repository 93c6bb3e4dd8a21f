# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the services do when something is in the way, and that an upgrade leaves them alone."""

from __future__ import annotations

import pytest

from tests.plays import FAST_REBOOT, codes_of, only_in_full

from .conftest import Host

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


def refuse(host: Host, option: str) -> None:
    """Have the kexec command fail when it is called with the given option."""
    host.shell(f"mv {KEXEC} {KEXEC}.real")
    host.shell(
        f"printf '%s\\n' '#!/bin/sh' 'case $1 in {option}) echo no >&2; exit 1 ;; esac' "
        f"'exec {KEXEC}.real \"$@\"' >{KEXEC} && chmod 755 {KEXEC}"
    )


@only_in_full
def test_a_failed_load_becomes_firmware_and_the_next_boot_says_why(parallel: Host) -> None:
    refuse(parallel, "-a")
    assert parallel.end("reboot") == "firmware"
    assert "kexec could not load /boot/vmlinuz-virt: no" in parallel.last_log()


def test_a_failed_jump_becomes_firmware_and_the_next_boot_says_why(parallel: Host) -> None:
    refuse(parallel, "-e")
    assert parallel.end("reboot") == "firmware"
    assert "went through firmware: kexec -e failed: no" in parallel.last_log()
    assert parallel.shell("dmesg | grep -c -i -e recover -e orphan") == "0"


@only_in_full
def test_an_upgrade_of_busybox_leaves_the_command_alone(parallel: Host) -> None:
    parallel.host.check_output("sh -c %s", UPGRADE)
    assert parallel.shell("readlink /sbin/reboot") == "kexec-reboot"
    assert parallel.shell("readlink /sbin/poweroff") == "/bin/busybox"


def test_a_poweroff_during_the_shutdown_before_a_jump_is_one(parallel: Host) -> None:
    parallel.host.check_output("printf '%%s' %s >/etc/init.d/powers-off", POWERS_OFF)
    parallel.shell("chmod 755 /etc/init.d/powers-off && rc-service powers-off start")
    assert parallel.end("kexec_reboot") == "off"


@only_in_full
@pytest.mark.long
def test_what_is_locked_at_boot_still_reboots_through_kexec(parallel: Host) -> None:
    run = parallel.role(**LOCKED)
    assert run.rc == 0, run.output
    assert parallel.end("reboot") == "kexec"
    assert parallel.read(SYSCTL) == "1"
    fast = parallel.play(FAST_REBOOT).reboot
    assert (fast["method"], codes_of(fast)[0]) == ("kexec", "kexec_frozen")
    assert parallel.read(SYSCTL) == "1"


@only_in_full
def test_role_does_not_take_the_lock_for_a_defect(parallel: Host) -> None:
    run = parallel.role(**LOCKED)
    assert run.rc == 0, run.output
    assert parallel.end("reboot") == "kexec"
    assert parallel.role(**LOCKED).changed == []
