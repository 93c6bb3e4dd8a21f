# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""grub.cfg of grub-mkconfig, as far as it decides what is started without a key pressed."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from itertools import pairwise

from .menus import Start

_COMMANDS = ("linux", "linux16", "linuxefi", "initrd", "initrd16", "initrdefi")
_ID_OPTIONS = ("--id", "$menuentry_id_option")
_DEFAULT = re.compile(r'set\s+default="?([^"]*)"?')
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_DEVICE = re.compile(r"^(?:\([^)]*\)|\$root)")


@dataclass
class Entry:
    """An entry of the menu, or a further menu."""

    names: tuple[str, ...] = ()
    commands: list[list[str]] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    is_menu: bool = False


def default_entry(text: str, _folder: str, state: str = "") -> Start | None:
    """Return what is started without a key pressed, or None; state is the text of grubenv."""
    entry = _parse(text)
    if entry is None:
        return None
    for word in _default(text, state).split(">"):
        if entry.is_menu and entry.entries:
            entry = _find(entry.entries, word)
    return None if entry.is_menu else _start(entry)


def _default(text: str, state: str) -> str:
    """Return the value of default: the last that is set, and in a condition the first that holds.

    grub-mkconfig only asks whether a variable of grubenv is empty, before it takes its value.
    """
    variables = dict(line.split("=", 1) for line in state.splitlines() if "=" in line)
    chosen, depth, settled = "", 0, False
    for line in map(str.strip, text.splitlines()):
        depth += line.startswith("if ") and not line.endswith("fi")
        depth -= line == "fi"
        found = _DEFAULT.fullmatch(line)
        value = _VARIABLE.sub(lambda m: variables.get(m[1] or m[2], ""), found[1]) if found else ""
        if value and not (depth and settled):
            chosen, settled = value, bool(depth)
    return chosen or "0"


def _find(entries: list[Entry], name: str) -> Entry:
    """Return the entry of a number, title or id; GRUB takes the first where there is none."""
    if name.isdecimal() and int(name) < len(entries):
        return entries[int(name)]
    return next((entry for entry in entries if name in entry.names), entries[0])


def _parse(text: str) -> Entry | None:
    """Return the whole menu, or None if one of its blocks does not end."""
    root = Entry(is_menu=True)
    open_blocks = [root]
    for line in map(str.strip, text.splitlines()):
        word = line.split(maxsplit=1)[0] if line else ""
        if line == "}":
            open_blocks.pop()
            if not open_blocks:
                return None
        elif line.endswith("{"):
            open_blocks.append(_block(word, line, open_blocks[-1]))
        elif word in _COMMANDS:
            open_blocks[-1].commands.append(_words(line))
    return root if len(open_blocks) == 1 else None


def _block(word: str, line: str, outer: Entry) -> Entry:
    if word not in ("menuentry", "submenu"):
        # A function's: what is in it belongs to no entry.
        return Entry()
    words = _words(line)
    ids = [value for option, value in pairwise(words) if option in _ID_OPTIONS]
    block = Entry((*words[1:2], *ids), is_menu=word == "submenu")
    outer.entries.append(block)
    return block


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        # A quotation that does not end: the line was never whole.
        return [""]


def _start(entry: Entry) -> Start | None:
    kernels = [words for words in entry.commands if words[0].startswith("linux")]
    if not kernels or len(kernels[-1]) < 2:
        return None
    initramfs = [words[1:] for words in entry.commands if words[0].startswith("initrd")]
    names = [_DEVICE.sub("", name) for name in (initramfs[-1] if initramfs else [])]
    return Start(_DEVICE.sub("", kernels[-1][1]), tuple(names))
