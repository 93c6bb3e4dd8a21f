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
from .._host.port import Host
from .._write.boot_file import OWED, beside
from . import menu_commands
from .menu_commands import UPDATE_EXTLINUX, ZIPL, Maker
from .settings import efi_stub, extlinux, grub, limine, raspberrypi, uki, update_extlinux, zipl
from .text import Finder
from .traces import SYSLINUX, Traces, traces_of


@dataclass(frozen=True)
class Settings:
    """What is to be edited on one host."""

    loader: str
    # Files that are edited. One that is not there yet counts as empty.
    files: tuple[str, ...]
    lines: Finder
    # What makes the menu anew, None where the files are the menu themselves.
    commands: Maker | None = None
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
    signs: t.Callable[[Traces], tuple[str, ...]]
    # Takes the one of them that is there.
    settings: t.Callable[[Traces, str], Settings]
    # The upper digit of what the kernel reports as its boot loader, on x86.
    type_ids: frozenset[int] = frozenset()


def _existing(path: str) -> t.Callable[[Traces], tuple[str, ...]]:
    return lambda traces: (path,) if path in traces.files else ()


def _menus(name: str) -> t.Callable[[Traces], tuple[str, ...]]:
    return lambda traces: traces.menus.get(name, ())


def _static(name: str, lines: Finder, forbidden: str = "") -> t.Callable[..., Settings]:
    return lambda _traces, sign: Settings(name, (sign,), lines, forbidden=forbidden)


def _menu(loader: Loader, lines: t.Callable[[Traces], Finder], forbidden: str = "") -> Editor:
    """The menu is edited itself."""
    return Editor(
        loader.name,
        _menus(loader.name),
        lambda traces, sign: Settings(loader.name, (sign,), lines(traces), forbidden=forbidden),
        loader.type_ids,
    )


# --- extlinux ------------------------------------------------------------------------------


def _extlinux_signs(traces: Traces) -> tuple[str, ...]:
    """The settings alone may be left from another boot loader, and GRUB reads them, too."""
    menus, of_grub = (traces.menus.get(name, ()) for name in (EXTLINUX.name, GRUB.name))
    settings = update_extlinux.SETTINGS
    used = settings in traces.files and UPDATE_EXTLINUX in traces.installed.commands
    return menus or ((settings,) if used and not of_grub else ())


def _extlinux(traces: Traces, sign: str) -> Settings:
    made = (MENU, update_extlinux.SETTINGS)
    if update_extlinux.SETTINGS not in traces.files or sign not in made:
        return Settings("extlinux", (sign,), extlinux.lines)
    return Settings(
        "extlinux",
        (update_extlinux.SETTINGS,),
        update_extlinux.lines,
        menu_commands.one(UPDATE_EXTLINUX),
        menu=MENU,
        generated=(f"{MENU}.old", f"{MENU}.new"),
        fixed=update_extlinux.GENERATED,
    )


# --- GRUB ----------------------------------------------------------------------------------


def _grub(traces: Traces, menu: str) -> Settings:
    also = traces.files & {update_extlinux.SETTINGS}
    draft = menu_commands.grub_draft(traces.installed, menu)
    own = (f"{menu}.new", f"{menu}.backup") if draft is None else (draft, f"{draft}.new")
    return Settings(
        "grub",
        (grub.SETTINGS, *also),
        grub.lines,
        lambda installed: menu_commands.grub(installed, draft),
        menu=menu,
        generated=own,
        draft=draft,
        forbidden=grub.FORBIDDEN,
        fixed=update_extlinux.GENERATED if also else frozenset({"root"}),
    )


# --- The others ----------------------------------------------------------------------------


def _zipl(traces: Traces, sign: str) -> Settings:
    return Settings(
        "zipl",
        (sign,),
        zipl.lines,
        menu_commands.one(ZIPL),
        images=zipl.maps(_text(traces, sign)),
        forbidden="'",
    )


def _text(traces: Traces, path: str) -> str:
    return menu_commands.names_in(path, traces.texts.get(path) or "")


def _uki_signs(traces: Traces) -> tuple[str, ...]:
    """Settings that are not understood are a sign, too, and refused later."""
    path = uki.SETTINGS
    text = traces.texts.get(path)
    if text is None:
        return ()
    try:
        return (path,) if uki.active(text) else ()
    except NotUnderstoodError:
        return (path,)


def _uki(traces: Traces, sign: str) -> Settings:
    text = _text(traces, sign)
    named = uki.file_of(text)
    files = (sign, *((named,) if named else ()))
    images = menu_commands.images(traces.installed, text)
    return Settings("uki", files, uki.lines, menu_commands.hooks, images=images)


EDITORS: tuple[Editor, ...] = (
    Editor("extlinux", _extlinux_signs, _extlinux, EXTLINUX.type_ids),
    Editor("grub", _menus(GRUB.name), _grub, GRUB.type_ids),
    _menu(LIMINE, lambda _traces: limine.lines, limine.FORBIDDEN),
    _menu(
        UBOOT,
        lambda traces: extlinux.lines_for(syslinux=traces.of_extlinux),
        extlinux.UBOOT_FORBIDDEN,
    ),
    _menu(RASPBERRYPI, lambda traces: raspberrypi.lines_for(traces.configurations)),
    Editor("zipl", _existing(zipl.SETTINGS), _zipl),
    Editor(
        "efi_stub",
        _existing(efi_stub.SETTINGS),
        _static("efi_stub", efi_stub.lines, efi_stub.FORBIDDEN),
    ),
    Editor("uki", _uki_signs, _uki),
    Editor(SYSLINUX, _menus(SYSLINUX), _static(SYSLINUX, extlinux.lines), EXTLINUX.type_ids),
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
    return chosen(traces_of(host), name)


def chosen(traces: Traces, name: str) -> Settings:
    """The same, of what was found on it."""
    wanted = [editor for editor in EDITORS if name in ("auto", editor.name)]
    owners = {path: editor for editor in wanted for path in editor.signs(traces)}
    media = {editor.name for editor in owners.values()} == {SYSLINUX}
    remedies = (*_REMEDIES, _SEVERAL_MEDIA if media else _SEVERAL)
    what = "a known boot loader" if name == "auto" else f"the boot loader {name}"
    path = booting(traces.started_by, wanted, owners, remedies, what)
    return owners[path].settings(traces, path)
