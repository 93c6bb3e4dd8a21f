# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""A slot's entry in a boot loader's menu, and the names by which menus and command lines know it."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ... import _cmdline
from ..._reasons import ReasonError, reason

# What an entry is called in a menu, before the slot's own name.
LABEL_PREFIX = "alpinefleet-kexec-"
# Where the files of all slots are, each in a directory of the slot's own name.
FOLDER = "alpinefleet-kexec"
# Release and digits of the content's sum. Nothing in it means anything to a shell, or to a loader.
_SLOT = r"[A-Za-z0-9][A-Za-z0-9._+~-]{0,80}-[0-9a-f]{12}"
_ID = re.compile(_SLOT, re.ASCII)
# An entry, a file, or the parameter of the kernel.
_NAMED = re.compile(
    rf"(?:{LABEL_PREFIX}|/{FOLDER}/|{re.escape(_cmdline.SLOT_PARAMETER)}=)({_SLOT})", re.ASCII
)
_TITLE = re.compile(r"[A-Za-z0-9 ._+~(),:-]{1,120}", re.ASCII)
_PATH = re.compile(r"/boot(?:/[A-Za-z0-9._+~-]+)+", re.ASCII)


def is_id(text: str) -> bool:
    """Tell whether a text may be the name of a slot."""
    return _ID.fullmatch(text) is not None and ".." not in text


def label_of(slot: str) -> str:
    """What its entry is called in the menu."""
    return LABEL_PREFIX + slot


def id_of(label: str) -> str | None:
    """The slot whose entry has that name, None if it is none of ours."""
    slot = label[len(LABEL_PREFIX) :] if label.startswith(LABEL_PREFIX) else ""
    return slot if is_id(slot) else None


def named_in(text: str) -> frozenset[str]:
    """All slots of which a text speaks, whatever the text is."""
    return frozenset(filter(is_id, _NAMED.findall(text)))


@dataclass(frozen=True)
class SlotEntry:
    """What a menu is to say of one slot; the paths are those of the running host."""

    id: str
    # What people read in the menu.
    title: str
    kernel: str
    initramfs: tuple[str, ...]
    # As configured; the parameter that names the slot is added in the menu.
    cmdline: str
    # The directory of its device trees.
    dtbs: str | None = None
    # Parameters that are none of the slot, and are for the next boot of the entry.
    added: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return label_of(self.id)

    @property
    def boots_with(self) -> str:
        """The command line as the menu has it, which tells the running kernel its slot."""
        words = _cmdline.strip_transient(_cmdline.split(self.cmdline))
        for each in (f"{_cmdline.SLOT_PARAMETER}={self.id}", *self.added):
            words = _cmdline.with_parameter(words, each)
        return _cmdline.join(words)


@dataclass(frozen=True)
class WantedSlots:
    """The slots that a menu is to have, and which of them boots by default; none takes all out."""

    entries: tuple[SlotEntry, ...] = ()
    default: str | None = None
    # Of which of apk's kernels the default is to be where none of ours is.
    flavour: str | None = None

    @property
    def ordered(self) -> tuple[SlotEntry, ...]:
        """The default one first: it is what boots where a loader finds no default."""
        return tuple(sorted(self.entries, key=lambda each: each.id != self.default))

    @property
    def first(self) -> SlotEntry | None:
        return self.ordered[0] if self.entries else None


def check(wanted: WantedSlots, forbidden: str = "") -> None:
    """Refuse what no menu of this boot loader can hold, before anything is touched."""
    ids = [each.id for each in wanted.entries]
    if len(set(ids)) < len(ids) or (wanted.default in ids) != bool(ids or wanted.default):
        raise _invalid(
            str(wanted.default), "the default is not one of the entries, or one is twice"
        )
    for entry in wanted.entries:
        problem = next(filter(None, _problems(entry, forbidden)), None)
        if problem:
            raise _invalid(entry.id, problem)


def _problems(entry: SlotEntry, forbidden: str) -> t.Iterator[str | None]:
    yield None if is_id(entry.id) else "its name is none of a slot"
    yield None if _TITLE.fullmatch(entry.title) else f"its title is {entry.title!r}"
    for path in (entry.kernel, *entry.initramfs, *filter(None, [entry.dtbs])):
        yield (
            None
            if _PATH.fullmatch(path) and ".." not in path
            else f"{path!r} is no path below /boot"
        )
    line = entry.cmdline
    plain = line.isprintable() and _cmdline.BYTE_SPACE not in line.encode(
        "utf-8", "surrogateescape"
    )
    yield (
        None
        if plain and not _cmdline.has_open_quote(line)
        else "its command line is not plain text"
    )
    found = [char for char in forbidden if char in line]
    yield f"the boot loader would not hand on the character {found[0]!r}" if found else None


def _invalid(slot: str, problem: str) -> ReasonError:
    return ReasonError(
        reason(
            "slot_invalid",
            f"The boot loader's menu cannot have the slot {slot!r}: {problem}.",
            "Nothing was changed. Change the configured command line where it is that, and make "
            "the slot anew.",
        )
    )
