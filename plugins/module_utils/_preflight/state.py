# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The state of a host, as far as kexec depends on it: read once, judged elsewhere."""

from __future__ import annotations

import gzip
import re
import typing as t
import zlib
from dataclasses import dataclass

from .. import _cmdline
from .._cmdline import SPACES
from .._host import machine, mounts, notes
from .._host.machine import valid_boot_id
from .._host.port import Host, lines
from .._jump import note, watchdog

LOCK_SYSCTL = "kernel.kexec_load_disabled"
CAP_SYS_BOOT = 22
# The number of the first process namespace is part of the kernel's interface.
FIRST_PROCESS_NAMESPACE = "pid:[4026531836]"
CONTAINER_FILES = {"/.dockerenv": "docker", "/run/.containerenv": "podman"}
WHOLE_USER_NAMESPACE = ["0", "0", "4294967295"]
# Where sysctls are set: what a package brings, what an administrator wrote, what a boot made.
VENDOR = ("/lib/sysctl.d", "/usr/lib/sysctl.d")
ADMIN = "/etc/sysctl.d"
RUNTIME = "/run/sysctl.d"
SYSCTL_CONF = "/etc/sysctl.conf"


@dataclass(frozen=True)
class Sysctl:
    """One line that sets the key."""

    path: str
    line: int
    value: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True)
class State:
    """What was read; None means that the host does not say."""

    uid: int
    machine: str
    release: str
    boot_id: str | None
    cmdline: str
    loaded: bool
    leaving: bool
    stopping: bool
    frozen: note.Frozen | None
    jump: note.Jump | None
    load_disabled: bool | None
    load_limit: int | None
    lockdown: str | None
    secure_boot: bool | None
    cap_sys_boot: bool
    container: str | None
    config_kexec: bool | None
    kernel_answer: str | None
    kexec_in_sysfs: bool
    kexec_path: str | None
    kexec_version: str | None
    openrc_path: str | None
    available_bytes: int | None
    platform: t.Mapping[str, str]
    hardware_id: str | None
    started_by_kexec: bool | None
    installed: t.Mapping[str, str]
    module_trees: tuple[str, ...]
    boot_files: tuple[str, ...]
    lock_settings: tuple[Sysctl, ...]
    guard: watchdog.Guard
    xen: str | None
    # The mount point of /boot, if nothing is there.
    unmounted: str | None
    service_scripts: t.Mapping[str, str]

    @property
    def words(self) -> list[str]:
        """The parameters of the running kernel."""
        return _cmdline.running_words(self.cmdline)

    @property
    def hung(self) -> note.Jump | None:
        """The last jump, if it did not lead to a system that was proven."""
        return self.jump if note.hung(self.jump, self.boot_id, self.words) else None


def read(host: Host) -> State:
    """Read everything; nothing is changed and nothing is decided."""
    status = host.text("/proc/self/status") or ""
    release = host.line("/proc/sys/kernel/osrelease") or ""
    disabled = host.number("/proc/sys/kernel/kexec_load_disabled")
    limit = host.number("/proc/sys/kernel/kexec_load_limit_reboot")
    kexec = host.find("kexec")
    loaded = machine.holds_image(host)
    return State(
        uid=int(_status_field(status, r"Uid:\t[0-9]+\t([0-9]{1,10})\t.+")),
        machine=host.machine,
        release=release,
        boot_id=valid_boot_id(host.line("/proc/sys/kernel/random/boot_id")),
        cmdline=host.line("/proc/cmdline") or "",
        loaded=loaded,
        leaving=host.is_locked(notes.LEAVING),
        stopping=host.exists(notes.STOPPING),
        frozen=note.read_frozen(host) if loaded and disabled else None,
        jump=note.read(host),
        load_disabled=None if disabled is None else disabled != 0,
        load_limit=limit,
        lockdown=_selected(host.line("/sys/kernel/security/lockdown")),
        secure_boot=machine.secure_boot(host),
        cap_sys_boot=bool(
            int(_status_field(status, r"CapEff:\t([0-9a-f]{16})"), 16) >> CAP_SYS_BOOT & 1
        ),
        container=_container(host),
        config_kexec=_config_kexec(host, release),
        kernel_answer=host.ask_kernel() if limit in (None, -1) else None,
        kexec_in_sysfs=host.exists(machine.LOADED),
        kexec_path=kexec,
        openrc_path=host.find("openrc"),
        kexec_version=_kexec_version(host, kexec),
        available_bytes=_available_bytes(host),
        platform=machine.identify(host),
        hardware_id=machine.hardware_id(host),
        started_by_kexec=machine.started_by_kexec(host),
        installed=_installed(host),
        module_trees=host.names("/lib/modules"),
        boot_files=host.names("/boot"),
        lock_settings=tuple(sysctls(host, LOCK_SYSCTL)),
        guard=watchdog.read(host, release),
        xen=_xen(host),
        unmounted=mounts.unmounted(host, "/boot/"),
        service_scripts={
            name: host.text(f"/etc/init.d/{name}") or "" for name in sorted(machine.services(host))
        },
    )


def _selected(text: str | None) -> str | None:
    """The choice in brackets, as in "none [integrity] confidentiality"."""
    match = re.search(r"\[(\w+)\]", text or "")
    return match.group(1) if match else None


def _status_field(status: str, pattern: str) -> str:
    match = re.search(f"^{pattern}$", status, re.MULTILINE)
    return match.group(1) if match else "0"


def _container(host: Host) -> str | None:
    """The kind of container that this process runs in, None on a machine of its own.

    Files and names alone prove nothing: a machine may have been installed from a container's image.
    """
    mapping = (host.text("/proc/self/uid_map") or "").split()
    if mapping not in ([], WHOLE_USER_NAMESPACE):
        return _container_kind(host) or "user namespace"
    if host.link("/proc/self/ns/pid") not in (None, FIRST_PROCESS_NAMESPACE):
        return _container_kind(host) or "process namespace"
    if not host.same_file("/", "/proc/1/root/"):
        return _container_kind(host) or "changed root"
    return None


def _container_kind(host: Host) -> str | None:
    match = re.search(r"(?:^|\0)container=([^\0]+)", host.text("/proc/1/environ") or "")
    if match:
        return match.group(1)
    return next((kind for path, kind in CONTAINER_FILES.items() if host.exists(path)), None)


def _xen(host: Host) -> str | None:
    """What a domain may do, or else the kind of guest that it is."""
    if host.line("/sys/hypervisor/type") != "xen":
        return None
    return host.line("/proc/xen/capabilities") or host.line("/sys/hypervisor/guest_type")


def _config_kexec(host: Host, release: str) -> bool | None:
    """What the configuration says that the running kernel was built with."""
    text = host.text(f"/boot/config-{release}") or _running_config(host)
    if text is None:
        return None
    return any(f"{option}=y" in lines(text) for option in ("CONFIG_KEXEC", "CONFIG_KEXEC_FILE"))


def _running_config(host: Host) -> str | None:
    content = host.content("/proc/config.gz")
    try:
        return gzip.decompress(content).decode("ascii", "replace") if content else None
    except (OSError, EOFError, zlib.error):
        return None


def _kexec_version(host: Host, kexec: str | None) -> str | None:
    if kexec is None:
        return None
    match = re.search(r"\d+(\.\d+)+\S*", host.run([kexec, "--version"]).stdout)
    return match.group() if match else None


def _available_bytes(host: Host) -> int | None:
    match = re.search(
        r"^MemAvailable:\s*(\d{1,18}) kB$", host.text("/proc/meminfo") or "", re.MULTILINE
    )
    return int(match.group(1)) * 1024 if match else None


def _installed(host: Host) -> dict[str, str]:
    """The release that each kernel package installed, by flavour."""
    releases = {
        flavour: host.line(f"/usr/share/kernel/{flavour}/kernel.release")
        for flavour in host.names("/usr/share/kernel")
    }
    return {flavour: release for flavour, release in releases.items() if release}


# --- Which line of which file sets a sysctl, in the order of OpenRC's sysctl service -------


def parse_sysctl(path: str, text: str, key: str) -> list[Sysctl]:
    """The lines of a file that set the key; slashes and dots mean the same.

    Of the value only the first word counts: a number is all that the kernel reads.
    """
    found = []
    for number, line in enumerate(lines(text), start=1):
        name, equals, value = line.strip(SPACES).lstrip("-").partition("=")
        if equals and name.strip(SPACES).replace("/", ".") == key:
            found.append(
                Sysctl(path, number, re.split(f"[{SPACES}]", value.strip(SPACES), maxsplit=1)[0])
            )
    return found


def sysctls(host: Host, key: str) -> list[Sysctl]:
    """All lines that set the key, in the order in which the service applies them."""
    found: list[Sysctl] = []
    for path in _files(host):
        found += parse_sysctl(path, host.text(path) or "", key)
    return found


def _files(host: Host) -> t.Iterator[str]:
    """A file hides those of the same name in directories of lower rank."""
    runtime, admin = _configurations(host, RUNTIME), _configurations(host, ADMIN)
    hidden = {*runtime, *admin}
    for directory in VENDOR:
        yield from (
            f"{directory}/{name}" for name in _configurations(host, directory) if name not in hidden
        )
    yield from (f"{ADMIN}/{name}" for name in admin if name not in runtime)
    yield SYSCTL_CONF
    yield from (f"{RUNTIME}/{name}" for name in runtime)


def _configurations(host: Host, directory: str) -> list[str]:
    """What the service's pattern *.conf matches, which is no hidden file."""
    return [name for name in host.names(directory) if re.fullmatch(r"[^.].*\.conf", name)]
