# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the command reboot leads: before, during and after the role."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps.kexec_host import (
    command,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._step import StepError

from .test_preparation import wanted

EVERY = wanted(mode="every_reboot")
ON_REQUEST = wanted()
ABSENT = wanted(mode="every_reboot", state="absent")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"stat": {"exists": True, "lnk_target": "/bin/busybox"}}, "/bin/busybox"),
        ({"stat": {"exists": True, "islnk": False}}, ""),
        ({"stat": {"exists": False}}, ""),
        ({"stat": {"lnk_target": 7}}, ""),
        ({"stat": "said"}, ""),
        ({}, ""),
    ],
)
def test_link_is_read_of_what_a_task_found(found: dict[str, t.Any], expected: str) -> None:
    assert command.link_of(found) == expected


@pytest.mark.parametrize("now", ["busybox", "/bin/busybox", "kexec-reboot", "/sbin/kexec-reboot"])
def test_command_of_busybox_or_our_own_is_replaced(now: str) -> None:
    command.refuse_a_stranger(EVERY, now)


@pytest.mark.parametrize("now", ["", "/usr/bin/systemctl", "busybox-extras"])
def test_command_of_somebody_else_is_not_replaced(now: str) -> None:
    with pytest.raises(StepError, match=r"not busybox's.* Set kexec_host_mode"):
        command.refuse_a_stranger(EVERY, now)
    command.refuse_a_stranger(ON_REQUEST, now)


@pytest.mark.parametrize(
    ("asked", "now", "before", "expected"),
    [
        pytest.param(EVERY, "/bin/busybox", "/bin/busybox", "kexec-reboot", id="every reboot"),
        pytest.param(EVERY, "kexec-reboot", None, "kexec-reboot", id="every reboot, again"),
        pytest.param(ON_REQUEST, "/bin/busybox", None, "", id="on request"),
        pytest.param(
            ON_REQUEST,
            "kexec-reboot",
            "busybox",
            "busybox",
            id="on request, where it was every one",
        ),
        pytest.param(ON_REQUEST, "", None, "", id="a host without the command"),
        pytest.param(ABSENT, "kexec-reboot", "busybox", "busybox", id="led back"),
        pytest.param(ABSENT, "/sbin/kexec-reboot", None, "/bin/busybox", id="by what Alpine has"),
        pytest.param(ABSENT, "/usr/bin/other", "busybox", "", id="somebody else's since"),
    ],
)
def test_command_leads_where_it_is_to(
    asked: t.Any, now: str, before: str | None, expected: str
) -> None:
    assert command.leads_to(asked, now, before) == expected
