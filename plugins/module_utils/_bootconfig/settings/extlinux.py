# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The command lines in extlinux.conf and syslinux.cfg, by what their reader tells of them."""

from __future__ import annotations

from ..._bootloader.loader import Directive, NotUnderstoodError
from ..._bootloader.loaders.extlinux import (
    Label,
    Menu,
    parse,
)
from ..slots.entry import id_of
from ..text import Finder, Line, Span, Texts, indent, line_break

# What leads elsewhere from an entry of a menu.
LEADS_ON = ("goto", "exit", "quit")
# What U-Boot takes away, and what it would replace.
UBOOT_QUOTES = "'\\"
UBOOT_FORBIDDEN = f"${UBOOT_QUOTES}"
UBOOT_EMPTY_MEANS = "U-Boot takes no menu that has an APPEND with nothing behind it"


def lines(texts: Texts, *, syslinux: bool = True) -> list[Line]:
    """The command line of each entry that boots a kernel, and the one that they share."""
    menus = ((path, text, parse(text, syslinux=syslinux)) for path, text in texts.items())
    return [line for path, text, menu in menus for line in _lines(path, text, menu)]


def lines_of_uboot(texts: Texts) -> list[Line]:
    """The same, for a boot loader that knows neither programs nor a common APPEND."""
    return lines(texts, syslinux=False)


def lines_for(*, syslinux: bool) -> Finder:
    """As whoever reads U-Boot's file takes it."""
    return lines if syslinux else lines_of_uboot


def _lines(path: str, text: str, menu: Menu) -> list[Line]:
    others = [label for label in menu.labels if id_of(label.name) is None]
    kernels = [label for label in others if label.kernel and not label.program]
    booting = [label for label in kernels if label.special not in LEADS_ON]
    if not booting:
        return []
    common = [(_append(path, text, menu, menu.common),)] if menu.common else []
    return [*common, *(_line(path, text, menu, label) for label in booting)]


def _line(path: str, text: str, menu: Menu, label: Label) -> Line:
    """What is handed to the kernel, in its order, or where it would be."""
    found = []
    if label.parameters:
        end = label.line.start + len(label.line.value)
        found.append(Span(path, end - len(label.parameters), end))
    if label.append is not None:
        found.append(_append(path, text, menu, label.append))
    elif not menu.syslinux:
        raise NotUnderstoodError(
            f"its label {label.name!r} has no APPEND, and a new one would replace the command line "
            "that U-Boot holds itself"
        )
    return tuple(found) or (_new(path, text, label.line),)


def _append(path: str, text: str, menu: Menu, line: Directive) -> Span:
    if menu.syslinux:
        before = "" if text[line.start - 1] <= " " else " "
        return Span(path, line.start, line.end, before=before, nothing="-")
    if set(UBOOT_QUOTES).intersection(line.value):
        raise NotUnderstoodError("U-Boot takes a quote or a backslash in its APPEND away")
    return Span(path, line.start, line.end, empty_means=UBOOT_EMPTY_MEANS)


def _new(path: str, text: str, above: Directive) -> Span:
    before = f"{line_break(text)}{indent(text, above.start)}APPEND "
    return Span(path, above.end, above.end, before=before)
