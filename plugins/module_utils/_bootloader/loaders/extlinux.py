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
# The directories in which it may be installed, and those that it looks into afterwards.
INSTALLED = ("/boot", "/boot/syslinux")
LATER = ("/boot/boot/syslinux", "/boot/syslinux", "/boot")
CORE = "ldlinux.sys"
# The names in each, in its order.
NAMES = ("extlinux.conf", "syslinux.cfg")
# The upper digit of what kernels report that the family started.
FAMILY = frozenset({3})
X86 = ("x86_64", "i386", "i486", "i586", "i686", "x86")

# What names the file that a label starts. FIT is U-Boot's.
KERNEL_KEYWORDS = ("linux", "kernel", "fit")
# U-Boot knows no more than these in a label, and takes any other for its end.
UBOOT_KEYWORDS = {
    *KERNEL_KEYWORDS,
    *("menu", "append", "initrd", "ipappend", "localboot", "kaslrseed", "say"),
    *("fdt", "fdtdir", "fdtoverlays", "devicetree", "devicetreedir", "devicetree-overlay"),
}
# What starts something else.
OTHER_KEYWORDS = ("boot", "bss", "pxe", "fdimage", "comboot", "com32", "localboot", "config")
# What syslinux starts by the end of its name instead of a kernel.
PROGRAM_SUFFIXES = (".c32", ".com", ".cbt", ".bin", ".bs", ".bss", ".0", ".img")
# Of these, what shows another menu.
MENU_PROGRAMS = {"menu.c32", "vesamenu.c32"}
# A kernel by its form, which never comes back.
MEMORY_TEST = "memtest"
# What leads elsewhere from an entry of a menu.
MENU_LEADS_ON = ("goto", "exit", "quit", "start")

_LINE = re.compile(r"[\0- ]*([^\0- ]*)[\0- ]*(.*)", re.DOTALL)


def _words(text: str) -> list[str]:
    return [word for word in re.split("[\0- ]+", text) if word]


def _statements(text: str, *, syslinux: bool) -> t.Iterator[Directive]:
    """All but texts for people: only its own end ends one, whatever looks like a keyword in it.

    U-Boot knows no such texts.
    """
    in_text = False
    for start, line in text_lines(text):
        match = t.cast("re.Match[str]", _LINE.match(line))
        keyword, value = match[1].lower(), match[2].rstrip(BLANK)
        if syslinux and (in_text or keyword == "text"):
            in_text = keyword != "endtext"
            continue
        yield Directive(keyword, value, start + match.start(2), start + len(line))


@dataclass
class Label:
    """What may be booted."""

    # The line that names what it starts, which is its own where no other one does.
    line: Directive
    name: str
    kernel: str | None = None
    # Something else than a kernel that it starts, as its line says it.
    program: str | None = None
    # syslinux takes parameters behind the kernel's name, too, and lays them before the others.
    parameters: str = ""
    append: Directive | None = None
    initramfs: tuple[str, ...] = ()
    # Nobody can choose it, so that it is none to begin with.
    hidden: bool = False


@dataclass
class Menu:
    """What a file says, read once for all who ask."""

    # It has an APPEND for all labels, a dash instead of parameters, and programs; U-Boot has not.
    syslinux: bool
    labels: list[Label] = field(default_factory=list)
    common: Directive | None = None
    default: str | None = None
    menu_default: str | None = None
    on_timeout: str | None = None
    # Whether a program shows the menu.
    shown: bool = False
    # The label that the next line belongs to.
    current: Label | None = None

    def read(self, line: Directive) -> None:
        keyword, value = line.keyword, line.value
        if keyword == "label":
            self._begin(line)
        elif keyword == "default":
            self.default = value
        elif keyword == "ui":
            self.shown = True
        elif keyword == "ontimeout":
            self.on_timeout = value
        elif not self.syslinux and keyword and keyword not in UBOOT_KEYWORDS:
            self.current = None
        elif self.current is not None:
            self._read_label(self.current, line)
        elif keyword == "append" and self.syslinux and not self.labels:
            self.common = line

    def _begin(self, line: Directive) -> None:
        """Where nothing else is named, syslinux starts the file that is called as the label."""
        self.current = label = Label(line, line.value)
        if self.syslinux:
            label.kernel = line.value
            label.program = line.value if _is_program(line.value) else None
        self.labels.append(label)

    def _read_label(self, label: Label, line: Directive) -> None:
        if line.keyword == "append":
            label.append = line
        elif line.keyword in KERNEL_KEYWORDS:
            self._read_kernel(label, line)
        elif line.keyword in OTHER_KEYWORDS:
            label.kernel, label.program = None, f"{line.keyword} {line.value}".strip()
        elif line.keyword == "initrd":
            label.initramfs = tuple(name for name in line.value.split(",") if name)
        elif line.keyword == "menu":
            self._read_menu(label, "".join(_words(line.value.lower())[:1]))

    def _read_menu(self, label: Label, keyword: str) -> None:
        if keyword == "default":
            self.menu_default = label.name
        elif keyword in ("hide", "disable"):
            label.hidden = True
        elif keyword in MENU_LEADS_ON:
            label.kernel, label.program = None, f"config {keyword}"

    def _read_kernel(self, label: Label, line: Directive) -> None:
        name, *rest = re.split("[\0- ]+", line.value, maxsplit=1)
        if rest and not self.syslinux:
            raise NotUnderstoodError(f"its kernel's name has a space: {line.value!r}")
        # LINUX says what it is, whatever its name.
        by_name = self.syslinux and line.keyword == "kernel" and _is_program(name)
        never_back = name.rpartition("/")[2].startswith(MEMORY_TEST)
        label.program = name if by_name or never_back else None
        label.line, label.kernel, label.parameters = line, name, "".join(rest)

    # --- What boots ------------------------------------------------------------------------

    def default_entry(self) -> Entry:
        label = self._chosen()
        if label.program is not None:
            raise self._no_kernel(label)
        if not label.kernel:
            raise NotUnderstoodError(f"its label {label.name!r} names no kernel")
        cmdline = " ".join(filter(None, (label.parameters, self._appended(label))))
        if not self.syslinux and "$" in cmdline:
            raise NotUnderstoodError("U-Boot would replace something in its command line")
        # APPEND may name the initramfs, too; a line of its own comes first.
        named = [word[len("initrd=") :] for word in _words(cmdline) if word.startswith("initrd=")]
        if not self.syslinux and named and label.initramfs and [",".join(label.initramfs)] != named:
            # U-Boot takes the first of them.
            raise NotUnderstoodError("its APPEND names another initramfs")
        images = label.initramfs or tuple(each for each in "".join(named[-1:]).split(",") if each)
        return Entry(label.name, label.kernel, images, cmdline)

    def _no_kernel(self, label: Label) -> NotUnderstoodError:
        program = str(label.program)
        names = [word.lower().rpartition("/")[2] for word in _words(program)[:2]]
        if names[0] == "config" or set(names) & MENU_PROGRAMS:
            return NotUnderstoodError(f"its label {label.name!r} leads to another menu")
        return StartsNoLinuxError(f"its label {label.name!r} starts {program}, no kernel")

    def _chosen(self) -> Label:
        """What happens at the timeout; of two defaults, which one wins is not certain."""
        if not self.labels:
            raise NotUnderstoodError("it has no label")
        wanted = self._wanted()
        if len(wanted) > 1:
            raise NotUnderstoodError(
                f"its defaults name different labels: {', '.join(sorted(wanted))}"
            )
        matching = [label for label in self.labels if not wanted or label.name in wanted]
        if not matching:
            raise NotUnderstoodError(f"it has no label {wanted.pop()!r}")
        if not wanted and matching[0].hidden:
            raise NotUnderstoodError(f"its first label {matching[0].name!r} is hidden")
        return matching[0]

    def _wanted(self) -> set[str]:
        """DEFAULT names a label, or the program that shows the menu."""
        is_label = self.default in [label.name for label in self.labels]
        shows = self.syslinux and not is_label and _is_program(self.default or "")
        default = {self.default} if self.default is not None and not shows else set()
        on_timeout = {self.on_timeout} - {None}
        if on_timeout and (shows or self.shown):
            return t.cast("set[str]", on_timeout)
        return t.cast("set[str]", default | on_timeout | ({self.menu_default} - {None}))

    def _appended(self, label: Label) -> str:
        """A dash says that there is nothing, and nothing in common either."""
        if label.append is None:
            return self.common.value if self.common else ""
        return "" if self.syslinux and label.append.value == "-" else label.append.value


def _is_program(value: str) -> bool:
    return "".join(_words(value)[:1]).lower().endswith(PROGRAM_SUFFIXES)


def parse(text: str, *, syslinux: bool) -> Menu:
    menu = Menu(syslinux)
    for line in _statements(text, syslinux=syslinux):
        _refuse(line)
        menu.read(line)
    return menu


def _refuse(line: Directive) -> None:
    leads = line.value.lower() if line.keyword == "menu" else ""
    if line.keyword == "include" or leads.startswith("include"):
        raise NotUnderstoodError("it includes another file")
    if leads.startswith("save"):
        raise NotUnderstoodError("it boots what was booted last")
    if leads.startswith("begin"):
        raise NotUnderstoodError("it has a menu inside a menu")


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
    return host.machine in X86


def _read_uboot(host: Host, _path: str, text: str) -> Entry:
    return default_entry(text, syslinux=reads_as_syslinux(host))


EXTLINUX = Loader("extlinux", _places, lambda _host, _path, text: default_entry(text), FAMILY)
UBOOT = Loader("uboot", always(UBOOT_MENU), _read_uboot, FAMILY)
