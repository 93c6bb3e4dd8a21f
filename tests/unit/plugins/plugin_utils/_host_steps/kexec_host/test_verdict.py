# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands against a host, and whether it has to boot."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils import _reasons
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Reason
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps.kexec_host import (
    kept,
    verdict,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._parsing.answer import Answer

from .test_kept import told
from .test_preparation import wanted


def reasons(*codes: str) -> tuple[Reason, ...]:
    return tuple(_reasons.reason(code, f"{code}.", "Mend it.") for code in codes)


def codes(found: t.Iterable[Reason]) -> list[str]:
    return [each.code for each in found]


def test_codes_are_those_of_the_preflight() -> None:
    assert {*verdict.HOPELESS, *verdict.LOCKS} <= set(_reasons.VOCABULARY)


def test_only_what_nobody_can_mend_is_hopeless() -> None:
    found = verdict.hopeless(reasons(*_reasons.VOCABULARY))
    assert sorted(codes(found)) == [
        *("container", "lockdown", "no_cap_sys_boot", "no_kexec_support", "no_openrc", "not_root"),
        *("platform_denied", "starts_no_linux"),
    ]


@pytest.mark.parametrize(
    ("found", "boots", "left"),
    [
        pytest.param([], False, [], id="nothing"),
        pytest.param(["panic_hangs"], False, [], id="advice"),
        pytest.param(
            ["kexec_locked", "memory_low"], False, ["kexec_locked", "memory_low"], id="a lock"
        ),
        pytest.param(
            ["kexec_locked", "kexec_relocked", "memory_low", "kernel_missing"],
            True,
            ["memory_low", "kernel_missing"],
            id="a lock that a boot will open",
        ),
    ],
)
def test_lock_is_in_the_way_only_after_the_boot_that_opens_it(
    found: list[str], boots: bool, left: list[str]
) -> None:
    assert codes(verdict.in_the_way(reasons(*found), boots=boots)) == left


KEPT = kept.parse(told())
NOTHING_KEPT = kept.parse(told(None))


@pytest.mark.parametrize(
    ("state", "found", "disabled", "before", "expected"),
    [
        pytest.param("present", [], False, KEPT, False, id="open"),
        pytest.param("present", ["kexec_locked"], True, KEPT, True, id="locked"),
        pytest.param("present", ["kexec_relocked"], True, KEPT, True, id="locked since the boot"),
        pytest.param("present", ["memory_low"], True, KEPT, False, id="something else"),
        pytest.param("absent", [], False, KEPT, True, id="open, and was locked before"),
        pytest.param("absent", [], True, KEPT, False, id="locked again already"),
        pytest.param("absent", [], None, KEPT, False, id="the host does not say"),
        pytest.param("absent", [], False, NOTHING_KEPT, False, id="never was ours"),
        pytest.param("absent", ["kexec_locked"], True, KEPT, False, id="a lock is what is wanted"),
    ],
)
def test_host_boots_to_open_the_lock_or_to_close_it(
    state: str, found: list[str], disabled: bool | None, before: t.Any, expected: bool
) -> None:
    answer = Answer(reasons=reasons(*found), load_disabled=disabled)
    assert verdict.must_boot(wanted(state=state), answer, before) is expected


@pytest.mark.parametrize(
    ("state", "boots", "allowed", "said"),
    [
        ("present", True, False, "kexec stays locked until the host has rebooted once"),
        ("absent", True, False, "kexec stays open until the host has rebooted once"),
        ("present", True, True, ""),
        ("present", False, False, ""),
    ],
)
def test_boot_that_the_role_must_not_make_is_told(
    state: str, boots: bool, allowed: bool, said: str
) -> None:
    found = verdict.advice(wanted(state=state, reboot_allowed=allowed), boots=boots)
    assert said in found
    assert bool(found) is bool(said)


MISSING = " * A reboot through kexec is not possible: /boot/vmlinuz-virt is missing or empty."


@pytest.mark.parametrize(
    ("verified", "said"),
    [
        pytest.param({"rc": 0, "stdout": " * kernel: /boot/vmlinuz"}, "", id="it finds an image"),
        pytest.param({"skipped": True, "changed": False}, "", id="there is no service"),
        pytest.param(
            {"rc": 1, "msg": "non-zero return code", "stderr": f"{MISSING}\n"},
            "nothing: A reboot through kexec is not possible: /boot/vmlinuz-virt is missing or empty.",
            id="it finds none",
        ),
        pytest.param(
            {"rc": 2, "msg": "Error executing command."},
            "nothing: Error executing",
            id="no command",
        ),
        pytest.param({"rc": 1}, "nothing: it does not say why.", id="without a word"),
        pytest.param({}, "nothing: it does not say why.", id="no result"),
    ],
)
def test_service_says_itself_why_it_would_load_nothing(
    verified: dict[str, t.Any], said: str
) -> None:
    found = verdict.of_service(verified)
    assert said in found
    assert bool(found) is bool(said)
    assert not found or "run the role again" in found


@pytest.mark.parametrize(
    ("found", "names"),
    [
        pytest.param({}, "", id="no result"),
        pytest.param({"files": []}, "", id="none"),
        pytest.param({"files": [{"path": "/boot/other/a-0123456789ab"}]}, "", id="elsewhere"),
        pytest.param({"files": ["a", {"path": 1}, {}]}, "", id="of another form"),
        pytest.param(
            {"files": [{"path": f"/boot/alpinefleet-kexec/{name}"} for name in ("b-1", "a-1")]},
            "(a-1, b-1)",
            id="two",
        ),
    ],
)
def test_slots_stand_against_taking_their_service_away(found: dict[str, t.Any], names: str) -> None:
    why, remedy = verdict.of_slots(found)
    assert names in why
    assert bool(why) is bool(remedy) is bool(names)
