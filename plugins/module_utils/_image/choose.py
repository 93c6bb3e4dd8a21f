# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What a user may ask of an image, and which kernel, initramfs and command line are meant then."""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass

from .. import _cmdline
from .._bootloader.find import Configured
from .._bootloader.loader import Entry
from .._reasons import IGNORABLE, Blocks, Reason, ReasonError, reason

CmdlineSource = t.Literal["auto", "boot_loader", "running", "explicit"]

IMAGE_ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "kernel": {"type": "path"},
    "initramfs": {"type": "list", "elements": "path"},
    "flavour": {"type": "str"},
    "cmdline_source": {
        "type": "str",
        "choices": list(t.get_args(CmdlineSource)),
        "default": "auto",
    },
    "cmdline": {"type": "str"},
    "cmdline_append": {"type": "list", "elements": "str", "default": []},
    "cmdline_remove": {"type": "list", "elements": "str", "default": []},
    "panic_timeout": {"type": "int", "default": 10},
    "denied_platforms": {"type": "list", "elements": "str", "default": []},
    "ignore_reasons": {
        "type": "list",
        "elements": "str",
        "choices": list(IGNORABLE),
        "default": [],
    },
}
PREFLIGHT_ARGUMENTS: dict[str, dict[str, t.Any]] = {
    **IMAGE_ARGUMENTS,
    "controller_boot_id": {"type": "str"},
}
MUTUALLY_EXCLUSIVE = [("kernel", "flavour")]
REQUIRED_IF = [("cmdline_source", "explicit", ["cmdline"])]

Origin = t.Literal["option", "boot_loader", "convention"]

KERNEL_PREFIX = "vmlinuz-"
INITRAMFS_PREFIX = "initramfs-"

# What is there is made by the kernel while it is read: none of it is an image, some never ends.
NOT_ON_DISK = ("proc", "sys")

# --- The wish ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wish:
    """What the user asked for; None leaves the choice to the host."""

    kernel: str | None = None
    initramfs: tuple[str, ...] | None = None
    flavour: str | None = None
    cmdline_source: CmdlineSource = "auto"
    cmdline: str | None = None
    append: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    controller_boot_id: str | None = None
    panic_timeout: int = 0
    denied_platforms: tuple[str, ...] = ()

    @property
    def edits_cmdline(self) -> bool:
        """Tell whether the user wrote any part of the command line."""
        return bool(self.cmdline_source == "explicit" or self.append or self.remove)


def wish_of(params: t.Mapping[str, t.Any]) -> Wish:
    """The user's options as a value."""
    _check_cmdline(params["cmdline"], params["cmdline_source"])
    check_number("panic_timeout", params["panic_timeout"], _cmdline.MAX_INT)
    initramfs = params["initramfs"]
    return Wish(
        kernel=params["kernel"],
        initramfs=None if initramfs is None else tuple(initramfs),
        flavour=params["flavour"],
        cmdline_source=params["cmdline_source"],
        cmdline=params["cmdline"],
        append=tuple(params["cmdline_append"]),
        remove=tuple(params["cmdline_remove"]),
        ignore=tuple(params["ignore_reasons"]),
        controller_boot_id=params.get("controller_boot_id"),
        panic_timeout=params["panic_timeout"],
        denied_platforms=tuple(params["denied_platforms"]),
    )


def _check_cmdline(text: str | None, source: str) -> None:
    """An option that has no effect is a mistake, and so is a command line without a word."""
    if source != "explicit" and text is not None:
        raise ReasonError(_cmdline_not_used(source))
    if source == "explicit" and not (text or "").strip():
        raise ReasonError(_cmdline_empty())


def check_number(name: str, value: int, most: int) -> None:
    if not 0 <= value <= most:
        raise ReasonError(_number_invalid(name, value, most))


def _number_invalid(name: str, value: int, most: int) -> Reason:
    return reason(
        "cmdline_invalid",
        f"The option {name} is {value} and must be between 0 and {most}.",
        "It is a number of seconds; 0 switches it off.",
    )


def _cmdline_not_used(source: str) -> Reason:
    return reason(
        "cmdline_invalid",
        f"The option cmdline is set and cmdline_source is {source}.",
        "Set cmdline_source to explicit, or add single parameters with cmdline_append.",
    )


def _cmdline_empty() -> Reason:
    return reason(
        "cmdline_invalid",
        "cmdline_source is explicit and the option cmdline is empty.",
        "Write the whole command line into cmdline, or leave cmdline_source out.",
    )


# --- What is meant -------------------------------------------------------------------------


@dataclass(frozen=True)
class Files:
    """The files of an image and who named them."""

    kernel: str
    initramfs: tuple[str, ...]
    origin: Origin

    @property
    def flavour(self) -> str | None:
        """The flavour in the kernel's name, as Alpine's packages give it."""
        name = os.path.basename(self.kernel)
        return name[len(KERNEL_PREFIX) :] if name.startswith(KERNEL_PREFIX) else None

    @property
    def blocks(self) -> Blocks:
        """How far a defect of these files blocks.

        Firmware would boot what the boot loader names, and a user's own choice is not replaced by
        another one. Names that were only derived say nothing about what firmware boots.
        """
        return "kexec" if self.origin == "convention" else "reboot"

    @property
    def doubt_blocks(self) -> Blocks:
        """How far it blocks that files are of a kind, or have names, which are not known here.

        Firmware may well boot them; only a user's own choice cannot be met.
        """
        return "reboot" if self.origin == "option" else "kexec"


def choose_files(
    wish: Wish, configured: Configured, boot_files: t.Collection[str], release: str
) -> Files:
    """The kernel and its initramfs files; raise where two answers are possible."""
    chosen = _by_option(wish, configured, boot_files) or _by_host(configured, boot_files, release)
    if wish.initramfs is not None:
        chosen = Files(chosen.kernel, wish.initramfs, "option")
    for path in (chosen.kernel, *chosen.initramfs):
        _check_path(path, chosen.doubt_blocks)
    return chosen


def _by_option(wish: Wish, configured: Configured, boot_files: t.Collection[str]) -> Files | None:
    if wish.kernel is not None:
        _check_path(wish.kernel)
        directory, name = os.path.split(wish.kernel)
        if directory == "/boot" and name not in boot_files:
            raise ReasonError(_kernel_unknown(wish.kernel, boot_files))
        return _with_initramfs(wish.kernel, wish, configured, boot_files)
    if wish.flavour is None:
        return None
    if KERNEL_PREFIX + wish.flavour not in boot_files:
        raise ReasonError(_flavour_unknown(wish.flavour, boot_files))
    return _with_initramfs(_kernel_path(wish.flavour), wish, configured, boot_files)


def _with_initramfs(
    kernel: str, wish: Wish, configured: Configured, boot_files: t.Collection[str]
) -> Files:
    """The initramfs files that belong to a kernel the user named."""
    if wish.initramfs is not None:
        return Files(kernel, wish.initramfs, "option")
    if kernel == configured.kernel:
        return Files(kernel, configured.initramfs, "option")
    directory, name = os.path.split(kernel)
    initramfs = INITRAMFS_PREFIX + name[len(KERNEL_PREFIX) :]
    known = directory != "/boot" or initramfs in boot_files
    if not name.startswith(KERNEL_PREFIX) or not known:
        raise ReasonError(_initramfs_unknown(kernel))
    return Files(kernel, (os.path.join(directory, initramfs),), "option")


def _by_host(configured: Configured, boot_files: t.Collection[str], release: str) -> Files:
    """What the boot loader boots next, or else the flavour that runs now."""
    if configured.kernel is not None:
        return Files(configured.kernel, configured.initramfs, "boot_loader")
    if configured.entry is not None and configured.entry.kernel is not None:
        raise ReasonError(_elsewhere(configured.entry, str(configured.path)))
    running = release.rpartition("-")[2]
    flavours = installed_flavours(boot_files)
    if running not in flavours and len(flavours) != 1:
        raise ReasonError(_flavour_ambiguous(running, flavours))
    flavour = running if running in flavours else flavours[0]
    return Files(_kernel_path(flavour), (f"/boot/{INITRAMFS_PREFIX}{flavour}",), "convention")


def _kernel_path(flavour: str) -> str:
    return f"/boot/{KERNEL_PREFIX}{flavour}"


def installed_flavours(boot_files: t.Iterable[str]) -> list[str]:
    """The flavours of which a kernel is in /boot."""
    return sorted(
        name[len(KERNEL_PREFIX) :] for name in boot_files if name.startswith(KERNEL_PREFIX)
    )


def _check_path(path: str, blocks: Blocks = "reboot") -> None:
    """Only plain absolute paths: nothing that leads elsewhere or means something to a loader."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    elsewhere = not parts or ".." in parts or parts[0] in NOT_ON_DISK or path.endswith("/")
    if not path.startswith("/") or elsewhere or not path.isprintable():
        raise ReasonError(
            reason(
                "path_invalid",
                f"{path!r} is not the absolute path of a file on the host.",
                "Name the file by its full path, such as /boot/vmlinuz-virt.",
                blocks,
            )
        )


@dataclass(frozen=True)
class Cmdline:
    """The command line for the image, and what there is to say about it."""

    text: str
    source: str
    unlocked: bool
    # What a boot through firmware will find; None if the boot loader was not understood.
    unlocked_by_firmware: bool | None
    reasons: tuple[Reason, ...]


def choose_cmdline(
    wish: Wish,
    configured: Configured,
    running: str,
    *,
    needs_unlock: bool,
    once: t.Sequence[str] = (),
) -> Cmdline:
    """The command line that the image gets, with what is to last for one boot.

    Raise if the request cannot be met.
    """
    source, text = _source(wish, configured, running)
    built = _cmdline.build(
        text,
        append=wish.append,
        remove=wish.remove,
        keep_unlocked=needs_unlock,
        panic_timeout=wish.panic_timeout,
        once=once,
    )
    words = _cmdline.split(built)
    firmware = None
    if configured.entry is not None:
        firmware = _cmdline.unlocks_kexec(_cmdline.split(configured.entry.cmdline))
    reasons = _advice(words, configured, running, locks=needs_unlock and firmware is False)
    unlocked = not needs_unlock or _cmdline.unlocks_kexec(words)
    return Cmdline(built, source, unlocked, firmware, reasons)


def _source(wish: Wish, configured: Configured, running: str) -> tuple[str, str]:
    if wish.cmdline_source == "explicit":
        return "explicit", wish.cmdline or ""
    if wish.cmdline_source == "boot_loader" and configured.entry is None:
        raise ReasonError(_cmdline_unknown(configured))
    if wish.cmdline_source != "running" and configured.entry is not None:
        return "boot_loader", configured.entry.cmdline
    return "running", running


def _advice(
    words: t.Sequence[str], configured: Configured, running: str, *, locks: bool
) -> tuple[Reason, ...]:
    found = list(configured.reasons)
    if locks:
        found.append(_next_boot_locks(str(configured.path)))
    if configured.entry is not None and _cmdline.differ(configured.entry.cmdline, running):
        found.append(_drift(str(configured.path)))
    return (*found, *judge_panic(words))


def judge_panic(words: t.Sequence[str]) -> list[Reason]:
    """What becomes of a panic of a kernel with that command line."""
    return [] if _cmdline.panic_seconds(words) else [_panic_hangs()]


def _flavour_unknown(flavour: str, boot_files: t.Iterable[str]) -> Reason:
    installed = ", ".join(installed_flavours(boot_files)) or "none"
    return reason(
        "flavour_unknown",
        f"/boot/{KERNEL_PREFIX}{flavour} does not exist; installed flavours: {installed}.",
        f"Install the package linux-{flavour}, or choose an installed flavour.",
    )


def _kernel_unknown(kernel: str, boot_files: t.Iterable[str]) -> Reason:
    installed = ", ".join(installed_flavours(boot_files)) or "none"
    return reason(
        "kernel_missing",
        f"{kernel} does not exist; installed flavours: {installed}.",
        "Check the option kernel, or mount /boot.",
    )


def _flavour_ambiguous(running: str, flavours: t.Sequence[str]) -> Reason:
    installed = ", ".join(flavours) or "none"
    return reason(
        "flavour_ambiguous",
        f"The running kernel's flavour {running!r} is not in /boot; flavours there: {installed}.",
        "Set the option flavour or kernel, or mount /boot.",
    )


def _elsewhere(entry: Entry, menu: str) -> Reason:
    names = ", ".join((str(entry.kernel), *entry.initramfs))
    return reason(
        "boot_files_elsewhere",
        f"{menu} names {names}, and not all of that was found on the mounted file systems.",
        "Mount the file system that the boot loader reads, or set the options kernel and initramfs.",
    )


def _initramfs_unknown(kernel: str) -> Reason:
    return reason(
        "initramfs_missing",
        f"No initramfs that belongs to {kernel} was found by its name.",
        "Set the option initramfs; an empty list boots the kernel without one.",
    )


def _cmdline_unknown(configured: Configured) -> Reason:
    why = configured.reasons[0].message if configured.reasons else "It has no command line."
    return reason(
        "cmdline_unknown",
        f"The boot loader's command line was not found. {why}",
        "Set cmdline_source to running or explicit.",
    )


def _next_boot_locks(path: str) -> Reason:
    return reason(
        "next_boot_locks",
        f"{path} lacks {_cmdline.UNLOCK_PARAMETER}=0: after a boot through firmware kexec is locked.",
        f"Add {_cmdline.UNLOCK_PARAMETER}=0 to the boot loader's configuration.",
    )


def _drift(path: str) -> Reason:
    return reason(
        "cmdline_drift",
        f"The command line in {path} differs from the running one.",
        "Nothing needs to be done if the change was intended: it takes effect now.",
    )


def _panic_hangs() -> Reason:
    return reason(
        "panic_hangs",
        "The command line sets no time with panic=: a kernel panic early in the boot stops the "
        "host for good.",
        "Set panic_timeout to a number of seconds, or add panic=10 to the boot loader's "
        "configuration.",
    )
