# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The command lines in limine.conf, by what its reader tells of them."""

from __future__ import annotations

from ..._bootloader.loaders.limine import KERNEL_OPTIONS, Node, parse
from ..slots.entry import id_of
from ..text import Line, Span, Texts, indent, line_break

# What Limine would replace.
FORBIDDEN = "${}"


def lines(texts: Texts) -> list[Line]:
    """The command line of each entry that boots Linux; those of slots are not edited."""
    found = (
        _line(path, text, item)
        for path, text in texts.items()
        for item in parse(text).entries
        if id_of(item.title) is None
    )
    return [line for line in found if line is not None]


def _line(path: str, text: str, item: Node) -> Line | None:
    """Where its command line is, or would be."""
    if item.protocol != "linux":
        return None
    cmdline, kernels = item.cmdline(), item.all(*KERNEL_OPTIONS)
    if cmdline is not None:
        return (Span(path, cmdline.start, cmdline.end),)
    if not kernels:
        return None
    kernel = kernels[-1]
    before = f"{line_break(text)}{indent(text, kernel.start)}cmdline: "
    return (Span(path, kernel.end, kernel.end, before=before),)
