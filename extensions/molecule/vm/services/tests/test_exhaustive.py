# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What takes too long for every run."""

from __future__ import annotations

import typing as t

import pytest


@pytest.fixture
def host(hosts: dict[str, t.Any]) -> t.Any:
    """A host whose every reboot goes through kexec."""
    hosts["parallel"].set_mode("every_reboot")
    return hosts["parallel"]


def test_a_file_opts_one_reboot_out(host: t.Any) -> None:
    host.shell("touch /run/alpinefleet-kexec/no-kexec")
    assert host.end("reboot") == "firmware"
    assert host.end("reboot") == "kexec"
    assert host.last_log().endswith("This boot came through kexec.")


def test_a_reboot_during_a_poweroff_does_not_go_through_kexec(host: t.Any) -> None:
    # Which of the two orders counts is busybox's to say; the wish came after the shutdown had begun.
    assert host.end("poweroff, then reboot") in ("off", "firmware")
