# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The verdict: can this host reboot through kexec, and if not, exactly why?"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .. import _cmdline
from .._host import machine, mounts, places
from .._host.machine import valid_boot_id
from .._host.port import Host
from .._jump import note, watchdog
from .._reasons import Reason, reason
from .state import LOCK_SYSCTL, State

# kexec reads the files and the kernel copies them; the rest is room for both to work.
COPIES = 2
WORKING_BYTES = 16 * 1024 * 1024


def needs_unlock(state: State) -> bool:
    """Tell whether this kind of kernel is locked unless a parameter unlocks it, as Alpine's is."""
    return state.load_disabled is True or _cmdline.unlocks_kexec(state.words)


def judge_host(
    state: State,
    *,
    unlocked_by_firmware: bool | None,
    controller_boot_id: str | None = None,
    denied_platforms: t.Sequence[str] = (),
) -> list[Reason]:
    """What stands against kexec on this host, whatever image is meant."""
    if state.boot_id is not None and state.boot_id == valid_boot_id(controller_boot_id):
        return [_target_is_controller()]
    if state.container is not None:
        return [_container(state.container)]
    if state.uid != 0:
        return [_not_root(state.uid)]
    if state.leaving:
        return [_already_leaving()]
    if state.stopping:
        return [_stopping()]
    reasons = [*_support(state), *_platform(state, denied_platforms), *_hung(state)]
    permission = _permission(state, unlocked_by_firmware)
    return [*reasons, *(permission or _unexplained(state)), *_uncovered(state)]


def _support(state: State) -> t.Iterator[Reason]:
    built = state.kexec_in_sysfs if state.config_kexec is None else state.config_kexec
    if state.kernel_answer == "ENOSYS" or not built:
        yield reason(
            "no_kexec_support",
            f"The running kernel {state.release} is built without CONFIG_KEXEC.",
            "Boot a kernel with kexec, such as linux-lts or linux-virt.",
        )
    if state.kexec_path is None:
        yield reason(
            "no_kexec_tools",
            "The kexec command is not installed.",
            "Install the package kexec-tools.",
        )
    if state.openrc_path is None:
        yield reason(
            "no_openrc",
            "The openrc command was not found: a clean shutdown before the jump is not possible.",
            "Reboot through firmware; kexec needs a host that runs OpenRC.",
        )


def _platform(state: State, wanted: t.Sequence[str]) -> t.Iterator[Reason]:
    platform = machine.denied(state.platform)
    name = machine.name_in(state.platform, wanted)
    if name is not None:
        yield reason(
            "platform_denied",
            f"The host is a {name}, a platform that the option denied_platforms names.",
            "Reboot it through firmware, or put platform_denied into ignore_reasons.",
        )
    elif platform is not None:
        yield reason(
            "platform_denied",
            f"The host is a {platform.name}: {platform.why}.",
            "Reboot it through firmware, or put platform_denied into ignore_reasons.",
        )


def _hung(state: State) -> t.Iterator[Reason]:
    jump = state.jump
    if jump is None or not note.hung(jump, state.boot_id, state.words):
        return
    into = f" into {jump.release}" if jump.release else ""
    when = f" at {jump.time}" if jump.time else ""
    unreadable = f" {places.JUMP} cannot be understood, which counts as that."
    yield reason(
        "kexec_hung",
        f"The last jump{into}{when} did not lead to a system that was proven: it hung, panicked or "
        f"was not confirmed, or somebody reset the host.{'' if jump.boot_id else unreadable}",
        "Find out what became of it. Then put kexec_hung into ignore_reasons for one reboot, which "
        f"clears it if it succeeds, or remove {places.JUMP} on the host.",
    )


def _uncovered(state: State) -> list[Reason]:
    found = watchdog.uncovered(state.guard, state.words)
    return [] if found is None else [found]


def _permission(state: State, unlocked_by_firmware: bool | None) -> list[Reason]:
    """The causes of "Operation not permitted", told apart."""
    reasons = []
    if not state.cap_sys_boot:
        reasons.append(_no_cap_sys_boot())
    if state.load_disabled:
        reasons += _lock(state, unlocked_by_firmware)
    if state.load_limit == 0:
        reasons.append(_limit())
    if state.lockdown in ("integrity", "confidentiality"):
        reasons.append(_lockdown(state))
    return reasons


def _lock(state: State, unlocked_by_firmware: bool | None) -> list[Reason]:
    """The lock has two causes, and both may hold at once, unless a service locked on purpose."""
    if state.frozen and state.loaded:
        return [_frozen()]
    reasons = [_relocked(str(setting)) for setting in state.lock_settings if setting.value == "1"]
    if not _cmdline.unlocks_kexec(state.words):
        return [_locked(bool(unlocked_by_firmware)), *reasons]
    return reasons or [_relocked(None)]


def _unexplained(state: State) -> list[Reason]:
    """The kernel refuses although everything that could be read allows it."""
    if state.kernel_answer not in ("EPERM", "EACCES"):
        return []
    return [
        reason(
            "kexec_denied",
            f"The kernel answers {state.kernel_answer} to kexec_load and no known cause was found.",
            "Look for a security module or a seccomp filter that forbids kexec_load.",
        )
    ]


def judge_memory(state: State, image_bytes: int) -> list[Reason]:
    """Loading needs the image in memory more than once; swap does not help."""
    needed = COPIES * image_bytes + WORKING_BYTES
    if state.available_bytes is None or state.available_bytes >= needed:
        return []
    return [
        reason(
            "memory_low",
            f"{state.available_bytes >> 20} MiB of memory are available and the image needs "
            f"{needed >> 20} MiB.",
            "Stop services before the reboot, or put memory_low into ignore_reasons.",
        )
    ]


def judge_reboot_need(state: State, flavour: str | None, release: str | None) -> list[str]:
    """Why a reboot is needed, in sentences; nothing if the running kernel is the installed one."""
    meant = state.installed.get(flavour or "") or release
    why = []
    if meant is not None and meant != state.release:
        why.append(f"{state.release} is running and {meant} is installed.")
    if state.release not in state.module_trees:
        why.append(f"The modules of the running kernel {state.release} are gone.")
    return why


def _target_is_controller() -> Reason:
    return reason(
        "target_is_controller",
        "The target runs the same boot as the machine that runs Ansible.",
        "Reboot that machine by hand, or run Ansible on another one.",
    )


def _container(kind: str) -> Reason:
    return reason(
        "container",
        f"The target is a container ({kind}): it shares the kernel of its host.",
        "Target the machine on which the container runs.",
    )


def _not_root(uid: int) -> Reason:
    return reason(
        "not_root",
        f"The task runs with user id {uid}.",
        "Set become to true, or connect as root.",
    )


def _already_leaving() -> Reason:
    return reason(
        "already_leaving",
        "The host is being shut down for a reboot that was ordered before.",
        "Wait until it is back, and see who ordered that reboot.",
    )


def _stopping() -> Reason:
    return reason(
        "already_leaving",
        f"OpenRC is stopping services on the host: {places.STOPPING} is there. Somebody asked it to power "
        "off, halt or reboot, or to change its runlevel.",
        "Wait until it is down or has done so, and see who asked for it. Where no process openrc runs, "
        "the file is left over from one that was killed: remove it.",
    )


def _no_cap_sys_boot() -> Reason:
    return reason(
        "no_cap_sys_boot",
        "The process lacks the capability CAP_SYS_BOOT.",
        "Run it in a session whose capabilities are not reduced.",
    )


def _locked(configured: bool) -> Reason:
    remedy = (
        "Reboot once through firmware: the boot loader's configuration has the parameter already."
        if configured
        else f"Add {_cmdline.UNLOCK_PARAMETER}=0 to the boot loader's configuration "
        "and reboot once through firmware."
    )
    return reason(
        "kexec_locked",
        f"{LOCK_SYSCTL} is 1: the running kernel was booted without "
        f"{_cmdline.UNLOCK_PARAMETER}=0, and the lock cannot be opened while it runs.",
        remedy,
    )


def _relocked(place: str | None) -> Reason:
    where = f"by {place}" if place else "by something that is not in sysctl.d or sysctl.conf"
    remedy = f"Remove that line from {place.rpartition(':')[0]}" if place else "Find what set it"
    return reason(
        "kexec_relocked",
        f"{LOCK_SYSCTL} was set to 1 after the boot {where}, and cannot be set back.",
        f"{remedy} and reboot once through firmware.",
    )


def _frozen() -> Reason:
    return reason(
        "kexec_frozen",
        "The service kexec-load loaded an image at boot and locked kexec behind it: no other image "
        "can be loaded, and that one runs only while its files are what they were.",
        "Reboot through firmware for another image.",
    )


def _limit() -> Reason:
    return reason(
        "kexec_limit_reached",
        "kernel.kexec_load_limit_reboot is 0: no image can be loaded until the next boot.",
        "Reboot through firmware, and remove the limit if it was not intended.",
    )


def _lockdown(state: State) -> Reason:
    cause = " because Secure Boot is on" if state.secure_boot else ""
    return reason(
        "lockdown",
        f"Kernel lockdown is in mode {state.lockdown}{cause}: unsigned images are refused.",
        "Reboot through firmware, or boot without lockdown= and Secure Boot.",
    )


Found = t.TypeVar("Found")


# --- Checks that ask one question each, and need nothing of the others ----------------------


@dataclass(frozen=True)
class Check(t.Generic[Found]):
    """One question to the host. A new one is an object in this file, and a name in CHECKS."""

    name: str
    read: t.Callable[[Host], Found]
    judge: t.Callable[[Found], t.Iterable[Reason]]

    def reasons(self, host: Host) -> list[Reason]:
        return list(self.judge(self.read(host)))


# --- A host whose kernel does not run on the machine itself, but inside or below a hypervisor ----

# Who runs the machine is told there by Xen; Linux on others has no guests that a jump would leave.
HYPERVISOR_TYPE = "/sys/hypervisor/type"
GUEST_TYPE = "/sys/hypervisor/guest_type"
CAPABILITIES = "/proc/xen/capabilities"

Role = t.Literal["control domain", "paravirtualised guest"]


def _role_below_xen(host: Host) -> Role | None:
    if host.line(HYPERVISOR_TYPE) != "xen":
        return None
    if "control_d" in (host.line(CAPABILITIES) or ""):
        return "control domain"
    return "paravirtualised guest" if host.line(GUEST_TYPE) == "PV" else None


def _judge_role(role: Role | None) -> t.Iterator[Reason]:
    if role is not None:
        ends = {
            "control domain": "a jump would leave Xen and all guests behind",
            "paravirtualised guest": "such a guest cannot start another kernel by itself",
        }
        yield reason(
            "hypervisor",
            f"The host is a {role} of Xen: {ends[role]}.",
            "Reboot it through firmware.",
        )


HYPERVISOR = Check("hypervisor", _role_below_xen, _judge_role)

# --- A /boot that is to be mounted and is not: what lies in its directory is of another time -----

BOOT = "/boot/"


def _judge_boot(point: str | None) -> t.Iterator[Reason]:
    if point is not None:
        yield mounts.not_mounted(point)


BOOT_MOUNT = Check("boot_mount", lambda host: mounts.unmounted(host, BOOT), _judge_boot)

# --- Services of somebody else that load an image, or jump into one, while the host goes down ----

RUNLEVELS = "/etc/runlevels"
SCRIPTS = "/etc/init.d"

# The command where a command stands, or in the settings of a service that OpenRC starts itself.
_KEXEC = re.compile(
    r"(?:^|[;&|({]|\b(?:then|do|else|if|exec|ewaitfile)\b)[ \t!]*(?:/[^ \t]*/)?kexec((?:[ \t]+[^ \t;&|)]+)+)"
)
_COMMAND = re.compile(r"^[ \t]*command=[\"']?(?:/[^ \t\"']*/)?kexec[\"']?[ \t]*$", re.MULTILINE)
_ARGUMENTS = re.compile(r"^[ \t]*command_args=[\"']?([^\"'\n]*)", re.MULTILINE)
# Loading for a crash (-p) is another matter.
_USES = ("--exec", "--load", "--force")
_FOR_A_CRASH = ("--load-panic", "--panic")
# No line of a script that means something is longer.
LINE = 4096
# What this collection's own services say of themselves.
_OURS = "/run/alpinefleet-kexec"


def _services(host: Host) -> tuple[str, ...]:
    """The services of all runlevels that use kexec and are not ours."""
    levels = host.names(RUNLEVELS)
    enabled = {name for level in levels for name in host.names(f"{RUNLEVELS}/{level}")}
    scripts = {name: host.text(f"{SCRIPTS}/{name}") or "" for name in sorted(enabled)}
    return tuple(name for name, text in scripts.items() if _OURS not in text and _uses_kexec(text))


def _uses_kexec(script: str) -> bool:
    """Tell whether a script loads an image, or jumps into one."""
    commands = [
        words
        for line in script.replace("\\\n", " ").split("\n")
        for words in _KEXEC.findall(line.partition("#")[0][:LINE])
    ]
    if _COMMAND.search(script):
        commands += _ARGUMENTS.findall(script)
    return any(_is_for_a_boot(words.split()) for words in commands)


def _is_for_a_boot(words: list[str]) -> bool:
    short = "".join(word[1:] for word in words if re.fullmatch("-[a-z]+", word))
    for_a_crash = "p" in short or any(word.startswith(_FOR_A_CRASH) for word in words)
    return not for_a_crash and (bool(set(short) & set("elf")) or bool(set(words) & set(_USES)))


def _judge_services(names: tuple[str, ...]) -> t.Iterator[Reason]:
    if names:
        yield reason(
            "kexec_services",
            f"The services {', '.join(names)} use kexec while the host goes down: they would replace "
            "the image, or jump where firmware was wanted.",
            "Take them out of their runlevels (rc-update del) and stop them, or let the role "
            "kexec_host do so.",
        )


SERVICES = Check("services", _services, _judge_services)

CHECKS: tuple[Check[t.Any], ...] = (HYPERVISOR, BOOT_MOUNT, SERVICES)


# --- What stands between a kernel and its root file system: a module, or somebody at the console --

# What names an encrypted root for the initramfs of mkinitfs, dracut and mkinitcpio, and its key.
_LOCKED = ("cryptroot", "cryptdevice", "rd.luks.uuid", "rd.luks.name")
_KEYS = ("cryptkey", "rd.luks.key")
# File systems of disks that are a module of their own, and those that another one mounts.
_FILE_SYSTEMS = ("bcachefs", "btrfs", "erofs", "ext4", "f2fs", "jfs", "squashfs", "xfs", "zfs")
_MOUNTED_BY = {"ext2": "ext4", "ext3": "ext4"}


def judge_root(words: t.Sequence[str], modules: t.Collection[str] | None) -> t.Iterator[Reason]:
    """Advice on a command line, given the MODULES that the kernel will have; None if not known."""
    given = _cmdline.kernel_part(words)[0]
    locked = next((word for word in given if _cmdline.name_of(word) in _LOCKED), None)
    if locked is not None and not any(_cmdline.name_of(word) in _KEYS for word in given):
        yield _passphrase_needed(locked)
    if modules is not None:
        yield from (
            _lacks_module(module, word)
            for module, word in _needed(given, locked).items()
            if module not in modules
        )


def _needed(words: t.Sequence[str], locked: str | None) -> dict[str, str]:
    """The modules without which the root file system is not found, and the word that says so."""
    needed = {} if locked is None else {"dm_crypt": locked}
    kind = _cmdline.last_value(words, "rootfstype") or ""
    module = _MOUNTED_BY.get(kind, kind)
    if module in _FILE_SYSTEMS:
        needed[module] = f"rootfstype={kind}"
    root = _cmdline.last_value(words, "root") or ""
    if root.lower().startswith(("zfs=", "zfs:")):
        needed["zfs"] = f"root={root}"
    return needed


def _passphrase_needed(word: str) -> Reason:
    return reason(
        "passphrase_needed",
        f"The command line has {word} and names no key: if the initramfs has no other means, somebody "
        "must type a passphrase after the jump, as after each boot.",
        "Be at the console, or have an ssh server in the initramfs and set other_host_key to wait.",
    )


def _lacks_module(module: str, word: str) -> Reason:
    return reason(
        "initramfs_lacks_module",
        f"The command line has {word}, and the module {module} is neither in the initramfs nor a part "
        "of the kernel: the root file system may not be found.",
        "Add what has it to the features in /etc/mkinitfs/mkinitfs.conf and run mkinitfs.",
    )
