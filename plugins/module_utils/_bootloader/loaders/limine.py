# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""limine.conf, whose entries start with slashes and hold options with a colon."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..loader import (
    Directive,
    Entry,
    Loader,
    NotUnderstoodError,
    StartsNoLinuxError,
    always,
    text_lines,
)

# Where its partition may be mounted, and where it looks on it. Versions differ in the order, so
# that of two files neither is known to be the one.
VOLUMES = ("/boot", "/boot/efi", "/efi", "")
DIRECTORIES = ("", "/limine", "/boot", "/boot/limine", "/EFI/BOOT", "/EFI/limine")

COMMAND_LINES = ("cmdline", "kernel_cmdline")
KERNEL_OPTIONS = ("path", "kernel_path")
# An EFI program may be a kernel or anything else.
EFI_PROTOCOLS = ("efi", "uefi", "efi_chainload", "efi_boot_entry")

_OPTION = re.compile(r"[ \t]*([A-Za-z0-9_]+):[ \t]*(.*)", re.DOTALL)
_TITLE = re.compile(r"[ \t]*(/+)(\+?) *(.*?)[ \t]*", re.DOTALL)
# A file on the partition of the configuration, and a sum of it.
_PATH = re.compile(r"boot\(\):(/[^#]*)(?:#.*)?")


@dataclass
class Node:
    """What may be booted, or a directory of it."""

    depth: int
    title: str
    expanded: bool
    options: list[Directive] = field(default_factory=list)

    def all(self, *names: str) -> list[Directive]:
        return [option for option in self.options if option.keyword in names]

    def value(self, *names: str) -> str | None:
        """Of several options of one name the first one counts, and the first name before others."""
        found = (option.value for name in names for option in self.all(name))
        return next(found, None)

    def cmdline(self) -> Directive | None:
        found = self.all(*COMMAND_LINES)
        if len(found) > 1:
            raise NotUnderstoodError("an entry has two command lines")
        if found and "${" in found[0].value:
            raise NotUnderstoodError(f"a command line has a macro: {found[0].value!r}")
        return found[0] if found else None

    @property
    def protocol(self) -> str:
        return (self.value("protocol") or "").lower()


@dataclass
class Tree:
    # The options before the first entry are those of all.
    common: Node
    entries: list[Node]


def parse(text: str) -> Tree:
    current = common = Node(0, "", expanded=True)
    entries: list[Node] = []
    for start, line in text_lines(text):
        title = _TITLE.fullmatch(line)
        option = _OPTION.match(line)
        if title is not None:
            current = Node(len(title[1]), title[3], expanded=bool(title[2]))
            entries.append(current)
        elif option is not None:
            value = option[2].rstrip(" \t")
            current.options.append(
                Directive(option[1].lower(), value, start + option.start(2), start + len(line))
            )
    return Tree(common, entries)


# --- What boots ----------------------------------------------------------------------------


def default_entry(text: str) -> Entry:
    """The entry that boots when nobody touches the menu."""
    if re.search(r"^[ \t]*\$\{[^}\n]*\}[^=\n]", text, re.MULTILINE):
        raise NotUnderstoodError("the name of an option is a macro")
    menu = parse(text)
    return entry_of(_chosen(menu))


def entry_of(entry: Node) -> Entry:
    protocol = entry.protocol
    if protocol in EFI_PROTOCOLS:
        raise NotUnderstoodError(f"its entry {entry.title!r} starts an EFI program")
    if protocol != "linux":
        raise StartsNoLinuxError(f"its entry {entry.title!r} has the protocol {protocol!r}")
    cmdline = entry.cmdline()
    kernel = _file(entry.value(*KERNEL_OPTIONS))
    if kernel is None:
        raise NotUnderstoodError(f"its entry {entry.title!r} names no kernel")
    modules = tuple(str(_file(option.value)) for option in entry.all("module_path"))
    return Entry(entry.title, kernel, modules, cmdline.value if cmdline else "", entry.title)


def _chosen(menu: Tree) -> Node:
    common = menu.common
    if (common.value("remember_last_entry") or "").lower() == "yes":
        raise NotUnderstoodError("it boots what was booted last")
    if any(entry.all("if_fw_type", "if_arch") for entry in menu.entries):
        raise NotUnderstoodError("it has entries that are not always there")
    wanted = common.value("default_entry") or "1"
    number = wanted.isascii() and wanted.isdigit() and len(wanted) < 10
    found = _by_number(menu, int(wanted)) if number else None
    if found is None and not wanted.isdigit():
        found = _by_title(menu, wanted)
    if found is None:
        raise NotUnderstoodError(f"it has no entry {wanted!r}")
    if _is_directory(menu, found):
        raise NotUnderstoodError(f"its entry {found.title!r} is a directory")
    return found


def _is_directory(menu: Tree, entry: Node) -> bool:
    following = menu.entries[menu.entries.index(entry) + 1 :][:1]
    return any(each.depth > entry.depth for each in following)


def _by_number(menu: Tree, number: int) -> Node | None:
    """As the menu shows them: what is in a directory that is not expanded has no number."""
    shown = []
    hidden_below = 0
    for entry in menu.entries:
        if hidden_below and entry.depth > hidden_below:
            continue
        hidden_below = 0 if entry.expanded else entry.depth
        shown.append(entry)
    return shown[number - 1] if 0 < number <= len(shown) else None


def _by_title(menu: Tree, path: str) -> Node | None:
    if any(char in path for char in "\\#"):
        raise NotUnderstoodError(f"its default entry is {path!r}")
    titles: list[str] = []
    for entry in menu.entries:
        titles = [*titles[: entry.depth - 1], entry.title]
        if "/".join(titles) == path:
            return entry
    return None


def _file(value: str | None) -> str | None:
    if value is None:
        return None
    match = _PATH.fullmatch(value)
    if match is None or "${" in value:
        raise NotUnderstoodError(f"{value!r} may be on another partition")
    return match[1]


LIMINE = Loader(
    "limine",
    always(*(f"{mount}{path}/limine.conf" for mount in VOLUMES for path in DIRECTORIES)),
    lambda _host, _path, text: default_entry(text),
)
