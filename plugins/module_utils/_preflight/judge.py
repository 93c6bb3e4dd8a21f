# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Can this host reboot through kexec, and if not, why?"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .. import _cmdline
from .._host import machine, mounts, notes
from .._host.machine import valid_boot_id
from .._image.choose import Cmdline, Wish
from .._image.inspect import Inspected
from .._jump import watchdog
from .._reasons import Reason, reason
from .state import LOCK_SYSCTL, State

# kexec reads the files and the kernel copies them; the rest is room for both to work.
COPIES = 2
WORKING_BYTES = 16 * 1024 * 1024


def needs_unlock(state: State) -> bool:
    """Is this kind of kernel locked unless a parameter unlocks it, as Alpine's is?"""
    # A service could load before it locked.
    locked = state.load_disabled is True and not state.frozen
    return locked or _cmdline.unlocks_kexec(state.words)


def judge_reboot_need(state: State, flavour: str | None, release: str | None) -> list[str]:
    """Why a reboot is needed, in sentences; nothing if the running kernel is the installed one."""
    meant = state.installed.get(flavour or "") or release
    why = []
    if meant is not None and meant != state.release:
        why.append(f"{state.release} is running and {meant} is installed.")
    if state.release not in state.module_trees:
        why.append(f"The modules of the running kernel {state.release} are gone.")
    return why


@dataclass(frozen=True)
class Subject:
    """A host as it was read, what is wished for, and what was chosen for that."""

    state: State
    wish: Wish
    cmdline: Cmdline | None
    inspected: Inspected
    # Why something could not be chosen.
    unmet: tuple[Reason, ...] = ()


def judge(subject: Subject) -> list[Reason]:
    """What is to be said of it."""
    found = list(_unfit(subject.state, subject.wish.controller_boot_id))[:1]
    checks = (choice,) if found else CHECKS
    return [*found, *(each for check in checks for each in check(subject))]


def target_is_controller() -> Reason:
    return reason(
        "target_is_controller",
        "The target runs the same boot as the machine that runs Ansible.",
        "Reboot that machine by hand, or run Ansible on another one.",
    )


def not_root(uid: int) -> Reason:
    return reason(
        "not_root",
        f"The task runs with user id {uid}.",
        "Set become to true, or connect as root.",
    )


def _unfit(state: State, controller_boot_id: str | None) -> t.Iterator[Reason]:
    """What makes all else beside the point, the gravest first."""
    if state.boot_id is not None and state.boot_id == valid_boot_id(controller_boot_id):
        yield target_is_controller()
    if state.container is not None:
        yield reason(
            "container",
            f"The target is a container ({state.container}): it shares the kernel of its host.",
            "Target the machine on which the container runs.",
        )
    if state.uid != 0:
        yield not_root(state.uid)
    if state.leaving:
        yield reason(
            "already_leaving",
            "The host is being shut down for a reboot that was ordered before.",
            "Wait until it is back, and see who ordered that reboot.",
        )
    if state.stopping:
        yield reason(
            "already_leaving",
            f"OpenRC is stopping services on the host: {notes.STOPPING} is there. Somebody asked it "
            "to power off, halt or reboot, or to change its runlevel.",
            "Wait until it is down or has done so, and see who asked for it. Where no process openrc "
            "runs, the file is left over from one that was killed: remove it.",
        )


def support(subject: Subject) -> t.Iterator[Reason]:
    state = subject.state
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


def platform(subject: Subject) -> t.Iterator[Reason]:
    fields = subject.state.platform
    denied = machine.denied(fields)
    name = machine.name_in(fields, subject.wish.denied_platforms)
    if name is not None:
        yield reason(
            "platform_denied",
            f"The host is a {name}, a platform that the option denied_platforms names.",
            "Reboot it through firmware, or put platform_denied into ignore_reasons.",
        )
    elif denied is not None:
        yield reason(
            "platform_denied",
            f"The host is a {denied.name}: {denied.why}.",
            "Reboot it through firmware, or put platform_denied into ignore_reasons.",
        )


def hung(subject: Subject) -> t.Iterator[Reason]:
    jump = subject.state.hung
    if jump is None:
        return
    into = f" into {jump.release}" if jump.release else ""
    when = f" at {jump.time}" if jump.time else ""
    unreadable = f" {notes.JUMP} cannot be understood, which counts as that."
    yield reason(
        "kexec_hung",
        f"The last jump{into}{when} did not lead to a system that was proven: it hung, panicked or "
        f"was not confirmed, or somebody reset the host.{'' if jump.boot_id else unreadable}",
        "Find out what became of it. Then put kexec_hung into ignore_reasons for one reboot, which "
        f"clears it if it succeeds, or remove {notes.JUMP} on the host.",
    )


def permission(subject: Subject) -> t.Iterator[Reason]:
    cmdline = subject.cmdline
    causes = _causes(subject.state, cmdline is not None and bool(cmdline.unlocked_by_firmware))
    yield from list(causes) or _unexplained(subject.state)


def _causes(state: State, unlocked_by_firmware: bool) -> t.Iterator[Reason]:
    """The causes of "Operation not permitted", told apart."""
    if not state.cap_sys_boot:
        yield reason(
            "no_cap_sys_boot",
            "The process lacks the capability CAP_SYS_BOOT.",
            "Run it in a session whose capabilities are not reduced.",
        )
    if state.load_disabled:
        yield from _lock(state, unlocked_by_firmware)
    if state.load_limit == 0:
        yield reason(
            "kexec_limit_reached",
            "kernel.kexec_load_limit_reboot is 0: no image can be loaded until the next boot.",
            "Reboot through firmware, and remove the limit if it was not intended.",
        )
    if state.lockdown in ("integrity", "confidentiality"):
        cause = " because Secure Boot is on" if state.secure_boot else ""
        yield reason(
            "lockdown",
            f"Kernel lockdown is in mode {state.lockdown}{cause}: unsigned images are refused.",
            "Reboot through firmware, or boot without lockdown= and Secure Boot.",
        )


def _lock(state: State, unlocked_by_firmware: bool) -> t.Iterator[Reason]:
    """The lock has two causes, and both may hold at once, unless a service locked on purpose."""
    if state.frozen:
        yield reason(
            "kexec_frozen",
            f"The service kexec-load loaded {state.frozen} at boot and locked kexec behind it: no "
            "other image can be loaded, and that one runs only while its files are what they were.",
            "Reboot through firmware for another image.",
        )
        return
    lines = [str(setting) for setting in state.lock_settings if setting.value == "1"]
    if not _cmdline.unlocks_kexec(state.words):
        yield _locked(unlocked_by_firmware)
    elif not lines:
        yield _relocked(None)
    yield from map(_relocked, lines)


def _unexplained(state: State) -> t.Iterator[Reason]:
    """The kernel refuses although everything that could be read allows it."""
    if state.kernel_answer in ("EPERM", "EACCES"):
        yield reason(
            "kexec_denied",
            f"The kernel answers {state.kernel_answer} to kexec_load and no known cause was found.",
            "Look for a security module or a seccomp filter that forbids kexec_load.",
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


def uncovered(subject: Subject) -> t.Iterator[Reason]:
    yield from filter(None, [watchdog.uncovered(subject.state.guard, subject.state.words)])


_DOMAINS = {
    "control_d": "control domain of Xen: a jump would leave Xen and all guests behind",
    "PV": "paravirtualised guest of Xen: such a guest cannot start another kernel by itself",
}


def hypervisor(subject: Subject) -> t.Iterator[Reason]:
    """Who runs the machine is told by Xen; Linux on others has no guests that a jump would leave."""
    found = _DOMAINS.get(subject.state.xen or "")
    if found is not None:
        yield reason("hypervisor", f"The host is a {found}.", "Reboot it through firmware.")


def boot_mount(subject: Subject) -> t.Iterator[Reason]:
    """What lies in the directory is of another time than what is to be mounted there."""
    point = subject.state.unmounted
    if point is not None:
        yield mounts.not_mounted(point)


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


def services(subject: Subject) -> t.Iterator[Reason]:
    """Services of somebody else that load an image, or jump into one, while the host goes down."""
    scripts = subject.state.service_scripts.items()
    names = [name for name, text in scripts if notes.RUN not in text and _uses_kexec(text)]
    if names:
        yield reason(
            "kexec_services",
            f"The services {', '.join(names)} use kexec while the host goes down: they would replace "
            "the image, or jump where firmware was wanted.",
            "Take them out of their runlevels (rc-update del) and stop them, or let the role "
            "kexec_host do so.",
        )


def choice(subject: Subject) -> tuple[Reason, ...]:
    return subject.unmet + subject.inspected.reasons


def memory(subject: Subject) -> t.Iterator[Reason]:
    """Loading needs the image in memory more than once; swap does not help."""
    available = subject.state.available_bytes
    needed = COPIES * subject.inspected.total_bytes + WORKING_BYTES
    if available is not None and available < needed:
        yield reason(
            "memory_low",
            f"{available >> 20} MiB of memory are available and the image needs "
            f"{needed >> 20} MiB.",
            "Stop services before the reboot, or put memory_low into ignore_reasons.",
        )


# --- What stands between a kernel and its root file system: a module, or somebody at the console --

# What names an encrypted root for the initramfs of mkinitfs, dracut and mkinitcpio, and its key.
_LOCKED = ("cryptroot", "cryptdevice", "rd.luks.uuid", "rd.luks.name")
_KEYS = ("cryptkey", "rd.luks.key")
# File systems of disks that are a module of their own, and those that another one mounts.
_FILE_SYSTEMS = ("bcachefs", "btrfs", "erofs", "ext4", "f2fs", "jfs", "squashfs", "xfs", "zfs")
_MOUNTED_BY = {"ext2": "ext4", "ext3": "ext4"}


def cmdline(subject: Subject) -> t.Iterator[Reason]:
    if subject.cmdline is not None:
        yield from subject.cmdline.reasons
        words = _cmdline.running_words(subject.cmdline.text)
        yield from judge_root(words, subject.inspected.modules)


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


# A new check is a function in this file, and has its place here. In this order they are told: of
# reasons that weigh the same, a failure tells the first.
CHECKS: tuple[t.Callable[[Subject], t.Iterable[Reason]], ...] = (
    support,
    platform,
    hung,
    permission,
    uncovered,
    hypervisor,
    boot_mount,
    services,
    choice,
    memory,
    cmdline,
)
