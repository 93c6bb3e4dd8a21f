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

from ._boot_entry import Entry, NotUnderstood

_DEFAULT = re.compile(r"""^\s*set\s+default=(?:"([^"]*)"|'([^']*)'|(\S*))\s*$""")
_OPENING = re.compile(r"^\s*(menuentry|submenu)\s")
_IDENTIFIERS = ("$menuentry_id_option", "--id")


@dataclass
class _Item:
    """A menu entry or a submenu."""

    names: tuple[str, ...]
    submenu: bool
    items: list[_Item] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


def environment(text: str) -> dict[str, str]:
    """The variables of a grubenv file, which is padded with number signs."""
    pairs = (line.partition("=") for line in text.splitlines() if not line.startswith("#"))
    return {name: value for name, equals, value in pairs if equals}


def default_entry(text: str, variables: t.Mapping[str, str]) -> Entry:
    """The entry that boots when nobody touches the menu."""
    item = _find(_parse(text), _default_name(text, variables))
    kernel: list[str] = []
    initramfs: tuple[str, ...] = ()
    for line in item.lines:
        command, _space, rest = line.strip().partition(" ")
        if command.startswith("linux"):
            kernel = rest.strip().split(None, 1)
        elif command.startswith("initrd"):
            initramfs = tuple(rest.split())
    if not kernel:
        raise NotUnderstood(f"its entry {item.names[0]!r} names no kernel")
    _refuse_variables([*kernel, *initramfs])
    return Entry(item.names[0], kernel[0], initramfs, kernel[1] if len(kernel) > 1 else "")


def _refuse_variables(values: t.Iterable[str]) -> None:
    if any("$" in value for value in values):
        raise NotUnderstood("its default entry uses variables")


def _default_name(text: str, variables: t.Mapping[str, str]) -> str:
    """grub-mkconfig writes the one-shot entry first and the lasting default behind it."""
    found = [match for match in map(_DEFAULT.match, text.splitlines()) if match]
    values = [next(group for group in match.groups() if group is not None) for match in found]
    lasting = [value for value in values if "next_entry" not in value]
    one_shot = variables.get("next_entry") if len(lasting) < len(values) else None
    value = one_shot or (lasting[-1] if lasting else "0")
    if value == "${saved_entry}":
        value = variables.get("saved_entry") or "0"
    _refuse_variables([value])
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
            open_items.pop()
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
        raise NotUnderstood(f"an entry's title is not closed: {line.strip()!r}") from error
    identifiers = [
        words[index + 1]
        for index, word in enumerate(words[:-1])
        if word in _IDENTIFIERS and index > 1
    ]
    return (words[1] if len(words) > 1 else "", *identifiers)


def _find(items: list[_Item], path: str) -> _Item:
    """A default is a number, a title or an identifier; ">" leads into submenus."""
    name, _arrow, rest = path.partition(">")
    if name.isdigit():
        matching = items[int(name) : int(name) + 1]
    else:
        matching = [item for item in items if name in item.names]
    if not matching:
        raise NotUnderstood(f"it has no entry {path!r}")
    item = matching[0]
    if item.submenu:
        return _find(item.items, rest or "0")
    return item
