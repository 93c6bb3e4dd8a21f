# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""All entries of a menu, by what its reader tells: who only boots the default one needs none of it."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass, replace

from .._host.port import Host
from .loader import Entry, NotUnderstoodError
from .loaders import extlinux, grub, limine


@dataclass(frozen=True)
class Listing:
    """All that a menu offers: entries that cannot be told, or boot no kernel, are not in it."""

    # In the order of the menu, those of its menus inside included.
    entries: tuple[Entry, ...]
    # What boots when nobody touches the menu and nothing was ordered for one boot only, or why
    # that cannot be told.
    default: Entry | str


# Reads each entry, and the default one.
Reading = tuple[t.Iterable[Entry], t.Callable[[], Entry]]


def listed(loader: str, host: Host, path: str, text: str | None) -> Listing:
    """What the menu of a boot loader offers; its name is that of the reader."""
    reader = _READERS.get(loader)
    if reader is None or text is None:
        return Listing((), "it is not there" if reader else "it has no entries that could be told")
    try:
        entries, default = reader(host, path, text)
        found = tuple(entries)
    except NotUnderstoodError as problem:
        return Listing((), str(problem))
    try:
        return Listing(found, default())
    except NotUnderstoodError as problem:
        return Listing(found, str(problem))


def _of_extlinux(host: Host, path: str, text: str) -> Reading:
    menu = extlinux.parse(text, syslinux=extlinux.is_syslinux(host, path))

    def entries() -> t.Iterator[Entry]:
        for label in menu.labels:
            with contextlib.suppress(NotUnderstoodError):
                yield replace(menu.entry(label), name=label.name)

    return entries(), menu.default_entry


def _of_grub(host: Host, path: str, text: str) -> Reading:
    variables, beside = grub.around(host, path)
    lasting = {name: value for name, value in variables.items() if name != grub.NEXT_ENTRY}
    run = grub.followed(text, lasting, beside)
    return _entries_of_grub(run), lambda: grub.default_of(run)


def _entries_of_grub(run: grub.Followed, above: str = "") -> t.Iterator[Entry]:
    for item in run.items:
        with contextlib.suppress(NotUnderstoodError):
            name = above + item.names[-1]
            if item.command.name == "submenu":
                yield from _entries_of_grub(grub.inside_of(item, run), f"{name}>")
            else:
                yield replace(grub.entry_of(item, run), name=name)


def _of_limine(_host: Host, _path: str, text: str) -> Reading:
    def entries() -> t.Iterator[Entry]:
        for node in limine.parse(text).entries:
            with contextlib.suppress(NotUnderstoodError):
                yield replace(limine.entry_of(node), name=node.title)

    return entries(), lambda: limine.default_entry(text)


_READERS: dict[str, t.Callable[[Host, str, str], Reading]] = {
    "extlinux": _of_extlinux,
    "uboot": _of_extlinux,
    "grub": _of_grub,
    "limine": _of_limine,
}
