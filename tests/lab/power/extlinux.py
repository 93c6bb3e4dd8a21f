# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""extlinux.conf, as the manual of SYSLINUX says that it is read, and what is to be started once."""

from __future__ import annotations

import posixpath
import struct
from collections.abc import Iterator

from .menus import Start

Entry = dict[str, str]
# These count for the whole menu, wherever they stand.
_GENERAL = ("default", "ontimeout", "prompt", "timeout", "totaltimeout", "ui")
_MODULE = ".c32"
# Both copies of what the program keeps for itself are at the end of ldlinux.sys. The words between
# the first and the last one add up to the second magic number.
_KEPT = struct.Struct("<128I")
_COPIES = 2
_FIRST, _SUM, _LAST = 0x5A2D2FA5, 0xA3041767, 0xDD28BF64
_HEAD, _TAIL = 8, 4
_ONCE = 1


def once(program: bytes) -> str:
    """Return the label that `extlinux --once` ordered, by the content of ldlinux.sys."""
    copies = program[-_COPIES * _KEPT.size :]
    for place in range(0, len(copies) - _KEPT.size + 1, _KEPT.size):
        copy = copies[place : place + _KEPT.size]
        first, *others, last = _KEPT.unpack(copy)
        if (first, sum(others) & 0xFFFFFFFF, last) == (_FIRST, _SUM, _LAST):
            return _value(copy[_HEAD:-_TAIL], _ONCE).decode(errors="replace")
    return ""


def _value(data: bytes, wanted: int) -> bytes:
    """Return what is kept under a number; each value is behind its number and its length."""
    place = 0
    while place + 2 <= len(data) and data[place]:
        number, length = data[place : place + 2]
        if number == wanted:
            return data[place + 2 : place + 2 + length]
        place += 2 + length
    return b""


def default_entry(text: str, folder: str, ordered: str = "") -> Start | None:
    """Return what is started without a key pressed, or None; an order for once comes first."""
    general, entries = _parse(text)
    if ordered in entries:
        return _start(entries[ordered], folder, "")
    name = _first(general.get("default", ""))
    ui = _first(general.get("ui", "")) or (name if name.endswith(_MODULE) else "")
    if not _starts_alone(general, bool(ui)):
        return None
    entry = _chosen(general, entries, name, bool(ui))
    return _start(entry, folder, ui) if entry is not None else None


def _start(entry: Entry, folder: str, ui: str) -> Start | None:
    kernel = _first(entry.get("kernel", ""))
    if not kernel:
        return None
    paths = [posixpath.join(folder, path) for path in (kernel, *_initramfs(entry))]
    return Start(paths[0], tuple(paths[1:]), (posixpath.join(folder, ui),) if ui else ())


def _first(text: str) -> str:
    return (text.split() or [""])[0]


def _starts_alone(general: Entry, has_menu: bool) -> bool:
    """Tell whether the menu ends by itself: without a timeout it waits for a key."""
    if not has_menu and general.get("prompt", "0") == "0":
        return True
    times = (general.get("timeout", "0"), general.get("totaltimeout", "0"))
    return any(time.isdecimal() and int(time) for time in times)


def _chosen(general: Entry, entries: dict[str, Entry], name: str, has_menu: bool) -> Entry | None:
    """Return the entry that is started; a menu has marks of its own and else takes the first."""
    if "ontimeout" in general:
        return entries.get(general["ontimeout"])
    if not has_menu or name in entries:
        return entries.get(name)
    marked = [entry for entry in entries.values() if "menu default" in entry]
    return next(iter([*marked, *entries.values()]), None)


def _parse(text: str) -> tuple[Entry, dict[str, Entry]]:
    """Return the directives of the whole menu, and those of each entry by its label."""
    general: Entry = {}
    entries: dict[str, Entry] = {}
    current: Entry = {}
    for word, rest in _lines(text):
        if word == "label":
            current = entries.setdefault(rest, {})
        elif word in _GENERAL:
            general[word] = rest
        else:
            current["kernel" if word == "linux" else word] = rest
    return general, entries


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        words = line.split(maxsplit=1)
        word, rest = (words[0].lower() if words else "", words[1].strip() if words[1:] else "")
        if word == "menu":
            word, rest = f"menu {_first(rest).lower()}", ""
        yield word, rest


def _initramfs(entry: Entry) -> list[str]:
    if "initrd" in entry:
        return entry["initrd"].split(",")
    words = entry.get("append", "").split()
    named = [word.removeprefix("initrd=") for word in words if word.startswith("initrd=")]
    return [name for names in named for name in names.split(",")]
