# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All of it is taken back byte for byte, and apk goes on as if it had never been there."""

from __future__ import annotations

import pytest

from tests.plays import Supply, only_in_full

from .conftest import LOADERS, Host, take
from .variables import ABSENT, NEW, OLD, SLOTS

pytestmark = [only_in_full, pytest.mark.long]

# All that the slots may change: contents, owners, modes and links. What is kept of a menu before its
# last change is the tools'; a state of kexec_host is not this scenario's.
PLACES = (
    "/boot /etc /lib/modules /usr/share/kernel ! -name '*boot-parameter-old' ! -name '*.old' "
    "! -name '*.backup' ! -path /etc/mtab ! -path '/boot/grub/grubenv' ! -path '/etc/apk/*'"
)
STATE = (
    f"find {PLACES} -type f -exec sha256sum '{{}}' +; "
    f"find {PLACES} ! -type d -exec stat -c '%A %u %g %N' '{{}}' +; find {PLACES} -type d; apk info -v"
)
LEFT = "ls -d /lib/alpinefleet-kexec /usr/lib/alpinefleet-kexec /boot/alpinefleet-kexec 2>/dev/null"


def state(host: Host) -> list[str]:
    return sorted(host.host.check_output("sh -c %s", STATE).splitlines())


def goes_on_as_alpine_does(host: Host) -> None:
    """Apk's upgrade is what firmware boots next."""
    host.apk_upgrade()
    assert host.reboot() == "firmware"
    assert (host.release(), host.lost_modules(), host.slot_parameter()) == (NEW, "", "")


@pytest.mark.parametrize("loader", LOADERS)
def test_absent_brings_back_what_was_there_byte_for_byte(machines: Supply, loader: str) -> None:
    host = machines.take(Host, f"able-{loader}")
    if loader == "grub-efi":
        # The lab's menu was made on another machine, without its firmware.
        host.host.check_output("update-grub")
    before = state(host)
    made = host.module("kernel_slot", state="present")
    assert made.status == "ok", made.result
    assert state(host) != before
    gone = host.module("kernel_slot", state="absent")
    assert gone.status == "ok", gone.result
    assert [line for line in state(host) if line not in before] == []
    assert state(host) == before
    again = host.module("kernel_slot", state="absent")
    assert again.result["changed"] is False
    goes_on_as_alpine_does(host)


@pytest.mark.parametrize("loader", LOADERS)
def test_playbook_takes_everything_back(machines: Supply, loader: str) -> None:
    host = take(machines, loader)
    done = host.upgrade(**ABSENT)
    assert done.rc == 0, done.output
    assert host.host.run(LEFT).stdout == ""
    assert host.reboot() == "firmware"
    assert (host.release(), host.slot_parameter()) == (OLD, "")
    goes_on_as_alpine_does(host)


def upgrades(host: Host) -> None:
    """What apk has is kept, and boots; then all of ours is taken back."""
    done = host.upgrade()
    assert done.rc == 0, done.output
    assert host.reboot() == "firmware"
    assert (host.release(), host.lost_modules()) == (NEW, "")
    gone = host.upgrade(**ABSENT)
    assert gone.rc == 0, gone.output
    assert not host.host.file(SLOTS).exists
    assert host.reboot() == "firmware"
    assert host.release() == NEW


def test_somebody_who_removed_the_modules_by_hand_is_helped(machines: Supply) -> None:
    host = take(machines, "extlinux")
    host.host.check_output("rm -r /lib/alpinefleet-kexec")
    # Nothing of ours breaks apk, whatever is gone.
    host.apk_upgrade()
    upgrades(host)


def test_somebody_who_removed_the_slots_by_hand_is_told_and_has_a_way_back(
    machines: Supply,
) -> None:
    """The default of the menu is gone then: firmware would boot nothing."""
    host = take(machines, "extlinux")
    before = host.boot_id()
    host.host.check_output(f"rm -r {SLOTS}")
    host.apk_upgrade()
    refused = host.upgrade()
    assert refused.rc != 0
    assert f"{SLOTS}/" in refused.output
    assert host.boot_id() == before
    gone = host.module("kernel_slot", state="absent")
    assert (gone.status, gone.result["changed"]) == ("ok", True), gone.result
    assert host.reboot() == "firmware"
    assert (host.release(), host.lost_modules(), host.slot_parameter()) == (NEW, "", "")
    upgrades(host)
