# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The preflight as one step: read the host, choose an image, look into it, judge."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass, replace

from .. import _cmdline, _reasons
from .._bootloader import find
from .._bootloader.find import Configured
from .._host import slot_places
from .._host.port import Host
from .._image import choose, inspect
from .._image.choose import Cmdline, Files, Wish
from .._image.inspect import Inspected
from .._jump import watchdog
from .._jump.note import Frozen
from .._reasons import Blocks, Reason, ReasonError
from . import judge, slots
from .state import State
from .state import read as read_state

# The first reason is the one that a failure tells: the remedy of a weaker one may be to reboot.
WEIGHTS: dict[Blocks, int] = {"reboot": 0, "kexec": 1, "nothing": 2}


@dataclass(frozen=True)
class Survey:
    """Everything that is known before anything is done."""

    state: State
    configured: Configured
    files: Files | None
    cmdline: Cmdline | None
    inspected: Inspected
    reasons: tuple[Reason, ...]
    # What is loaded and locked, where it is what was wished for.
    frozen: Frozen | None = None
    slots: t.Mapping[str, t.Any] | None = None

    @property
    def obstacles(self) -> tuple[Reason, ...]:
        return _reasons.blocking(self.reasons, "kexec", "reboot")

    @property
    def able(self) -> bool:
        return not self.obstacles

    def without_blocks(self, codes: t.Collection[str]) -> Survey:
        """The same findings, with reasons of these codes as mere advice."""
        reasons = [
            replace(each, blocks="nothing") if each.code in codes else each for each in self.reasons
        ]
        return replace(self, reasons=_gravest_first(reasons))


def survey(
    host: Host, wish: Wish, once: t.Callable[[State], t.Sequence[str]] = lambda _state: ()
) -> Survey:
    """Look at everything, change nothing; what cannot be chosen becomes a reason.

    What the image is told for one boot may depend on how the host is.
    """
    state = read_state(host)
    configured = find.configured(host)
    reasons: list[Reason] = []
    files = _choose_files(wish, configured, state, reasons)
    told = (*once(state), *_slot_words(files))
    cmdline = _choose_cmdline(wish, configured, state, told, reasons)
    inspected = Inspected()
    if files is not None:
        inspected = inspect.inspect(host, files, state.machine, state.installed)
    if wish.kernel and "initramfs_missing" in [each.code for each in reasons]:
        part = inspect.read_part(host, wish.kernel)
        reasons = [_as_unified(part, each) for each in reasons]
    subject = judge.Subject(state, wish, cmdline, inspected, tuple(reasons))
    found = _gravest_first(_reasons.ignore(judge.judge(subject), wish.ignore))
    kept = slots.read(host, configured.kernel)
    return _with_frozen(Survey(state, configured, files, cmdline, inspected, found, slots=kept))


def _with_frozen(found: Survey) -> Survey:
    """Where kexec was locked behind the very image that would be loaded, the lock is no obstacle."""
    frozen = found.state.frozen
    if not (frozen and frozen.current and _is_chosen(frozen, found)):
        return found
    freed = found.without_blocks({"kexec_frozen", "memory_low"})
    # Nothing can be added to this image any more, whatever was to be.
    kept = [each for each in freed.reasons if each.code not in ("hang_uncovered", "panic_hangs")]
    words = _cmdline.running_words(frozen.cmdline)
    reasons = [*kept, watchdog.uncovered_when_frozen(), *choose.judge_panic(words)]
    return replace(freed, reasons=tuple(reasons), frozen=frozen)


def _is_chosen(frozen: Frozen, found: Survey) -> bool:
    """Compare all of an image but what it is told for one boot."""
    files = (found.files and found.files.kernel, *found.inspected.ordered_initramfs)
    return files == frozen.files and not _cmdline.differ(_cmdline_of(found) or "", frozen.cmdline)


def _gravest_first(reasons: t.Iterable[Reason]) -> tuple[Reason, ...]:
    return tuple(sorted(reasons, key=lambda each: WEIGHTS[each.blocks]))


def _choose_files(
    wish: Wish, configured: Configured, state: State, reasons: list[Reason]
) -> Files | None:
    try:
        return choose.choose_files(wish, configured, state.boot_files, state.release)
    except ReasonError as error:
        reasons.append(error.reason)
        return None


def _as_unified(kernel: inspect.ImageFile, unmet: Reason) -> Reason:
    """Call a kernel so that needs no initramfs."""
    if unmet.code != "initramfs_missing" or not inspect.is_unified(kernel.head):
        return unmet
    return inspect.UNIFIED.reason(kernel.path, Files(kernel.path, (), "option"))


def _slot_words(files: Files | None) -> tuple[str, ...]:
    """What tells a kernel the slot that it is of: its place does, whatever command line it gets."""
    slot = slot_places.slot_of(files.kernel) if files is not None else None
    return () if slot is None else (f"{_cmdline.SLOT_PARAMETER}={slot}",)


def _choose_cmdline(
    wish: Wish,
    configured: Configured,
    state: State,
    once: t.Sequence[str],
    reasons: list[Reason],
) -> Cmdline | None:
    try:
        chosen = choose.choose_cmdline(
            wish,
            configured,
            state.cmdline,
            needs_unlock=judge.needs_unlock(state),
            once=once,
        )
        _cmdline.check(chosen.text, state.machine)
        return chosen
    except ReasonError as error:
        # A user's own command line is not replaced by another one; the host's own can be left
        # to the boot loader.
        level: Blocks = "reboot" if wish.edits_cmdline else "kexec"
        reasons.append(replace(error.reason, blocks=level))
        return None


def result(found: Survey) -> dict[str, t.Any]:
    """The part of a module's result that preflight and load share."""
    state = found.state
    return {
        "able": found.able,
        "method": "kexec" if found.able else "firmware",
        "reasons": [each.as_dict() for each in found.reasons],
        "kernel": found.files.kernel if found.files else None,
        "initramfs": list(found.inspected.ordered_initramfs),
        "release": found.inspected.release,
        "cmdline": _cmdline_of(found),
        "protection": _protection(found),
        "boot_id": state.boot_id,
        "facts": facts(found),
    }


def _protection(found: Survey) -> dict[str, t.Any]:
    return watchdog.protection(
        found.state.guard,
        found.state.words,
        _cmdline.running_words(_cmdline_of(found) or ""),
        fixed=found.frozen is not None,
    )


def _cmdline_of(found: Survey) -> str | None:
    if found.frozen is not None:
        return found.frozen.cmdline
    return found.cmdline.text if found.cmdline else None


def facts(found: Survey) -> dict[str, t.Any]:
    """What was found on the host, under stable names."""
    state, cmdline = found.state, found.cmdline
    flavour = found.files.flavour if found.files else None
    need = judge.judge_reboot_need(state, flavour, found.inspected.release)
    return {
        "available_memory": state.available_bytes,
        "boot_loader": found.configured.loader,
        "boot_loader_config": found.configured.path,
        "cmdline_source": cmdline.source if cmdline else None,
        "container": state.container,
        "firmware_kernel": found.configured.kernel,
        "flavour": flavour,
        "frozen": found.frozen is not None,
        "hardware_id": state.hardware_id,
        "hung": state.hung and state.hung.as_dict(),
        "installed_releases": dict(state.installed),
        "kexec_load_disabled": state.load_disabled,
        "kexec_load_limit_reboot": state.load_limit,
        "kexec_tools_version": state.kexec_version,
        "loaded": state.loaded,
        "lock_settings": [asdict(setting) for setting in state.lock_settings],
        "lockdown": state.lockdown,
        "machine": state.machine,
        "platform": dict(state.platform),
        "reboot_needed": bool(need),
        "reboot_needed_because": need,
        "running_cmdline": state.cmdline,
        "running_release": state.release,
        "secure_boot": state.secure_boot,
        "slots": found.slots,
        "started_by_kexec": state.started_by_kexec,
        "unlocked_after_firmware": cmdline.unlocked_by_firmware if cmdline else None,
        "unlocked_after_kexec": cmdline.unlocked if cmdline else None,
    }
