# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel and the firmware say, and the question to the kernel, which is harmless."""

from __future__ import annotations

import ctypes
import errno
import importlib.util
import os
import struct
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host import (
    machine as machine_module,
)
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

# The kernel's own limits, from include/uapi/linux/kexec.h.
SEGMENTS_MAXIMUM = 16
ARCHITECTURE_MASK = 0xFFFF0000
KNOWN_FLAGS = 0xF


class FakeKernel:
    """The C library's syscall(), answered by a kernel of the test's choice."""

    def __init__(self, answer: int, error: int = 0) -> None:
        self.calls: list[list[int | None]] = []
        self._answer = answer
        self._error = error

    def syscall(self, *arguments: t.Any) -> int:
        self.calls.append([argument.value for argument in arguments])
        ctypes.set_errno(self._error)
        return self._answer


def boot(monkeypatch: pytest.MonkeyPatch, kernel: FakeKernel, machine: str = "x86_64") -> None:
    name = os.uname_result(("Linux", "host", "6.18.56-0-virt", "#1", machine))
    monkeypatch.setattr(os, "uname", lambda: name)
    monkeypatch.setattr(ctypes, "CDLL", lambda _name, use_errno: kernel)
    monkeypatch.setattr(struct, "calcsize", lambda _form: 8)


@pytest.mark.parametrize(
    ("error", "name"),
    [
        pytest.param(errno.EINVAL, "EINVAL", id="allowed"),
        pytest.param(errno.EPERM, "EPERM", id="forbidden"),
        pytest.param(errno.ENOSYS, "ENOSYS", id="not built"),
        pytest.param(99999, None, id="an error without a name"),
    ],
)
def test_ask_names_the_error(monkeypatch: pytest.MonkeyPatch, error: int, name: str | None) -> None:
    boot(monkeypatch, FakeKernel(-1, error))
    assert machine_module.ask_kexec() == name


def test_ask_knows_nothing_where_the_kernel_does_not_refuse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    boot(monkeypatch, FakeKernel(0, errno.EPERM))
    assert machine_module.ask_kexec() is None


@pytest.mark.parametrize(
    ("machine", "number"),
    [
        ("x86_64", 246),
        ("aarch64", 104),
        ("riscv64", 104),
        ("loongarch64", 104),
        ("ppc64le", 268),
        ("s390x", 277),
    ],
)
def test_ask_calls_by_the_number_of_the_architecture(
    monkeypatch: pytest.MonkeyPatch, machine: str, number: int
) -> None:
    kernel = FakeKernel(-1, errno.EINVAL)
    boot(monkeypatch, kernel, machine)
    machine_module.ask_kexec()
    assert kernel.calls == [[number, 0, 0xFFFF, 0, 0x8000]]


def test_question_is_invalid_to_every_kernel() -> None:
    assert machine_module.TOO_MANY_SEGMENTS > SEGMENTS_MAXIMUM
    assert machine_module.INVALID_FLAGS & (ARCHITECTURE_MASK | KNOWN_FLAGS) == 0


def test_ask_asks_nothing_on_an_architecture_without_a_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kernel = FakeKernel(-1)
    boot(monkeypatch, kernel, "armv7l")
    assert machine_module.ask_kexec() is None
    assert kernel.calls == []


def test_ask_asks_nothing_from_a_process_narrower_than_the_kernel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kernel = FakeKernel(-1)
    boot(monkeypatch, kernel)
    monkeypatch.setattr(struct, "calcsize", lambda _form: 4)
    assert machine_module.ask_kexec() is None
    assert kernel.calls == []


# --- The library of the host itself


def test_function_that_succeeds_is_no_error(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        assert machine_module.call_library("syncfs", file.fileno()) == 0


def test_error_is_that_of_the_function() -> None:
    assert machine_module.call_library("syncfs", -1) == errno.EBADF


def test_failure_that_says_nothing_is_one_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    boot(monkeypatch, FakeKernel(-1, 0))
    assert machine_module.call_library("syscall", 0) == errno.EIO


def test_all_numbers_are_handed_over() -> None:
    # getpriority(PRIO_PROCESS, the highest number that no process has) finds no process.
    assert machine_module.call_library("getpriority", 0, 2**31 - 1) == errno.ESRCH


def test_function_that_the_library_lacks_cannot_be_called() -> None:
    assert machine_module.call_library("no_such_function") is None


def test_nothing_is_called_where_python_has_no_ctypes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ctypes", None)
    # By its own name, which its relative imports need.
    spec = importlib.util.spec_from_file_location(machine_module.__name__, machine_module.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.call_library("syncfs", -1) is None


# --- Which boot runs -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(f"{fakes.BOOT_ID}\n", fakes.BOOT_ID, id="as the kernel prints it"),
        pytest.param(fakes.BOOT_ID.upper(), fakes.BOOT_ID, id="capitals"),
        pytest.param("ssh: connection refused", None, id="an error message"),
        pytest.param("", None, id="nothing"),
        pytest.param(None, None, id="no file"),
    ],
)
def test_valid_boot_id(text: str | None, expected: str | None) -> None:
    assert machine_module.valid_boot_id(text) == expected


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        pytest.param("4000.25 7900.00\n", 4000.25, id="with a fraction"),
        pytest.param("0.03 0.00\n", 0.03, id="just booted"),
        pytest.param("", None, id="empty"),
        pytest.param("nan 1.0\n", None, id="no number"),
    ],
)
def test_uptime(alpine: fakes.FakeHost, said: str, seconds: float | None) -> None:
    alpine.write("/proc/uptime", said)
    assert machine_module.uptime(alpine.host.text("/proc/uptime")) == seconds


def test_uptime_of_a_host_that_does_not_tell_it(alpine: fakes.FakeHost) -> None:
    alpine.remove("/proc/uptime")
    assert machine_module.uptime(alpine.host.text("/proc/uptime")) is None


# --- Platforms that hang in kexec, known by their firmware ---------------------------------

AZURE = {
    "sys_vendor": "Microsoft Corporation",
    "product_name": "Virtual Machine",
    "chassis_asset_tag": "7783-7084-3265-9085-8269-3286-77",
}

DENIED: dict[str, tuple[dict[str, str], str]] = {
    "Google": (
        {"sys_vendor": "Google", "product_name": "Google Compute Engine"},
        "Google Compute Engine",
    ),
    "Azure": (AZURE, "Microsoft Azure"),
    "Raspberry Pi": ({"model": "Raspberry Pi 4 Model B Rev 1.5"}, "Raspberry Pi"),
    "Rock Pi": ({"model": "Radxa ROCK Pi 4B"}, "Rock Pi"),
}

ALLOWED: dict[str, dict[str, str]] = {
    "nothing known": {},
    "QEMU": {"sys_vendor": "QEMU", "product_name": "Standard PC (Q35 + ICH9, 2009)"},
    "Hyper-V outside Azure": {
        "sys_vendor": "Microsoft Corporation",
        "product_name": "Virtual Machine",
        "chassis_asset_tag": "1234-5678",
    },
    "the tag of Azure elsewhere": {**AZURE, "sys_vendor": "QEMU"},
    "Amazon": {"sys_vendor": "Amazon EC2", "product_name": "t3.micro"},
    "a server": {"sys_vendor": "Supermicro", "product_name": "X11SPi-TF"},
    "another board": {"model": "Pine64 RockPro64 v2.1"},
    "a name in the middle": {"model": "Not a Raspberry Pi"},
    "the name in another field": {"sys_vendor": "Google Compute Engine"},
}

# What the kernel's files hold: DMI fields end with a line feed, the device tree's with a NUL.
FILES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "nothing": ({}, {}),
    "DMI": (
        {"/sys/class/dmi/id/sys_vendor": "QEMU\n", "/sys/class/dmi/id/product_name": "pc \n"},
        {"sys_vendor": "QEMU", "product_name": "pc"},
    ),
    "Azure": (
        {f"/sys/class/dmi/id/{name}": f"{value}\n" for name, value in AZURE.items()},
        AZURE,
    ),
    "empty fields": (
        {"/sys/class/dmi/id/sys_vendor": "\n", "/sys/class/dmi/id/chassis_asset_tag": ""},
        {},
    ),
    "a device tree": (
        {"/proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.5\0"},
        {"model": "Raspberry Pi 4 Model B Rev 1.5"},
    ),
}


@pytest.mark.parametrize(("fields", "name"), DENIED.values(), ids=DENIED)
def test_denied(fields: dict[str, str], name: str) -> None:
    platform = machine_module.denied(fields)
    assert platform is not None
    assert platform.name == name


@pytest.mark.parametrize("fields", ALLOWED.values(), ids=ALLOWED)
def test_allowed(fields: dict[str, str]) -> None:
    assert machine_module.denied(fields) is None


Q35 = {"sys_vendor": "QEMU", "product_name": "Standard PC  (Q35)"}

NAMES: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "nothing": ({}, ()),
    "vendor and product": (Q35, ("QEMU Standard PC (Q35)", "Standard PC (Q35)")),
    "only a vendor": ({"sys_vendor": "QEMU"}, ()),
    "only a product": ({"product_name": "X11"}, ("X11",)),
    "a device tree": ({"model": "Pine64 RockPro64 v2.1"}, ("Pine64 RockPro64 v2.1",)),
}

LISTS: dict[str, tuple[list[str], str | None]] = {
    "nothing": ([], None),
    "vendor and product": (["QEMU Standard PC (Q35)"], "QEMU Standard PC (Q35)"),
    "product": (["X11", "Standard PC (Q35)"], "Standard PC (Q35)"),
    "another case and spaces": ([" qemu  STANDARD pc (q35)"], "QEMU Standard PC (Q35)"),
    "only the start": (["QEMU Standard PC"], None),
    "only the vendor": (["QEMU"], None),
    "an empty text": ([""], None),
}


@pytest.mark.parametrize(("fields", "names"), NAMES.values(), ids=NAMES)
def test_names(fields: dict[str, str], names: tuple[str, ...]) -> None:
    assert machine_module.names(fields) == names


@pytest.mark.parametrize(("wanted", "name"), LISTS.values(), ids=LISTS)
def test_name_in_a_list(wanted: list[str], name: str | None) -> None:
    assert machine_module.name_in(Q35, wanted) == name


@pytest.mark.parametrize("platform", machine_module.DENIED, ids=lambda platform: platform.name)
def test_every_platform_is_known_by_fields_that_are_read(platform: machine_module.Denied) -> None:
    assert set(platform.fields) <= {*machine_module.DMI_FIELDS, "model"}
    assert all(platform.fields.values())
    assert platform.why


@pytest.mark.parametrize(("files", "fields"), FILES.values(), ids=FILES)
def test_identify(tmp_path: Path, files: dict[str, str], fields: dict[str, str]) -> None:
    for path, text in files.items():
        real = tmp_path / path.lstrip("/")
        real.parent.mkdir(parents=True, exist_ok=True)
        real.write_text(text)
    host = fakes.bare_host(fakes.FakeRunner(), str(tmp_path))
    assert machine_module.identify(host) == fields


@pytest.mark.parametrize(
    ("files", "number"),
    [
        pytest.param({"dmi": "4C4C4544-0042\n"}, "dmi:4c4c4544-0042", id="dmi"),
        pytest.param({"tree": "10000000A4C6\0"}, "tree:10000000a4c6", id="device tree"),
        pytest.param({"dmi": "4c4c4544\n", "tree": "1000\0"}, "dmi:4c4c4544", id="both"),
        pytest.param({"dmi": "\n", "tree": "1000\0"}, "tree:1000", id="empty in dmi"),
        pytest.param({}, None, id="none"),
    ],
)
def test_hardware_id(alpine: fakes.FakeHost, files: dict[str, str], number: str | None) -> None:
    dmi, tree = machine_module.HARDWARE_IDS.values()
    alpine.remove(dmi)
    for name, content in files.items():
        alpine.write(dmi if name == "dmi" else tree, content)
    assert machine_module.hardware_id(alpine.host) == number


@pytest.mark.parametrize(
    ("levels", "found"),
    [((), {"sshd", "kexec-confirm"}), (("sysinit",), {"kexec-confirm"}), (("none",), set())],
)
def test_services(alpine: fakes.FakeHost, levels: tuple[str, ...], found: set[str]) -> None:
    alpine.remove("/etc/runlevels")
    alpine.write("/etc/runlevels/default/sshd", "")
    alpine.write("/etc/runlevels/sysinit/kexec-confirm", "")
    assert machine_module.services(alpine.host, *levels) == found
