# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The boot loaders whose configuration can be edited: how each is recognised, and made anew."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._bootloader.find import booting
from .._bootloader.loader import Loader, NotUnderstoodError
from .._bootloader.loaders.extlinux import EXTLINUX, MENU, UBOOT
from .._bootloader.loaders.grub import GRUB
from .._bootloader.loaders.limine import LIMINE
from .._bootloader.loaders.raspberrypi import RASPBERRYPI
from .._host.machine import LOADER_TYPE
from .._host.port import Host
from .._write.boot_file import OWED, beside
from . import menu_commands
from .menu_commands import Argv
from .settings import efi_stub, extlinux, grub, limine, raspberrypi, uki, update_extlinux, zipl
from .text import Finder


@dataclass(frozen=True)
class Settings:
    """What is to be edited on one host."""

    loader: str
    # Files that are edited. One that is not there yet counts as empty.
    files: tuple[str, ...]
    lines: Finder
    # What makes the menu anew, None where the files are the menu themselves.
    commands: t.Callable[[Host], list[Argv]] | None = None
    # The menu that is made and can be read, and what else is written with it.
    menu: str | None = None
    generated: tuple[str, ...] = ()
    # Where the commands write it, if it is not they that put it in its place.
    draft: str | None = None
    # What the commands make that cannot be read, but is read by the boot loader.
    images: tuple[str, ...] = ()
    # Characters that the boot loader would not hand on as they are.
    forbidden: str = ""
    # Parameters that come from other settings.
    fixed: frozenset[str] = frozenset()

    @property
    def mark(self) -> str | None:
        """What says that images are owed, where no menu tells what they were made of."""
        unseen = self.commands is not None and self.menu is None
        return beside(self.files[0], OWED) if unseen else None

    @property
    def read_at_boot(self) -> tuple[str, ...]:
        """The files that the boot loader itself reads, as far as they are known."""
        if self.menu is not None:
            return (self.menu,)
        return self.files if self.commands is None else self.images


@dataclass(frozen=True)
class Editor:
    """How to recognise a boot loader, and what to edit then."""

    name: str
    # The files that tell that it is there.
    signs: t.Callable[[Host], tuple[str, ...]]
    # Takes the one of them that is there.
    settings: t.Callable[[Host, str], Settings]
    # The upper digit of what the kernel reports as its boot loader, on x86.
    type_ids: frozenset[int] = frozenset()


def _existing(*paths: str) -> t.Callable[[Host], tuple[str, ...]]:
    return lambda host: tuple(path for path in paths if host.exists(path))


def _static(name: str, lines: Finder, forbidden: str = "") -> t.Callable[..., Settings]:
    return lambda _host, sign: Settings(name, (sign,), lines, forbidden=forbidden)


def _menu(loader: Loader, lines: t.Callable[[Host], Finder], forbidden: str = "") -> Editor:
    """The menu is edited itself."""
    return Editor(
        loader.name,
        loader.menus,
        lambda host, sign: Settings(loader.name, (sign,), lines(host), forbidden=forbidden),
        loader.type_ids,
    )


# --- extlinux ------------------------------------------------------------------------------


def _extlinux_signs(host: Host) -> tuple[str, ...]:
    """The settings alone may be left from another boot loader, and GRUB reads them, too."""
    menus = EXTLINUX.menus(host)
    settings = update_extlinux.SETTINGS
    alone = host.exists(settings) and host.find("update-extlinux") is not None
    return menus or ((settings,) if alone and not GRUB.menus(host) else ())


def _extlinux(host: Host, sign: str) -> Settings:
    made = (MENU, update_extlinux.SETTINGS)
    if not host.exists(update_extlinux.SETTINGS) or sign not in made:
        return Settings("extlinux", (sign,), extlinux.lines)
    return Settings(
        "extlinux",
        (update_extlinux.SETTINGS,),
        update_extlinux.lines,
        menu_commands.one("update-extlinux"),
        menu=MENU,
        generated=(f"{MENU}.old", f"{MENU}.new"),
        fixed=update_extlinux.GENERATED,
    )


# --- GRUB ----------------------------------------------------------------------------------


def _grub(host: Host, menu: str) -> Settings:
    also = update_extlinux.SETTINGS
    draft = menu_commands.grub_draft(host, menu)
    own = (f"{menu}.new", f"{menu}.backup") if draft is None else (draft, f"{draft}.new")
    return Settings(
        "grub",
        (grub.SETTINGS, *((also,) if host.exists(also) else ())),
        grub.lines,
        lambda host: menu_commands.grub(host, draft),
        menu=menu,
        generated=own,
        draft=draft,
        forbidden=grub.FORBIDDEN,
        fixed=update_extlinux.GENERATED if host.exists(also) else frozenset({"root"}),
    )


# --- The others ----------------------------------------------------------------------------


def _zipl(host: Host, sign: str) -> Settings:
    return Settings(
        "zipl",
        (sign,),
        zipl.lines,
        menu_commands.one("zipl"),
        images=zipl.maps(menu_commands.text_with_names(host, sign)),
        forbidden="'",
    )


def _uki_signs(host: Host) -> tuple[str, ...]:
    """Settings that are not understood are a sign, too, and refused later."""
    path = uki.SETTINGS
    text = host.text(path)
    if text is None:
        return ()
    try:
        return (path,) if uki.active(text) else ()
    except NotUnderstoodError:
        return (path,)


def _uki(host: Host, sign: str) -> Settings:
    text = menu_commands.text_with_names(host, sign)
    named = uki.file_of(text)
    files = (sign, *((named,) if named else ()))
    images = menu_commands.images(host, text)
    return Settings("uki", files, uki.lines, menu_commands.hooks, images=images)


def _media(host: Host) -> tuple[str, ...]:
    """The configurations on the media of diskless hosts."""
    return tuple(
        path
        for device in host.names("/media")
        for path in (
            f"/media/{device}/boot/syslinux/syslinux.cfg",
            f"/media/{device}/syslinux.cfg",
        )
        if host.exists(path)
    )


EDITORS: tuple[Editor, ...] = (
    Editor("extlinux", _extlinux_signs, _extlinux, EXTLINUX.type_ids),
    Editor("grub", GRUB.menus, _grub, GRUB.type_ids),
    _menu(LIMINE, lambda _host: limine.lines, limine.FORBIDDEN),
    _menu(UBOOT, extlinux.lines_for, extlinux.UBOOT_FORBIDDEN),
    _menu(RASPBERRYPI, raspberrypi.lines_for),
    Editor("zipl", _existing(zipl.SETTINGS), _zipl),
    Editor(
        "efi_stub",
        _existing(efi_stub.SETTINGS),
        _static("efi_stub", efi_stub.lines, efi_stub.FORBIDDEN),
    ),
    Editor("uki", _uki_signs, _uki),
    Editor("syslinux", _media, _static("syslinux", extlinux.lines), EXTLINUX.type_ids),
)
CHOICES = ("auto", *(editor.name for editor in EDITORS))


_REMEDIES = (
    "Mount /boot or the boot medium, or name another one with boot_loader.",
    "Mount the configuration of the other one, or name this one with boot_loader.",
)
_SEVERAL = "Name the one that is in use with boot_loader, or remove the others' configuration."
# Which of several media, or of several menus of one loader, it reads is not known either.
_SEVERAL_MEDIA = "Unmount the media that the host does not boot from."


def choose(host: Host, name: str) -> Settings:
    """The settings of the boot loader that was named, or of the one that boots this host."""
    wanted = [editor for editor in EDITORS if name in ("auto", editor.name)]
    owners = {path: editor for editor in wanted for path in editor.signs(host)}
    media = {editor.name for editor in owners.values()} == {"syslinux"}
    remedies = (*_REMEDIES, _SEVERAL_MEDIA if media else _SEVERAL)
    what = "a known boot loader" if name == "auto" else f"the boot loader {name}"
    path = booting(host.number(LOADER_TYPE), wanted, owners, remedies, what)
    return owners[path].settings(host, path)
