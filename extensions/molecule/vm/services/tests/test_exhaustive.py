# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What takes too long for every run."""

from __future__ import annotations

from tests.plays import only_in_full

from .conftest import Host


@only_in_full
def test_a_file_opts_one_reboot_out(parallel: Host) -> None:
    parallel.shell("touch /run/alpinefleet-kexec/no-kexec")
    assert parallel.end("reboot") == "firmware"
    assert parallel.end("reboot") == "kexec"
    assert parallel.last_log().endswith("This boot came through kexec.")


@only_in_full
def test_a_reboot_during_a_poweroff_does_not_go_through_kexec(parallel: Host) -> None:
    # Which of the two orders counts is busybox's to say; the wish came after the shutdown had begun.
    assert parallel.end("poweroff, then reboot") in ("off", "firmware")
