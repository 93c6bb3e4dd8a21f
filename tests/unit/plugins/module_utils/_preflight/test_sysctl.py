# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which line sets a sysctl: the order of Alpine's OpenRC service and the syntax of busybox."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host import port
from ansible_collections.alpinefleet.kexec.plugins.module_utils._preflight import state
from ansible_collections.alpinefleet.kexec.plugins.module_utils._preflight.state import Setting
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

KEY = "kernel.kexec_load_disabled"
PANIC = "kernel.panic"

# /usr/lib/sysctl.d/00-alpine.conf of Alpine 3.23, shortened in the middle.
ALPINE = """\
# Prevents SYN DOS attacks. Applies to ipv6 as well, despite name.
net.ipv4.tcp_syncookies = 1

# Only groups within this id range can use ping.
net.ipv4.ping_group_range=999 59999

# Restarts computer after 120 seconds after kernel panic
kernel.panic = 120

# Disable unprivileged use of the bpf(2) syscall.
kernel.unprivileged_bpf_disabled = 1
"""

LINES: dict[str, tuple[str, list[tuple[int, str]]]] = {
    "spaces around": ("kernel.panic = 120", [(1, "120")]),
    "no spaces": ("kernel.panic=120", [(1, "120")]),
    "tabs": ("\tkernel.panic\t=\t120\t", [(1, "120")]),
    "slashes": ("kernel/panic = 5", [(1, "5")]),
    "a hyphen, which only procps knows": ("-kernel.panic = 5", [(1, "5")]),
    "a hyphen and a space": ("- kernel.panic = 5", [(1, "5")]),
    "words behind the number": ("kernel.panic = 1 # soon", [(1, "1")]),
    "no value": ("kernel.panic =", [(1, "")]),
    "twice": ("kernel.panic = 1\n\nkernel.panic = 2\n", [(1, "1"), (3, "2")]),
    "a carriage return": ("kernel.panic = 1\r\n", [(1, "1")]),
    "a remark": ("#kernel.panic = 1\n; kernel.panic = 1", []),
    "another key that starts alike": ("kernel.panic_on_oops = 1", []),
    "another key that ends alike": ("net.kernel.panic = 1", []),
    "no equals sign": ("kernel.panic 1", []),
    "nothing": ("", []),
}

# Files that all set the key; the value says which one it is.
VENDOR = {
    "/lib/sysctl.d/00-a.conf": "lib a",
    "/lib/sysctl.d/50-b.conf": "lib b",
    "/usr/lib/sysctl.d/00-a.conf": "usr-a",
    "/usr/lib/sysctl.d/40-c.conf": "usr-c",
}
ADMIN = {"/etc/sysctl.d/10-d.conf": "etc-d", "/etc/sysctl.d/99-e.conf": "etc-e"}
SINGLE = {"/etc/sysctl.conf": "single"}
RUNTIME = {"/run/sysctl.d/00-f.conf": "run-f"}

ORDERS: dict[str, tuple[dict[str, str], list[str]]] = {
    "nothing": ({}, []),
    "vendor files by directory, then by name": (
        VENDOR,
        [
            "/lib/sysctl.d/00-a.conf",
            "/lib/sysctl.d/50-b.conf",
            "/usr/lib/sysctl.d/00-a.conf",
            "/usr/lib/sysctl.d/40-c.conf",
        ],
    ),
    "vendor, administrator, the single file, runtime": (
        {**RUNTIME, **SINGLE, **ADMIN, "/lib/sysctl.d/99-z.conf": "vendor"},
        [
            "/lib/sysctl.d/99-z.conf",
            "/etc/sysctl.d/10-d.conf",
            "/etc/sysctl.d/99-e.conf",
            "/etc/sysctl.conf",
            "/run/sysctl.d/00-f.conf",
        ],
    ),
    "an administrator's file hides both of the vendor": (
        {**VENDOR, "/etc/sysctl.d/00-a.conf": "etc-a"},
        ["/lib/sysctl.d/50-b.conf", "/usr/lib/sysctl.d/40-c.conf", "/etc/sysctl.d/00-a.conf"],
    ),
    "a runtime file hides one of the vendor": (
        {"/lib/sysctl.d/00-f.conf": "lib-f", **RUNTIME},
        ["/run/sysctl.d/00-f.conf"],
    ),
    "a runtime file hides one of the administrator": (
        {"/etc/sysctl.d/00-f.conf": "etc-f", **RUNTIME},
        ["/run/sysctl.d/00-f.conf"],
    ),
    "other names are not read": (
        {"/etc/sysctl.d/README": "x", "/etc/sysctl.d/.a.conf": "x", "/etc/sysctl.d/.conf": "x"},
        [],
    ),
    "a name that is not read hides nothing": (
        {"/lib/sysctl.d/a.conf": "x", "/etc/sysctl.d/a.conf.apk-new": "x"},
        ["/lib/sysctl.d/a.conf"],
    ),
}


@pytest.fixture
def host(tmp_path: Path) -> port.Host:
    return fakes.bare_host(fakes.FakeRunner(), str(tmp_path))


def write(host: port.Host, path: str, text: str) -> None:
    real = Path(host.real(path))
    real.parent.mkdir(parents=True, exist_ok=True)
    real.write_text(text)


@pytest.mark.parametrize(("text", "found"), LINES.values(), ids=LINES)
def test_parse(text: str, found: list[tuple[int, str]]) -> None:
    assert state.parse_settings("f", text, PANIC) == [Setting("f", *each) for each in found]


@pytest.mark.parametrize(
    ("key", "line"), [(PANIC, 8), ("kernel.unprivileged_bpf_disabled", 11), (KEY, None)]
)
def test_parse_of_alpines_own_file(key: str, line: int | None) -> None:
    found = state.parse_settings("/usr/lib/sysctl.d/00-alpine.conf", ALPINE, key)
    assert [setting.line for setting in found] == ([] if line is None else [line])


def test_setting_names_its_place() -> None:
    assert str(Setting("/etc/sysctl.d/99-hard.conf", 2, "1")) == "/etc/sysctl.d/99-hard.conf:2"


@pytest.mark.parametrize(("files", "order"), ORDERS.values(), ids=ORDERS)
def test_settings_in_the_order_of_the_service(
    host: port.Host, files: dict[str, str], order: list[str]
) -> None:
    for path, value in files.items():
        write(host, path, f"{KEY} = {value}\n")
    assert [setting.path for setting in state.settings(host, KEY)] == order


def test_last_setting_is_the_one_in_force(host: port.Host) -> None:
    write(host, "/etc/sysctl.conf", f"{KEY} = 0\n")
    write(host, "/run/sysctl.d/lock.conf", f"# at run time\n{KEY} = 0\n{KEY} = 1\n")
    assert state.settings(host, KEY)[-1] == Setting("/run/sysctl.d/lock.conf", 3, "1")


def test_settings_pass_over_what_cannot_be_read(host: port.Host) -> None:
    Path(host.real("/etc/sysctl.d/a.conf")).mkdir(parents=True)
    assert state.settings(host, KEY) == []
