# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""extlinux.conf and syslinux.cfg, as the loaders of the syslinux family and U-Boot read them."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ..._host.port import Host
from ..loader import (
    BLANK,
    Directive,
    Entry,
    Loader,
    NotUnderstoodError,
    SearchOrder,
    StartsNoLinuxError,
    always,
    text_lines,
)

MENU = "/boot/extlinux.conf"
UBOOT_MENU = "/boot/extlinux/extlinux.conf"
# Where it may be installed, and where it looks afterwards.
INSTALLED = ("/boot", "/boot/syslinux")
LATER = ("/boot/boot/syslinux", "/boot/syslinux", "/boot")
CORE = "ldlinux.sys"
# Its last sectors hold what boots once.
CORES = tuple(f"{directory}/{CORE}" for directory in INSTALLED)
NAMES = ("extlinux.conf", "syslinux.cfg")
# As kernels report that the family started them.
FAMILY = frozenset({3})

# What U-Boot knows in a label but MENU, by what it sets, and only once. Any other ends the label.
UBOOT_KEYWORDS = (
    *("kernel linux localboot", "append", "initrd", "ipappend", "kaslrseed"),
    *("fdt devicetree", "fdtdir devicetreedir", "fdtoverlays devicetree-overlay"),
)
# Nothing behind a keyword: it overlooks the next line, or takes no file.
_BARE = re.compile(r"(label|title|background)?\s*(#.*)?", re.IGNORECASE)
# What starts something else.
NOT_KERNELS = ("none", "localboot", "boot", "bss", "pxe", "fdimage", "comboot", "com32", "config")
# What syslinux starts by the end of its name instead of a kernel.
PROGRAM_SUFFIXES = (".c32", ".com", ".cbt", ".bin", ".bs", ".bss", ".0", ".img")
# Of these, what shows another menu.
MENU_PROGRAMS = {"menu.c32", "vesamenu.c32"}
# What is not followed, on a line of its own or behind MENU.
NOT_FOLLOWED = {
    "include": "it includes another file",
    "save": "it boots what was booted last",
    "begin": "it has a menu inside a menu",
}


def _words(text: str, most: int = 0) -> list[str]:
    return re.split("[\0- ]+", text, maxsplit=most)


def _statements(text: str, *, syslinux: bool) -> t.Iterator[Directive]:
    """All but comments and texts for people, which U-Boot does not know."""
    in_text = False
    for start, whole in text_lines(text):
        line = re.split("[\0\r]", whole)[0] if syslinux else whole
        words = line.strip(BLANK) if syslinux else line.lstrip(BLANK)
        name = _words(words)[0]
        keyword, value = name.lower(), words[len(name) :].lstrip(BLANK)
        if syslinux and (in_text or keyword == "text"):
            in_text = keyword != "endtext"
        elif keyword[:1] not in ("", "#"):
            yield Directive(keyword, value, start + line.rindex(value), start + len(line))


@dataclass
class Label:
    """What may be booted."""

    # The line that names what it starts, or its own.
    line: Directive
    name: str
    kernel: str = ""
    # Something else than a kernel that it starts, as its line says it.
    program: str = ""
    # syslinux takes parameters behind the kernel's name, too, and lays them before the others.
    parameters: str = ""
    # Its own, or the one that labels have in common where it begins.
    append: Directive | None = None
    initramfs: str = ""
    # What MENU makes of it.
    special: str = ""
    said: list[str] = field(default_factory=list)


@dataclass
class Menu:
    """What a file says to either; common APPENDs, programs and a dash for nothing to syslinux."""

    syslinux: bool
    labels: list[Label] = field(default_factory=list)
    common: Directive | None = None
    default: str = ""
    menu_defaults: set[str] = field(default_factory=set)
    on_timeout: str = ""
    shown: bool = False
    current: Label | None = None

    def read(self, line: Directive) -> None:
        keyword, value = line.keyword, line.value
        if not self.syslinux:
            self._read_as_uboot(line)
        if keyword == "label":
            self._begin(line)
        elif keyword == "default":
            self.default = value
        elif keyword == "ui":
            self.shown = self.syslinux
        elif keyword == "ontimeout":
            self.on_timeout = value
        elif self.current is not None:
            self._read_label(self.current, line)
        elif keyword == "append" and self.syslinux:
            self.common = line

    def _read_as_uboot(self, line: Directive) -> None:
        """End a label where U-Boot does, and refuse what it would not read to the end."""
        keyword, label = line.keyword, self.current
        bare = _BARE.fullmatch(line.value) is not None
        odd = bare != (keyword == "kaslrseed")
        kind = next((each for each in UBOOT_KEYWORDS if keyword in each.split()), None)
        if kind:
            odd |= label is None or kind in label.said or "initrd=" in line.value
            if label:
                label.said.append(kind)
        elif keyword != "menu":
            self.current = None
        if odd:
            raise NotUnderstoodError(f"U-Boot would stumble over {keyword!r}")

    def _begin(self, line: Directive) -> None:
        """Where nothing else is named, syslinux starts the file that is called as the label."""
        self.current = label = Label(line, line.value, append=self.common)
        if self.syslinux:
            self._read_kernel(label, line)
            label.name, label.parameters = label.kernel, ""
        self.labels.append(label)

    def _read_label(self, label: Label, line: Directive) -> None:
        if line.keyword == "append":
            label.append = line
        elif line.keyword in ("linux", "kernel"):
            self._read_kernel(label, line)
        elif line.keyword in NOT_KERNELS:
            label.kernel, label.program = "", f"{line.keyword} {line.value}".strip()
        elif line.keyword == "initrd":
            label.initramfs = line.value
        elif line.keyword == "menu":
            self._read_menu(label, _words(line.value.lower())[0])

    def _read_menu(self, label: Label, keyword: str) -> None:
        if keyword == "default":
            self.menu_defaults.add(label.name)
        elif not self.syslinux:
            return
        elif keyword in ("separator", "end"):
            self.current = None
        elif keyword in ("hide", "disable", "disabled", "goto", "exit", "quit"):
            label.special = keyword

    def _read_kernel(self, label: Label, line: Directive) -> None:
        name, *rest = _words(line.value, 1) if self.syslinux else [line.value]
        # LINUX says what it is, whatever its name.
        by_name = self.syslinux and line.keyword != "linux" and _is_program(name)
        # A memory test is a kernel by its form only.
        never_back = name.rpartition("/")[2].startswith("memtest")
        label.program = name if by_name or never_back else ""
        label.line, label.kernel, label.parameters = line, name, "".join(rest)

    # --- What boots ------------------------------------------------------------------------

    def default_entry(self) -> Entry:
        return self.entry(self._chosen())

    def entry(self, label: Label) -> Entry:
        if label.program:
            raise self._no_kernel(label)
        if not label.kernel:
            raise NotUnderstoodError(f"its label {label.name!r} names no kernel")
        append = label.append.value if label.append else ""
        if not self.syslinux and not re.fullmatch(r"[^$'\\]+", append):
            raise NotUnderstoodError("it has no APPEND, or U-Boot would replace something in it")
        if append == "-" and self.syslinux:
            append = ""
        cmdline = " ".join(filter(None, (label.parameters, append))).rstrip(BLANK)
        # APPEND may name the initramfs, too; a line of its own comes first.
        named = re.findall("(?<![^\0- ])initrd=([^\0- ]*)", cmdline)
        images = label.initramfs or "".join(named[-1:])
        names = images.split(",") if self.syslinux else [images]
        return Entry(label.name, label.kernel, tuple(filter(None, names)), cmdline, label.name)

    def _no_kernel(self, label: Label) -> NotUnderstoodError:
        names = [word.lower().rpartition("/")[2] for word in _words(label.program)[:2]]
        if names[0] == "config" or set(names) & MENU_PROGRAMS:
            return NotUnderstoodError(f"its label {label.name!r} leads to another menu")
        return StartsNoLinuxError(f"its label {label.name!r} starts {label.program}, no kernel")

    def _chosen(self) -> Label:
        """What happens at the timeout; of two defaults, which one wins is not certain."""
        wanted = self._wanted()
        labels = [each for each in self.labels if each.name in wanted]
        if not wanted:
            labels = self.labels[:1]
        if len(labels) != 1 or len(wanted) > 1:
            name = " or ".join(wanted)
            raise NotUnderstoodError(f"it has {len(labels)} labels that are its default {name!r}")
        if labels[0].special:
            raise NotUnderstoodError(f"its label {labels[0].name!r} has MENU {labels[0].special}")
        return labels[0]

    def _wanted(self) -> list[str]:
        """DEFAULT names a label, or the program that shows the menu."""
        default, shown = self.default, self.shown
        if self.syslinux and not (default or shown):
            raise NotUnderstoodError("without DEFAULT and UI it waits for somebody")
        is_label = default in [label.name for label in self.labels]
        if self.syslinux and not is_label and _is_program(default):
            default, shown = "", True
        if shown and self.on_timeout:
            return [self.on_timeout]
        return sorted(filter(None, {default, self.on_timeout, *self.menu_defaults}))


def _is_program(value: str) -> bool:
    return _words(value)[0].lower().endswith(PROGRAM_SUFFIXES)


def parse(text: str, *, syslinux: bool) -> Menu:
    if not syslinux and re.search("[\0-\x08\v-\x1f]", text):
        raise NotUnderstoodError("it has white space that U-Boot does not take for such")
    menu = Menu(syslinux)
    for line in _statements(text, syslinux=syslinux):
        word = _words(line.value.lower())[0] if line.keyword == "menu" else line.keyword
        if word in NOT_FOLLOWED:
            raise NotUnderstoodError(NOT_FOLLOWED[word])
        menu.read(line)
    return menu


def default_entry(text: str, *, syslinux: bool = True) -> Entry:
    """The entry that boots when nobody touches the menu."""
    return parse(text, syslinux=syslinux).default_entry()


# --- The boot loaders that read it ---------------------------------------------------------


def _places(host: Host) -> t.Iterable[SearchOrder]:
    """Where its core is, it looks first; without a core, each directory may be the one."""
    known = [each for each in INSTALLED if host.exists(f"{each}/{CORE}")]
    later = LATER if known else ()
    return [
        tuple(f"{directory}/{name}" for directory in (first, *later) for name in NAMES)
        for first in known or INSTALLED
    ]


def reads_as_syslinux(host: Host) -> bool:
    """On x86 it is extlinux that reads U-Boot's file."""
    return "86" in host.machine


def is_syslinux(host: Host, path: str) -> bool:
    """Tell whether it is the syslinux family that reads a file."""
    return path != UBOOT_MENU or reads_as_syslinux(host)


def _read(host: Host, path: str, text: str) -> Entry:
    return default_entry(text, syslinux=is_syslinux(host, path))


EXTLINUX = Loader("extlinux", _places, _read, FAMILY)
UBOOT = Loader("uboot", always(UBOOT_MENU), _read, FAMILY)
