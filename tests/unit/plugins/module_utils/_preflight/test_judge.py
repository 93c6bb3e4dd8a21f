# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verdict: the causes of one error told apart, and each with its own remedy."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._preflight import judge
from ansible_collections.alpinefleet.kexec.plugins.module_utils._preflight import (
    state as state_module,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._preflight.state import (
    Setting,
    State,
)
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

MIB = 1024 * 1024
LOCKED_CMDLINE = "root=/dev/vda1"
SETTING = Setting("/etc/sysctl.d/99-hard.conf", 3, "1")


@pytest.fixture
def able(alpine: fakes.FakeHost) -> State:
    return state_module.read(alpine.host)


def codes(state: State, *, unlocked_by_firmware: bool | None = True) -> list[str]:
    found = judge.judge_host(state, unlocked_by_firmware=unlocked_by_firmware)
    return [each.code for each in found]


def test_nothing_stands_against_an_unlocked_host(able: State) -> None:
    assert codes(able) == []


# --- One error, many causes ----------------------------------------------------------------

# What the kernel answers with EPERM, and what is behind it.
CAUSES: list[t.Any] = [
    pytest.param(
        {"load_disabled": True, "cmdline": LOCKED_CMDLINE}, ["kexec_locked"], id="booted locked"
    ),
    pytest.param(
        {"load_disabled": True, "lock_settings": (SETTING,)},
        ["kexec_relocked"],
        id="locked after the boot",
    ),
    pytest.param({"load_disabled": True}, ["kexec_relocked"], id="locked after the boot by hand"),
    pytest.param(
        {"load_disabled": True, "cmdline": LOCKED_CMDLINE, "lock_settings": (SETTING,)},
        ["kexec_locked", "kexec_relocked"],
        id="locked twice",
    ),
    pytest.param({"load_limit": 0}, ["kexec_limit_reached"], id="limit used up"),
    pytest.param({"lockdown": "integrity"}, ["lockdown"], id="lockdown"),
    pytest.param({"lockdown": "confidentiality"}, ["lockdown"], id="stricter lockdown"),
    pytest.param({"cap_sys_boot": False}, ["no_cap_sys_boot"], id="capability dropped"),
    pytest.param({}, ["kexec_denied"], id="nothing that could be read"),
    pytest.param(
        {
            "load_disabled": True,
            "cmdline": LOCKED_CMDLINE,
            "lockdown": "integrity",
            "load_limit": 0,
            "cap_sys_boot": False,
        },
        ["no_cap_sys_boot", "kexec_locked", "kexec_limit_reached", "lockdown"],
        id="everything at once",
    ),
]


@pytest.mark.parametrize(("fields", "expected"), CAUSES)
def test_causes_of_one_error_are_told_apart(
    able: State, fields: dict[str, t.Any], expected: list[str]
) -> None:
    assert codes(replace(able, kernel_answer="EPERM", **fields)) == expected


def test_the_same_error_has_another_remedy_for_another_cause(able: State) -> None:
    def remedy(**fields: t.Any) -> str:
        state = replace(able, kernel_answer="EPERM", **fields)
        return judge.judge_host(state, unlocked_by_firmware=False)[0].remedy

    remedies = {
        remedy(load_disabled=True, cmdline=LOCKED_CMDLINE),
        remedy(load_disabled=True, lock_settings=(SETTING,)),
        remedy(lockdown="integrity"),
        remedy(load_limit=0),
        remedy(cap_sys_boot=False),
        remedy(),
    }
    assert len(remedies) == 6


@pytest.mark.parametrize("answer", ["EPERM", "EACCES"])
def test_a_refusal_without_a_cause_names_the_answer(able: State, answer: str) -> None:
    (found,) = judge.judge_host(replace(able, kernel_answer=answer), unlocked_by_firmware=True)
    assert found.code == "kexec_denied"
    assert answer in found.message


@pytest.mark.parametrize("answer", ["EINVAL", None])
def test_no_refusal_is_no_reason(able: State, answer: str | None) -> None:
    assert codes(replace(able, kernel_answer=answer)) == []


def test_a_setting_that_does_not_lock_is_not_blamed(able: State) -> None:
    state = replace(able, load_disabled=True, lock_settings=(replace(SETTING, value="0"),))
    (found,) = judge.judge_host(state, unlocked_by_firmware=True)
    assert "something that is not in sysctl.d" in found.message


def test_a_setting_is_named_with_its_line(able: State) -> None:
    state = replace(able, load_disabled=True, lock_settings=(SETTING,))
    (found,) = judge.judge_host(state, unlocked_by_firmware=True)
    assert "/etc/sysctl.d/99-hard.conf:3" in found.message
    assert found.remedy.startswith("Remove that line from /etc/sysctl.d/99-hard.conf and reboot")


@pytest.mark.parametrize(
    ("unlocked_by_firmware", "start"),
    [
        pytest.param(True, "Reboot once through firmware", id="configured already"),
        pytest.param(False, "Add kexec_load_disabled=0", id="not configured"),
        pytest.param(None, "Add kexec_load_disabled=0", id="not known"),
    ],
)
def test_the_remedy_of_a_lock_knows_the_boot_loader(
    able: State, unlocked_by_firmware: bool | None, start: str
) -> None:
    state = replace(able, load_disabled=True, cmdline=LOCKED_CMDLINE)
    (found,) = judge.judge_host(state, unlocked_by_firmware=unlocked_by_firmware)
    assert found.remedy.startswith(start)


@pytest.mark.parametrize(("secure_boot", "told"), [(True, True), (False, False), (None, False)])
def test_lockdown_by_secure_boot_is_told(able: State, secure_boot: bool | None, told: bool) -> None:
    state = replace(able, lockdown="integrity", secure_boot=secure_boot)
    (found,) = judge.judge_host(state, unlocked_by_firmware=True)
    assert ("because Secure Boot is on" in found.message) is told


# --- Support -------------------------------------------------------------------------------

SUPPORT: list[t.Any] = [
    pytest.param({"config_kexec": False}, ["no_kexec_support"], id="configuration says no"),
    pytest.param({"kernel_answer": "ENOSYS"}, ["no_kexec_support"], id="kernel says no"),
    pytest.param(
        {"config_kexec": None, "kexec_in_sysfs": False}, ["no_kexec_support"], id="no file in sysfs"
    ),
    pytest.param({"config_kexec": None}, [], id="no configuration and a file in sysfs"),
    pytest.param({"kexec_path": None}, ["no_kexec_tools"], id="no command"),
    pytest.param({"openrc_path": None}, ["no_openrc"], id="no OpenRC"),
    pytest.param(
        {"platform": {"product_name": "Google Compute Engine"}}, ["platform_denied"], id="platform"
    ),
]


@pytest.mark.parametrize(("fields", "expected"), SUPPORT)
def test_support(able: State, fields: dict[str, t.Any], expected: list[str]) -> None:
    assert codes(replace(able, **fields)) == expected


@pytest.mark.parametrize(
    ("platform", "message"),
    [
        pytest.param(
            {"sys_vendor": "Acme", "product_name": "X1"},
            "The host is a Acme X1, a platform that the option denied_platforms names.",
            id="only by the option",
        ),
        pytest.param(
            {"product_name": "Google Compute Engine"},
            "The host is a Google Compute Engine, a platform that the option denied_platforms "
            "names.",
            id="by the option, too",
        ),
    ],
)
def test_platform_of_the_option(able: State, platform: dict[str, str], message: str) -> None:
    (found,) = judge.judge_host(
        replace(able, platform=platform),
        unlocked_by_firmware=True,
        denied_platforms=["acme x1", "google compute engine"],
    )
    assert (found.code, found.message) == ("platform_denied", message)


# --- What makes all the rest meaningless ---------------------------------------------------


def test_a_container_is_not_judged_further(able: State) -> None:
    assert codes(replace(able, container="lxc", uid=1000, kexec_path=None)) == ["container"]


def test_another_user_than_root_is_not_judged_further(able: State) -> None:
    assert codes(replace(able, uid=1000, cap_sys_boot=False)) == ["not_root"]


def test_a_host_that_is_being_left_is_not_judged_further(able: State) -> None:
    assert codes(replace(able, leaving=True, kexec_path=None)) == ["already_leaving"]


def test_a_host_that_somebody_shuts_down_is_not_judged_further(able: State) -> None:
    assert codes(replace(able, stopping=True, kexec_path=None)) == ["already_leaving"]


def test_only_root_is_told_that_a_host_is_being_left(able: State) -> None:
    assert codes(replace(able, leaving=True, uid=1000)) == ["not_root"]


@pytest.mark.parametrize(
    "controller",
    [fakes.BOOT_ID, f"{fakes.BOOT_ID}\n", fakes.BOOT_ID.upper()],
    ids=["equal", "with its line feed", "in capitals"],
)
def test_the_controller_is_refused_before_all_else(able: State, controller: str) -> None:
    (found,) = judge.judge_host(
        replace(able, container="docker"),
        unlocked_by_firmware=True,
        controller_boot_id=controller,
    )
    assert found.code == "target_is_controller"


@pytest.mark.parametrize(
    ("own", "controller"),
    [
        pytest.param(fakes.BOOT_ID, "d7a0c3f2-04f3-4b7e-8a44-0d1c8fb0a6e1", id="another boot"),
        pytest.param(fakes.BOOT_ID, None, id="controller that does not say"),
        pytest.param(None, None, id="neither says"),
        pytest.param(None, "unknown", id="no boot_id on either side"),
    ],
)
def test_another_machine_is_not_the_controller(
    able: State, own: str | None, controller: str | None
) -> None:
    found = judge.judge_host(
        replace(able, boot_id=own), unlocked_by_firmware=True, controller_boot_id=controller
    )
    assert found == []


# --- The lock, memory, and the need --------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({}, True, id="unlocked by the parameter"),
        pytest.param(
            {"load_disabled": True, "cmdline": LOCKED_CMDLINE}, True, id="locked without it"
        ),
        pytest.param({"cmdline": LOCKED_CMDLINE}, False, id="never locked"),
        pytest.param({"cmdline": 'a="b kexec_load_disabled=0'}, False, id="inside an open quote"),
    ],
)
def test_needs_unlock(able: State, fields: dict[str, t.Any], expected: bool) -> None:
    assert judge.needs_unlock(replace(able, **fields)) is expected


@pytest.mark.parametrize(
    ("available", "low"),
    [
        pytest.param(36 * MIB, False, id="just enough"),
        pytest.param(36 * MIB - 1, True, id="a byte too little"),
        pytest.param(None, False, id="not known"),
    ],
)
def test_memory_for_two_copies_and_room_to_work(
    able: State, available: int | None, low: bool
) -> None:
    found = judge.judge_memory(replace(able, available_bytes=available), 10 * MIB)
    assert [each.code for each in found] == ["memory_low"] * low


def test_memory_is_told_in_figures(able: State) -> None:
    (found,) = judge.judge_memory(replace(able, available_bytes=20 * MIB), 10 * MIB)
    assert found.message == "20 MiB of memory are available and the image needs 36 MiB."


@pytest.mark.parametrize(
    ("fields", "flavour", "release", "expected"),
    [
        pytest.param({}, "virt", fakes.RELEASE, [], id="up to date"),
        pytest.param({}, None, None, [], id="nothing is known"),
        pytest.param(
            {"release": fakes.OLD_RELEASE, "module_trees": (fakes.OLD_RELEASE,)},
            "virt",
            None,
            [f"{fakes.OLD_RELEASE} is running and {fakes.RELEASE} is installed."],
            id="upgraded",
        ),
        pytest.param(
            {"release": fakes.OLD_RELEASE},
            "virt",
            fakes.RELEASE,
            [
                f"{fakes.OLD_RELEASE} is running and {fakes.RELEASE} is installed.",
                f"The modules of the running kernel {fakes.OLD_RELEASE} are gone.",
            ],
            id="upgraded and modules gone",
        ),
        pytest.param(
            {},
            "test",
            "6.19.0",
            [f"{fakes.RELEASE} is running and 6.19.0 is installed."],
            id="kernel without a package",
        ),
    ],
)
def test_reboot_need(
    able: State,
    fields: dict[str, t.Any],
    flavour: str | None,
    release: str | None,
    expected: list[str],
) -> None:
    assert judge.judge_reboot_need(replace(able, **fields), flavour, release) == expected
