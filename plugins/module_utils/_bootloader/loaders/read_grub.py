# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""grub.cfg as grub-mkconfig writes it, with the variables of grubenv."""

from __future__ import annotations

import re
import shlex
import typing as t
from dataclasses import dataclass, field

from ..entry import Entry, NotUnderstoodError

_DEFAULT = re.compile(r"""^\s*set\s+default=(?:"([^"]*)"|'([^']*)'|(\S*))\s*$""")
_OPENING = re.compile(r"^\s*(menuentry|submenu)\s")
# What GRUB's shell would replace, or end the command at.
_SHELL = re.compile(r"[$;&|<>{}]|(?<!\S)#")
_IDENTIFIERS = ("$menuentry_id_option", "--id")


@dataclass
class _Item:
    """A menu entry or a submenu."""

    names: tuple[str, ...]
    submenu: bool
    items: list[_Item] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    closed: bool = False


def environment(text: str) -> dict[str, str]:
    """The variables of a grubenv file, which is padded with number signs."""
    pairs = (line.partition("=") for line in text.splitlines() if not line.startswith("#"))
    return {name: value for name, equals, value in pairs if equals}


def default_entry(text: str, variables: t.Mapping[str, str]) -> Entry:
    """The entry that boots when nobody touches the menu."""
    item = _find(_parse(text), _default_name(text, variables))
    kernel: list[str] = []
    initramfs: list[str] = []
    for line in item.lines:
        command, *rest = line.split(None, 1) or [""]
        if command.startswith("linux"):
            kernel = _arguments("".join(rest))
        elif command.startswith("initrd"):
            initramfs = _arguments("".join(rest))
    if not kernel:
        raise NotUnderstoodError(f"its entry {item.names[0]!r} names no kernel")
    _refuse_devices([kernel[0], *initramfs])
    return Entry(item.names[0], kernel[0], tuple(initramfs), " ".join(map(_quoted, kernel[1:])))


def _arguments(text: str) -> list[str]:
    """The arguments of a command, whose quotes GRUB takes away."""
    if _SHELL.search(text):
        raise NotUnderstoodError("its default entry uses GRUB's shell")
    try:
        return shlex.split(text)
    except ValueError as error:
        raise NotUnderstoodError("a quote in its default entry is not closed") from error


def _quoted(word: str) -> str:
    """A parameter as GRUB hands it to the kernel, with quotes around the whole of it."""
    if any(char in word for char in "\"'\\"):
        raise NotUnderstoodError("its default entry has quotes inside quotes")
    return f'"{word}"' if " " in word else word


def _refuse_devices(paths: t.Iterable[str]) -> None:
    if any(path.startswith("(") for path in paths):
        raise NotUnderstoodError("its default entry names a device")


def _default_name(text: str, variables: t.Mapping[str, str]) -> str:
    """grub-mkconfig writes the one-shot entry first and the lasting default behind it."""
    found = [match for match in map(_DEFAULT.match, text.splitlines()) if match]
    values = [next(group for group in match.groups() if group is not None) for match in found]
    lasting = [value for value in values if "next_entry" not in value]
    one_shot = variables.get("next_entry") if len(lasting) < len(values) else None
    value = one_shot or "".join(lasting[-1:]) or "0"
    if value == "${saved_entry}":
        value = variables.get("saved_entry") or "0"
    if "$" in value:
        raise NotUnderstoodError("its default is a variable")
    return value


def _parse(text: str) -> list[_Item]:
    """Entries and submenus by their braces; everything else is passed over."""
    top = _Item(("",), True)
    open_items: list[tuple[_Item, int]] = []
    depth = 0
    for line in text.splitlines():
        parent = open_items[-1][0] if open_items else top
        if _OPENING.match(line):
            item = _Item(_names(line), line.strip().startswith("submenu"))
            parent.items.append(item)
            open_items.append((item, depth))
        else:
            parent.lines.append(line)
        depth += _depth_change(line)
        while open_items and depth <= open_items[-1][1]:
            open_items.pop()[0].closed = True
    return top.items


def _depth_change(line: str) -> int:
    """Blocks open at the end of a line and close on a line of their own."""
    stripped = line.strip()
    return int(stripped.endswith("{")) - int(stripped == "}")


def _names(line: str) -> tuple[str, ...]:
    """The title, and the identifier by which a default may name the entry."""
    try:
        words = shlex.split(line.strip().rstrip("{"))
    except ValueError as error:
        raise NotUnderstoodError(f"an entry's title is not closed: {line.strip()!r}") from error
    identifiers = [
        words[index + 1] for index, word in enumerate(words[:-1]) if word in _IDENTIFIERS
    ]
    return (words[1] if len(words) > 1 else "", *identifiers)


def _find(items: list[_Item], path: str) -> _Item:
    """A default is a number, a title or an identifier; ">" leads into submenus."""
    name, _arrow, rest = path.partition(">")
    if re.fullmatch("[0-9]{1,9}", name):
        matching = items[int(name) : int(name) + 1]
    else:
        matching = [item for item in items if name in item.names]
    if not matching:
        raise NotUnderstoodError(f"it has no entry {path!r}")
    item = matching[0]
    if not item.closed:
        # GRUB runs a block when it has read the whole of it, and never one that is cut off.
        raise NotUnderstoodError(f"its entry {item.names[0]!r} is not closed")
    if item.submenu:
        return _find(item.items, rest or "0")
    return item
