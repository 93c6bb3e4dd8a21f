# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What there is to know of a boot loader: where it looks, and what its menu says it boots."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._host.port import Host

# Files in the order in which a boot loader looks for them: it takes the first that is there.
SearchOrder = tuple[str, ...]

# What boot loaders take for white space.
BLANK = "".join(map(chr, range(33)))


@dataclass(frozen=True)
class Entry:
    """A menu entry as its file states it: paths are not resolved yet."""

    title: str
    kernel: str | None
    initramfs: tuple[str, ...]
    cmdline: str
    # By what a default can name it where titles may be those of several, or are for people.
    name: str = field(default="", compare=False)


@dataclass(frozen=True)
class Directive:
    """A line with a keyword."""

    keyword: str
    value: str
    # Where the value begins, and where the line ends.
    start: int
    end: int


class NotUnderstoodError(Exception):
    """The configuration uses something that these readers do not know."""


class StartsNoLinuxError(NotUnderstoodError):
    """The configuration is understood, and boots something else: a hypervisor, another loader."""


@dataclass(frozen=True)
class Loader:
    """A boot loader whose menu can be read."""

    name: str
    # Several orders are for several ways to install it, and the host does not tell which one it is.
    places: t.Callable[[Host], t.Iterable[SearchOrder]]
    # Takes the path and the text of a menu.
    read: t.Callable[[Host, str, str], Entry]
    # The upper digit of what the kernel reports as its boot loader, on x86.
    type_ids: frozenset[int] = frozenset()

    def menus(self, host: Host) -> tuple[str, ...]:
        """The files that it may read at boot, one if that is certain."""
        found = (
            next((path for path in order if host.exists(path)), None) for order in self.places(host)
        )
        return tuple(dict.fromkeys(path for path in found if path is not None))


def always(*paths: str) -> t.Callable[[Host], t.Iterable[SearchOrder]]:
    """Each of these may be the one."""
    return lambda _host: [(path,) for path in paths]


def text_lines(text: str) -> t.Iterator[tuple[int, str]]:
    """Each line without its end, and where it starts; only line feeds end one."""
    start = 0
    for line in text.split("\n"):
        yield start, line[:-1] if line.endswith("\r") else line
        start += len(line) + 1
