# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""The verdict: can this host reboot through kexec, and if not, exactly why?"""

from __future__ import annotations

import typing as t

from .. import _cmdline
from .._host import places, platforms
from .._host.kernel import valid_boot_id
from .._jump import note, watchdog
from .._reasons import Reason, reason
from .state import LOCK_SYSCTL, State

# kexec reads the files and the kernel copies them; the rest is room for both to work.
COPIES = 2
WORKING_BYTES = 16 * 1024 * 1024


def needs_unlock(state: State) -> bool:
    """Tell whether this kind of kernel is locked unless a parameter unlocks it, as Alpine's is."""
    return state.load_disabled is True or _cmdline.unlocks_kexec(
        _cmdline.running_words(state.cmdline)
    )


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
    platform = platforms.denied(state.platform)
    name = platforms.name_in(state.platform, wanted)
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
    if jump is None or not note.hung(jump, state.boot_id, _cmdline.running_words(state.cmdline)):
        return
    into = f" into {jump.release}" if jump.release else ""
    when = f" at {jump.time}" if jump.time else ""
    unreadable = f" {places.JUMP} cannot be understood, which counts as that."
    yield reason(
        "kexec_hung",
        f"The last jump{into}{when} did not lead to a system that was proven: it hung, panicked or "
        f"was not confirmed, or somebody reset the host.{'' if jump.token else unreadable}",
        "Find out what became of it. Then put kexec_hung into ignore_reasons for one reboot, which "
        f"clears it if it succeeds, or remove {places.JUMP} on the host.",
    )


def _uncovered(state: State) -> list[Reason]:
    found = watchdog.uncovered(state.guard, _cmdline.running_words(state.cmdline))
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
    if not _cmdline.unlocks_kexec(_cmdline.running_words(state.cmdline)):
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
