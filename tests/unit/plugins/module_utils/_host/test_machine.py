# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel says, and the question to it: harmless by its arguments, and understood."""

from __future__ import annotations

import ctypes
import errno
import importlib.util
import os
import struct
import sys
import typing as t

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
    assert kernel.calls == [[number, 0, 0xFFFF, None, 0x8000]]


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


def test_ask_asks_nothing_where_python_has_no_ctypes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ctypes", None)
    name = f"{machine_module.__package__}.without_ctypes"
    spec = importlib.util.spec_from_file_location(name, machine_module.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    assert module.ask_kexec() is None


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
    assert machine_module.uptime(alpine.host) == seconds


def test_uptime_of_a_host_that_does_not_tell_it(alpine: fakes.FakeHost) -> None:
    alpine.remove("/proc/uptime")
    assert machine_module.uptime(alpine.host) is None
