# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host says is taken where it has its form, and nothing else of it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Reason
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._answer import (
    Answer,
    Watchdog,
    parse,
)
from hypothesis import given
from hypothesis import strategies as st

BOOT_ID = "3b2d1f60-6f5c-4a0e-9f0d-6a1f0f3c9a77"
LOCKED = {"code": "kexec_locked", "message": "It is.", "remedy": "Unlock.", "blocks": "kexec"}
FACTS = {
    "firmware_kernel": "/boot/vmlinuz-lts",
    "hardware_id": "dmi:4C4C",
    "running_release": "6.18.38-0-virt",
    "running_cmdline": "quiet",
}
SAID: dict[str, t.Any] = {
    "failed": True,
    "changed": True,
    "stage": "load",
    "msg": "It is locked.",
    "reasons": [LOCKED],
    "boot_id": BOOT_ID.upper(),
    "uptime": 12.5,
    "token": "t0ken",
    "watchdog": {"device": "/dev/watchdog0", "timeout": 60, "driver": "i6300esb"},
    "kernel": "/boot/vmlinuz-virt",
    "release": "6.18.56-0-virt",
    "diff": {"before": "", "after": "x"},
    "facts": FACTS,
}


def test_whole_answer() -> None:
    assert parse(SAID) == Answer(
        failed=True,
        changed=True,
        loading=True,
        said="It is locked.",
        reasons=(Reason("kexec_locked", "It is.", "Unlock.", "kexec"),),
        boot_id=BOOT_ID,
        uptime=12.5,
        hardware_id="dmi:4c4c",
        token="t0ken",
        watchdog=Watchdog("/dev/watchdog0", 60),
        kernel="/boot/vmlinuz-virt",
        release="6.18.56-0-virt",
        firmware_kernel="/boot/vmlinuz-lts",
        running_release="6.18.38-0-virt",
        running_cmdline="quiet",
        diff={"before": "", "after": "x"},
    )


@pytest.mark.parametrize(
    ("by_kexec", "cmdline", "ends_in_kexec"),
    [
        pytest.param(True, "quiet", True, id="no token"),
        pytest.param(True, "quiet alpinefleet_kexec.token=t0ken", False, id="token"),
        pytest.param(True, "quiet -- alpinefleet_kexec.token=t0ken", True, id="token of init"),
        pytest.param(False, "quiet", False, id="by firmware"),
        pytest.param(None, "quiet", False, id="not reported"),
        pytest.param("yes", "quiet", False, id="of another type"),
    ],
)
def test_boot_loader_that_ends_in_a_kexec_leaves_no_token(
    by_kexec: t.Any, cmdline: str, ends_in_kexec: bool
) -> None:
    facts = {**FACTS, "started_by_kexec": by_kexec, "running_cmdline": cmdline}
    found = parse({**SAID, "facts": facts})
    assert found.started_by_kexec is (by_kexec is True)
    assert found.loader_ends_in_kexec is ends_in_kexec


@pytest.mark.parametrize("said", [{}, {"msg": " "}, {"msg": 3}, {"reasons": "none"}])
def test_answer_of_a_module_that_did_not_run(said: dict[str, t.Any]) -> None:
    found = parse(said)
    assert (found.reasons, found.said, found.defects) == (None, "it said nothing", ())


@pytest.mark.parametrize(
    ("odd", "name"),
    [
        pytest.param({"token": "a b"}, "token", id="token with a space"),
        pytest.param({"token": ["t0ken"]}, "token", id="token of another type"),
        pytest.param({"token": "t" * 65}, "token", id="token too long"),
        pytest.param({"watchdog": "/dev/watchdog0"}, "watchdog", id="watchdog that is text"),
        pytest.param(
            {"watchdog": {"device": 1, "timeout": 1}}, "watchdog", id="device that is none"
        ),
        pytest.param({"watchdog": {"device": "x", "timeout": "1"}}, "watchdog", id="no timeout"),
        pytest.param({"watchdog": {"device": "x", "timeout": True}}, "watchdog", id="odd timeout"),
        pytest.param({"kernel": 7}, "kernel", id="kernel"),
        pytest.param({"release": {}}, "release", id="release"),
        pytest.param({"facts": {**FACTS, "firmware_kernel": []}}, "firmware_kernel", id="default"),
        pytest.param({"facts": {**FACTS, "hardware_id": 1}}, "hardware_id", id="number"),
    ],
)
def test_what_has_another_form_is_not_known(odd: dict[str, t.Any], name: str) -> None:
    found = parse({**SAID, **odd})
    assert getattr(found, name) is None
    assert found.defects == ()


@pytest.mark.parametrize(
    ("odd", "defect"),
    [
        pytest.param({"boot_id": "b00t"}, "its boot_id is 'b00t'", id="boot_id"),
        pytest.param({"uptime": -1}, "its uptime is -1", id="uptime"),
        pytest.param({"uptime": 10**400}, f"its uptime is {10**400}", id="uptime without end"),
        pytest.param(
            {"facts": {**FACTS, "running_release": None}},
            "its running_release is None",
            id="release",
        ),
        pytest.param({"facts": "x"}, "its running_release is None", id="facts"),
        pytest.param({"reasons": ["x"]}, "a reason is 'x'", id="reason that is text"),
        pytest.param(
            {"reasons": [LOCKED, {**LOCKED, "code": "Kexec locked"}]},
            f"a reason is { ({**LOCKED, 'code': 'Kexec locked'})!r}",
            id="code that is none",
        ),
        pytest.param(
            {"reasons": [{**LOCKED, "blocks": "all"}]},
            f"a reason is { ({**LOCKED, 'blocks': 'all'})!r}",
            id="level that is none",
        ),
        pytest.param(
            {"reasons": [{**LOCKED, "blocks": ["kexec"]}]},
            f"a reason is { ({**LOCKED, 'blocks': ['kexec']})!r}",
            id="level of another type",
        ),
        pytest.param(
            {"reasons": [{"code": "a"}]}, "a reason is {'code': 'a'}", id="reason without a message"
        ),
    ],
)
def test_what_every_reboot_needs_is_named_where_it_is_missing(
    odd: dict[str, t.Any], defect: str
) -> None:
    assert defect in parse({**SAID, **odd}).defects


ODD: list[t.Any] = [
    None,
    True,
    0,
    1.5,
    float("nan"),
    "",
    "x",
    [],
    ["x"],
    [None],
    {},
    {"code": 1},
    {"x": {}},
]


@given(st.dictionaries(st.sampled_from(sorted(SAID)), st.sampled_from(ODD)))
def test_any_answer_is_parsed(odd: dict[str, t.Any]) -> None:
    found = parse({**SAID, **odd})
    assert found.reasons is None or all(isinstance(each, Reason) for each in found.reasons)
