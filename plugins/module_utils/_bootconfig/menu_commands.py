# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The commands of a host that make a boot loader's menu anew, and what they write."""

from __future__ import annotations

import typing as t

from .._bootloader.loader import NotUnderstoodError
from .._host.port import Host
from .._reasons import ReasonError, reason
from .._write.boot_file import NEW, beside
from .settings import uki

HOOK_DIRECTORIES = ("/etc/kernel-hooks.d", "/usr/share/kernel-hooks.d")
HOOK = "secureboot.hook"
KERNELS = "/usr/share/kernel"

Argv = list[str]


def one(name: str) -> t.Callable[[Host], list[Argv]]:
    """A command that needs no words."""
    return lambda host: [[_found(host, name)]]


def grub_draft(host: Host, menu: str) -> str | None:
    """Where GRUB's menu is made, None where only a command is there that knows one place."""
    return beside(menu, NEW) if host.find("grub-mkconfig") else None


def grub(host: Host, draft: str | None) -> list[Argv]:
    """update-grub is grub-mkconfig with a copy before and a renaming after it."""
    if draft is None:
        return [[_found(host, "update-grub", or_else="grub-mkconfig")]]
    check = host.find("grub-script-check")
    made = [_found(host, "grub-mkconfig"), "-o", draft]
    return [made, [check, draft]] if check else [made]


def hooks(host: Host) -> list[Argv]:
    """What kernel-hooks would run after an upgrade: flavour, and the version without it."""
    hook = next(
        (
            f"{directory}/{name}"
            for directory in HOOK_DIRECTORIES
            for name in host.names(directory)
            if name.endswith(HOOK)
        ),
        None,
    )
    if hook is None:
        raise _missing(HOOK)
    return [[hook, flavour, version] for flavour, version in _kernels(host)]


def text_with_names(host: Host, path: str) -> str:
    """The text of what names files, whose names the kernel ends at a NUL byte."""
    text = host.text(path) or ""
    if "\0" in text:
        raise NotUnderstoodError(f"{path} has a NUL byte")
    return text


def images(host: Host, settings: str) -> tuple[str, ...]:
    """What the hook writes, as far as its settings say so in plain text."""
    try:
        return tuple(uki.image(settings, flavour, version) for flavour, version in _kernels(host))
    except NotUnderstoodError:
        return ()


def _kernels(host: Host) -> t.Iterator[tuple[str, str]]:
    for flavour in host.names(KERNELS):
        release = text_with_names(host, f"{KERNELS}/{flavour}/kernel.release").strip()
        suffix = f"-{flavour}"
        version = release[: -len(suffix)] if release.endswith(suffix) else release
        if version:
            yield flavour, version


def _found(host: Host, name: str, or_else: str | None = None) -> str:
    path = host.find(name)
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
