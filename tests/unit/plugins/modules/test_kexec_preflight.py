# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kexec_preflight as Ansible runs it."""

from __future__ import annotations

import json
import typing as t

import pytest
import yaml
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image import choose
from ansible_collections.alpinefleet.kexec.plugins.modules import kexec_preflight
from ansible_collections.alpinefleet.kexec.tests.unit import documentation, fakes

if t.TYPE_CHECKING:
    from ansible_collections.alpinefleet.kexec.tests.unit.plugins.modules.conftest import (
        Documented,
        Machine,
        Own,
    )

main = kexec_preflight.main
DOCS = documentation.of("kexec_preflight")


def test_able_host(machine: Machine) -> None:
    result = machine.run(main)
    assert (result["able"], result["method"], result["reasons"]) == (True, "kexec", [])
    assert result["changed"] is False
    assert result["kernel"] == "/boot/vmlinuz-virt"
    assert result["initramfs"] == ["/boot/initramfs-virt"]
    assert result["release"] == fakes.RELEASE
    assert result["cmdline"] == fakes.CONFIGURED
    assert result["facts"]["kexec_tools_version"] == "2.0.32"


def test_obstacles_are_a_result_and_not_a_failure(machine: Machine) -> None:
    machine.alpine.lock()
    result = machine.run(main)
    assert "failed" not in result
    assert (result["able"], result["method"]) == (False, "firmware")
    assert [each["code"] for each in result["reasons"]] == ["kexec_locked", "cmdline_drift"]


@pytest.mark.parametrize("check_mode", [False, True], ids=["for real", "in check mode"])
def test_nothing_is_changed(machine: Machine, check_mode: bool) -> None:
    before = machine.alpine.snapshot()
    machine.run(main, check_mode=check_mode)
    assert machine.alpine.snapshot() == before
    assert machine.words == []


def test_same_question_has_the_same_answer(machine: Machine) -> None:
    assert machine.run(main) == machine.run(main)


def test_options_reach_the_survey(machine: Machine) -> None:
    machine.alpine.add_flavour("lts", "6.18.56-0-lts")
    result = machine.run(
        main, flavour="lts", cmdline_append=["console=ttyS0"], cmdline_remove=["quiet"]
    )
    assert result["kernel"] == "/boot/vmlinuz-lts"
    assert result["cmdline"].endswith("kexec_load_disabled=0 console=ttyS0")
    assert "quiet" not in result["cmdline"]


def test_reasons_can_be_ignored(machine: Machine) -> None:
    machine.alpine.write("/proc/meminfo", "MemAvailable: 1 kB\n")
    assert machine.run(main)["able"] is False
    assert machine.run(main, ignore_reasons=["memory_low"])["able"] is True


def test_controller_is_recognised(machine: Machine) -> None:
    result = machine.run(main, controller_boot_id=fakes.BOOT_ID)
    assert [each["code"] for each in result["reasons"]] == ["target_is_controller"]


WRONG: list[t.Any] = [
    pytest.param(
        {"kernel": "/k", "flavour": "virt"}, "mutually exclusive: kernel|flavour", id="two kernels"
    ),
    pytest.param(
        {"cmdline_source": "explicit"},
        "cmdline_source is explicit but all of",
        id="no command line",
    ),
    pytest.param({"cmdline_source": "guess"}, "value of cmdline_source must be", id="source"),
    pytest.param({"ignore_reasons": ["kexec_locked"]}, "value of ignore_reasons", id="reason"),
    pytest.param({"cmdline": "a"}, "The option cmdline is set", id="option without effect"),
    pytest.param({"token": "abc"}, "Unsupported parameters", id="option of another module"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_wrong_options_fail(machine: Machine, arguments: dict[str, t.Any], message: str) -> None:
    result = machine.run(main, **arguments)
    assert result["failed"] is True
    assert message in result["msg"]


def test_option_that_cannot_be_used_has_its_reason(machine: Machine) -> None:
    result = machine.run(main, cmdline="a")
    assert result["stage"] == "preflight"
    assert [each["code"] for each in result["reasons"]] == ["cmdline_invalid"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param({"kernel": "/boot/vmlinuz-\0"}, "path_invalid", id="kernel"),
        pytest.param({"kernel": "/media/\0"}, "path_invalid", id="kernel elsewhere"),
        pytest.param({"initramfs": ["/boot/initramfs-virt\0"]}, "path_invalid", id="initramfs"),
        pytest.param({"flavour": "virt\0"}, "flavour_unknown", id="flavour"),
    ],
)
def test_name_that_no_file_can_have_is_a_reason(
    machine: Machine, arguments: dict[str, t.Any], code: str
) -> None:
    result = machine.run(main, **arguments)
    assert [each["code"] for each in result["reasons"]] == [code]


MODEL, ID = "/sys/class/dmi/id/product_name", "/sys/class/dmi/id/product_uuid"


def name_two_flavours(host: fakes.FakeHost) -> None:
    host.write("/boot/vmlinuz-\udce9", b"")
    host.remove("/boot/extlinux.conf")
    host.write("/proc/sys/kernel/osrelease", "6.18.56-0-edge\n")


@pytest.mark.parametrize(
    ("arrange", "code"),
    [
        pytest.param(lambda host: host.write(MODEL, b"caf\xe9\n"), None, id="DMI"),
        pytest.param(lambda host: host.write(ID, b"caf\xe9\n"), None, id="identity"),
        pytest.param(
            lambda host: host.write("/proc/cmdline", b"quiet caf\xe9\n"),
            "cmdline_drift",
            id="command line",
        ),
        pytest.param(name_two_flavours, "flavour_ambiguous", id="name"),
        pytest.param(
            lambda host: host.write(
                "/boot/extlinux.conf",
                b"DEFAULT a\nLABEL a\nLINUX vmlinuz-\xe9\nINITRD initramfs-virt\n",
            ),
            "path_invalid",
            id="name in the menu",
        ),
    ],
)
def test_bytes_that_are_no_letters_leave_an_answer(
    machine: Machine, arrange: t.Callable[[fakes.FakeHost], object], code: str | None
) -> None:
    arrange(machine.alpine)
    result = machine.run(main)
    json.dumps(result, ensure_ascii=False).encode()
    assert "failed" not in result
    assert result["able"] is (code not in ("path_invalid", "flavour_ambiguous"))
    assert code is None or code in [each["code"] for each in result["reasons"]]


# --- The documentation ---------------------------------------------------------------------


def test_every_value_is_documented_and_returned(
    machine: Machine, documented: type[Documented], own: Own
) -> None:
    assert own(machine.run(main)) == documented(DOCS.returns).of_survey()


def test_every_value_of_a_wrong_option_is_documented_and_returned(
    machine: Machine, documented: type[Documented], own: Own
) -> None:
    names = documented(DOCS.returns).names("always", "failure")
    assert own(machine.run(main, cmdline="a")) == names == {"reasons", "stage"}


def test_every_fact_is_documented_and_returned(
    machine: Machine, documented: type[Documented]
) -> None:
    facts = machine.run(main)["facts"]
    assert set(facts) == documented(DOCS.returns).within("facts")


def test_every_key_of_a_lock_setting_is_documented_and_returned(machine: Machine) -> None:
    machine.alpine.relock()
    (setting,) = machine.run(main)["facts"]["lock_settings"]
    facts = DOCS.returns["facts"]["contains"]
    assert set(setting) == set(facts["lock_settings"]["contains"])


def test_every_key_of_a_jump_is_documented_and_returned(machine: Machine) -> None:
    machine.alpine.jump()
    hung = machine.run(main)["facts"]["hung"]
    facts = DOCS.returns["facts"]["contains"]
    assert set(hung) == set(facts["hung"]["contains"])


def test_every_key_of_a_reason_is_documented_and_returned(
    machine: Machine, documented: type[Documented]
) -> None:
    (found,) = machine.run(main, cmdline_remove=["panic"])["reasons"]
    assert set(found) == documented(DOCS.returns).within("reasons")


def test_option_of_ignorable_reasons_lists_them_all() -> None:
    choices = choose.PREFLIGHT_ARGUMENTS["ignore_reasons"]["choices"]
    assert choices == [
        "initramfs_mismatch",
        "kexec_hung",
        "memory_low",
        "modules_missing",
        "platform_denied",
        "starts_no_linux",
    ]


def test_examples_are_tasks_of_this_module() -> None:
    tasks = yaml.safe_load(DOCS.examples)
    assert "alpinefleet.kexec.kexec_preflight" in tasks[0]
    assert all("name" in task for task in tasks)
