# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The commands of a host that make a boot loader's menu anew, and what they write."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._bootloader.loader import NotUnderstoodError
from .._host.port import Host
from .._reasons import ReasonError, reason
from .._write.boot_file import NEW, beside
from .settings import uki

HOOK_DIRECTORIES = ("/etc/kernel-hooks.d", "/usr/share/kernel-hooks.d")
HOOK = "secureboot.hook"
KERNELS = "/usr/share/kernel"

UPDATE_EXTLINUX, ZIPL = "update-extlinux", "zipl"
UPDATE_GRUB, MKCONFIG, SCRIPT_CHECK = "update-grub", "grub-mkconfig", "grub-script-check"
COMMANDS = (UPDATE_EXTLINUX, ZIPL, UPDATE_GRUB, MKCONFIG, SCRIPT_CHECK)

Argv = list[str]


@dataclass(frozen=True)
class Installed:
    """What a host has that makes menus and images, and what it makes images of."""

    # Where those of the commands are that are there.
    commands: t.Mapping[str, str] = field(default_factory=dict)
    # All files in the directories of hooks, those of the first directory before.
    hooks: tuple[str, ...] = ()
    # What the file of each flavour of kernels says its release is.
    releases: t.Mapping[str, str] = field(default_factory=dict)


Maker = t.Callable[[Installed], list[Argv]]


def installed_on(host: Host) -> Installed:
    """Look once; what is missing or damaged is told by whoever needs it."""
    commands = {name: host.find(name) for name in COMMANDS}
    return Installed(
        {name: path for name, path in commands.items() if path is not None},
        tuple(f"{path}/{name}" for path in HOOK_DIRECTORIES for name in host.names(path)),
        {flavour: host.text(_release_of(flavour)) or "" for flavour in host.names(KERNELS)},
    )


def _release_of(flavour: str) -> str:
    return f"{KERNELS}/{flavour}/kernel.release"


def one(name: str) -> Maker:
    """A command that needs no words."""
    return lambda installed: [[_found(installed, name)]]


def grub_draft(installed: Installed, menu: str) -> str | None:
    """Where GRUB's menu is made, None where only a command is there that knows one place."""
    return beside(menu, NEW) if MKCONFIG in installed.commands else None


def grub(installed: Installed, draft: str | None) -> list[Argv]:
    """update-grub is grub-mkconfig with a copy before and a renaming after it."""
    if draft is None:
        return [[_found(installed, UPDATE_GRUB, or_else=MKCONFIG)]]
    check = installed.commands.get(SCRIPT_CHECK)
    made = [_found(installed, MKCONFIG), "-o", draft]
    return [made, [check, draft]] if check else [made]


def hooks(installed: Installed) -> list[Argv]:
    """What kernel-hooks would run after an upgrade: flavour, and the version without it."""
    hook = next((path for path in installed.hooks if path.endswith(HOOK)), None)
    if hook is None:
        raise _missing(HOOK)
    return [[hook, flavour, version] for flavour, version in _kernels(installed)]


def names_in(path: str, text: str) -> str:
    """The text of what names files, whose names the kernel ends at a NUL byte."""
    if "\0" in text:
        raise NotUnderstoodError(f"{path} has a NUL byte")
    return text


def images(installed: Installed, settings: str) -> tuple[str, ...]:
    """What the hook writes, as far as its settings say so in plain text."""
    try:
        return tuple(uki.image(settings, *kernel) for kernel in _kernels(installed))
    except NotUnderstoodError:
        return ()


def _kernels(installed: Installed) -> t.Iterator[tuple[str, str]]:
    for flavour, text in installed.releases.items():
        release = names_in(_release_of(flavour), text).strip()
        suffix = f"-{flavour}"
        version = release[: -len(suffix)] if release.endswith(suffix) else release
        if version:
            yield flavour, version


def _found(installed: Installed, name: str, or_else: str | None = None) -> str:
    path = installed.commands.get(name)
    if path is None:
        raise _missing(or_else or name)
    return path


def _missing(name: str) -> ReasonError:
    return ReasonError(
        reason(
            "boot_menu_not_regenerated",
            f"{name}, which makes the boot loader's menu, is not installed.",
            "Install it, or name another boot loader with boot_loader.",
        )
    )
