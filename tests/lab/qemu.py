# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument list of QEMU, as a function of values."""

from __future__ import annotations

import fcntl
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import panics
from .config import GUEST_ADDRESS, REPOSITORY_ADDRESS

SERIAL_LOG = "serial.log"
QMP_SOCKET = "qmp.sock"
DISK = "disk.raw"
# What a machine that was taken from a state has written since, and that state's disk and memory.
OVERLAY = "disk.qcow2"
STATE_DISK = "state.raw"
STATE_MEMORY = "state.memory"
# What QEMU says.
QEMU_LOG = "qemu.log"
# All that was written to the disk, in the format of the kernel's dm-log-writes.
WRITE_LOG = "writes.log"
# UEFI firmware, and the variables that each machine changes in a copy of its own.
UEFI_CODE = Path("/usr/share/OVMF/OVMF_CODE_4M.fd")
UEFI_VARIABLES = Path("/usr/share/OVMF/OVMF_VARS_4M.fd")
VARIABLES = "efivars.fd"
KVM_CREATE_VM = 0xAE01
# Room for what one run of a role has translated: with 64 MiB QEMU forgets it ten times on the way.
# Without tb-size QEMU 7.2 takes minutes, at random, to copy a new kernel over translated pages.
TCG = "tcg,tb-size=256"


@dataclass(frozen=True)
class Hardware:
    """What differs between machines."""

    name: str
    folder: Path
    port: int
    memory: int
    repository: Path
    emulator: Sequence[str]
    """The beginning of its command."""
    watchdog: bool = False
    panic_store: bool = False
    uefi: bool = False
    kvm: bool = False
    overlay: bool = False
    """The disk is the state's, with what was written since in a file of its own."""
    write_log: bool = False
    append_log: bool = False
    resume: bool = False
    """It goes on where the state was taken, instead of being powered on."""


def escape(text: object) -> str:
    """Double the commas, which separate QEMU's sub-options."""
    return str(text).replace(",", ",,")


def has_extensions(cpuinfo: str) -> bool:
    """Tell whether the processor offers Intel's or AMD's virtualisation."""
    flags = (line.split() for line in cpuinfo.splitlines() if line.startswith("flags"))
    return any({"vmx", "svm"} & set(words) for words in flags)


def kvm_works(device: str = "/dev/kvm", cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Tell whether KVM runs a whole boot.

    The device alone proves nothing, and neither does a virtual machine that could be created: KVM
    without the processor's help (kvm-pvm in a nested host) stops in the firmware's real mode.
    """
    if not has_extensions(cpuinfo.read_text(encoding="ascii", errors="replace")):
        return False
    try:
        handle = os.open(device, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        os.close(fcntl.ioctl(handle, KVM_CREATE_VM, 0))
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def network(hardware: Hardware) -> str:
    """Return the user network: sshd on a port of 127.0.0.1, the apk repository inside.

    QEMU starts the web server for each connection and hands it the stream: no daemon of ours has
    to be ended, and no port of the host is taken.
    """
    server = shlex.join(["busybox", "httpd", "-i", "-h", str(hardware.repository)])
    parts = [
        "user,id=net0",
        f"hostfwd=tcp:127.0.0.1:{hardware.port}-{GUEST_ADDRESS}:22",
        f"guestfwd=tcp:{REPOSITORY_ADDRESS}:80-cmd:{escape(server)}",
    ]
    return ",".join(parts)


def disk(folder: Path, overlay: bool) -> Path:
    """Return the file that a machine's writes go to."""
    return folder / (OVERLAY if overlay else DISK)


def drive(hardware: Hardware) -> list[str]:
    """Return the disk as the node disk0; its absolute path marks the process as this machine's."""
    path = escape(disk(hardware.folder, hardware.overlay))
    kind = "qcow2" if hardware.overlay else "raw"
    top = "disk" if hardware.write_log else "disk0"
    cache = "cache.no-flush=on"
    nodes = [
        f"driver=file,filename={path},node-name=file",
        f"driver={kind},file=file,{cache},node-name={top}",
    ]
    if hardware.write_log:
        # With the log's own parts a request must not have more of them than the host can write at once:
        # else it fails. QEMU joins requests up to that number, unless the device is told not to.
        # A machine that is powered on again goes on with its disk, and so with the log of it.
        append = "on" if hardware.append_log else "off"
        kept = f"log-append={append},log-super-update-interval=1"
        nodes += [
            f"driver=file,filename={escape(hardware.folder / WRITE_LOG)},node-name=log-file",
            "driver=raw,file=log-file,node-name=log",
            f"driver=blklogwrites,file=disk,log=log,{kept},node-name=disk0",
        ]
    return [word for node in nodes for word in ("-blockdev", node)]


def firmware(hardware: Hardware) -> list[str]:
    """Return UEFI's flash memory; without it QEMU takes SeaBIOS."""
    if not hardware.uefi:
        return []
    variables = escape(hardware.folder / VARIABLES)
    code = f"if=pflash,unit=0,format=raw,readonly=on,file={UEFI_CODE}"
    return ["-drive", code, "-drive", f"if=pflash,unit=1,format=raw,file={variables}"]


def argv(hardware: Hardware) -> list[str]:
    """Return QEMU's command; it runs with the machine's directory as working directory.

    The socket's path is relative because a Unix socket's path must fit in 107 bytes.
    """
    accelerator = ["-accel", "kvm"] if hardware.kvm else ["-accel", TCG]
    words = [*hardware.emulator, "-name", f"alpinefleet-{hardware.name}"]
    words += ["-no-user-config", "-nodefaults", "-M", "q35", *accelerator]
    words += ["-cpu", "host" if hardware.kvm else "qemu64", "-smp", "1"]
    words += ["-m", str(hardware.memory), "-display", "none", *firmware(hardware)]
    separate = ",request-merging=off" if hardware.write_log else ""
    words += [*drive(hardware), "-device", f"virtio-blk-pci,drive=disk0,bootindex=0{separate}"]
    words += ["-netdev", network(hardware), "-device", "virtio-net-pci,netdev=net0,romfile="]
    words += ["-device", "virtio-rng-pci"]
    # The log is continued when a machine that was powered off is started again.
    words += ["-chardev", f"file,id=serial0,path={SERIAL_LOG},append=on"]
    words += ["-serial", "chardev:serial0", "-qmp", f"unix:{QMP_SOCKET},server=on,wait=off"]
    if hardware.watchdog:
        words += ["-device", "i6300esb", "-watchdog-action", "reset"]
    if hardware.panic_store:
        words += panics.options(escape(hardware.folder / panics.STORE))
    if hardware.resume:
        words += ["-incoming", f"exec:cat {STATE_MEMORY}"]
    return words
