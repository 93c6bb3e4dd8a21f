# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""QEMU's argument list and the choice of its accelerator."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab import qemu
from tests.lab.qemu import Hardware

PLAIN = Hardware("web1", Path("/m/web1"), 2222, 1024, Path("/r/www"), ["/q/qemu", "-L", "/q/data"])
OVERLAY = replace(PLAIN, overlay=True)


def after(words: list[str], option: str) -> list[str]:
    return [words[at + 1] for at, word in enumerate(words) if word == option]


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("-accel", ["tcg,tb-size=256"]),
        ("-cpu", ["qemu64"]),
        ("-smp", ["1"]),
        ("-M", ["q35"]),
        ("-m", ["1024"]),
        ("-display", ["none"]),
        ("-name", ["alpinefleet-web1"]),
        ("-qmp", ["unix:qmp.sock,server=on,wait=off"]),
        ("-drive", []),
        (
            "-blockdev",
            [
                "driver=file,filename=/m/web1/disk.raw,node-name=file",
                "driver=raw,file=file,cache.no-flush=on,node-name=disk0",
            ],
        ),
        ("-incoming", []),
        ("-L", ["/q/data"]),
        (
            "-device",
            [
                "virtio-blk-pci,drive=disk0,bootindex=0",
                "virtio-net-pci,netdev=net0,romfile=",
                "virtio-rng-pci",
            ],
        ),
        ("-watchdog-action", []),
        ("-kernel", []),
    ],
)
def test_argv_has_option(option: str, expected: list[str]) -> None:
    assert after(qemu.argv(PLAIN), option) == expected


def test_argv_with_watchdog_resets() -> None:
    words = qemu.argv(replace(PLAIN, watchdog=True))
    assert "i6300esb" in after(words, "-device")
    assert after(words, "-watchdog-action") == ["reset"]


def test_argv_of_a_machine_that_goes_on_reads_memory_and_writes_beside_the_disk() -> None:
    words = qemu.argv(replace(OVERLAY, resume=True))
    assert after(words, "-blockdev") == [
        "driver=file,filename=/m/web1/disk.qcow2,node-name=file",
        "driver=qcow2,file=file,cache.no-flush=on,node-name=disk0",
    ]
    assert after(words, "-incoming") == ["exec:cat state.memory"]


def test_argv_with_a_panic_store_has_it_in_a_file_behind_all_other_devices() -> None:
    assert after(qemu.argv(PLAIN), "-object") == []
    hardware = replace(PLAIN, folder=Path("/m,1"), panic_store=True, watchdog=True)
    words = qemu.argv(hardware)
    path = "/m,,1/panics.erst"
    memory = f"memory-backend-file,id=erst,mem-path={path},size=64K,share=on"
    assert after(words, "-object") == [memory]
    assert after(words, "-device")[-2:] == ["i6300esb", "acpi-erst,memdev=erst"]


@pytest.mark.parametrize("hardware", [PLAIN, OVERLAY])
def test_argv_with_a_log_has_all_writes_go_through_it(hardware: Hardware) -> None:
    words = qemu.argv(replace(hardware, write_log=True))
    assert after(words, "-device")[0].endswith(",drive=disk0,bootindex=0,request-merging=off")
    nodes = after(words, "-blockdev")
    assert nodes[1].endswith(",node-name=disk")
    assert nodes[2] == "driver=file,filename=/m/web1/writes.log,node-name=log-file"
    assert nodes[4].startswith("driver=blklogwrites,file=disk,log=log,")
    assert nodes[4].endswith(",node-name=disk0")
    assert ",log-append=off," in nodes[4]
    again = replace(hardware, write_log=True, append_log=True)
    assert ",log-append=on," in after(qemu.argv(again), "-blockdev")[4]


def test_argv_with_uefi_has_its_own_variables() -> None:
    drives = after(qemu.argv(replace(PLAIN, folder=Path("/m,1"), uefi=True)), "-drive")
    code, variables = (drive for drive in drives if drive.startswith("if=pflash,"))
    assert f"readonly=on,file={qemu.UEFI_CODE}" in code
    assert variables == "if=pflash,unit=1,format=raw,file=/m,,1/efivars.fd"
    assert len(drives) == 2


def test_argv_with_kvm_uses_the_host_processor() -> None:
    words = qemu.argv(replace(PLAIN, kvm=True))
    assert after(words, "-accel") == ["kvm"]
    assert after(words, "-cpu") == ["host"]


def test_argv_has_short_socket_path_however_deep_the_cache() -> None:
    deep = replace(PLAIN, folder=Path("/" + "x" * 200))
    assert after(qemu.argv(deep), "-qmp") == ["unix:qmp.sock,server=on,wait=off"]


def test_network_listens_on_loopback_only() -> None:
    text = qemu.network(PLAIN)
    assert "hostfwd=tcp:127.0.0.1:2222-10.0.2.15:22" in text
    assert text.endswith("guestfwd=tcp:10.0.2.100:80-cmd:busybox httpd -i -h /r/www")


@pytest.mark.parametrize(
    ("folder", "expected"),
    [("/a b", "-h '/a b'"), ("/a,b", "-h /a,,b"), ("/a", "-h /a")],
)
def test_network_quotes_the_repository(folder: str, expected: str) -> None:
    assert qemu.network(replace(PLAIN, repository=Path(folder))).endswith(expected)


@pytest.mark.parametrize(
    ("cpuinfo", "expected"),
    [
        ("flags\t\t: fpu vmx sse\n", True),
        ("flags\t\t: fpu svm\n", True),
        ("flags\t\t: fpu sse\nvmx flags\t: vnmi\n", False),
        ("model name : vmx\n", False),
        ("", False),
    ],
)
def test_has_extensions(cpuinfo: str, expected: bool) -> None:
    assert qemu.has_extensions(cpuinfo) is expected


@pytest.mark.parametrize("flags", ["flags : fpu\n", "flags : vmx\n"])
def test_kvm_works_is_false_for_what_is_no_kvm(tmp_path: Path, flags: str) -> None:
    cpuinfo, device = tmp_path / "cpuinfo", tmp_path / "kvm"
    cpuinfo.write_text(flags)
    device.write_text("")
    assert qemu.kvm_works(str(device), cpuinfo) is False
    assert qemu.kvm_works(str(tmp_path / "absent"), cpuinfo) is False
