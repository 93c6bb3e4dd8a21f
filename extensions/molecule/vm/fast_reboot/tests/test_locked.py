# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""fast-reboot.yml on a kernel that locks kexec."""

from __future__ import annotations

from tests.plays import FAST_REBOOT, codes_of

from .conftest import Host


def test_a_refusal_changes_nothing_and_holds_the_remedy(locked: Host) -> None:
    before = locked.state()
    run = locked.play(FAST_REBOOT, fast_reboot_fallback="fail")
    result = run.reboot
    assert run.rc != 0
    assert (result["failed"], result["stage"]) == (True, "preflight")
    assert result["rebooted"] is False
    assert result["reason"]["code"] == "kexec_locked"
    assert "Add kexec_load_disabled=0 to the boot loader's configuration" in result["msg"]
    assert locked.state() == before


def test_firmware_is_the_default_and_the_reason_is_told(locked: Host) -> None:
    before = locked.state()
    run = locked.play(FAST_REBOOT)
    result = run.reboot
    assert run.rc == 0, run.output
    assert (result["rebooted"], result["method"]) == (True, "firmware")
    assert "kexec_locked" in codes_of(result)
    after = locked.state()
    assert result["boot_id"] == {"before": before.boot_id, "after": after.boot_id}
    assert after.boot_id != before.boot_id
    assert after.cmdline == before.cmdline
