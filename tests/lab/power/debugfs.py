# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What debugfs says of files in a file system that is not mounted.

It reads the disk as boot loaders do: nothing is replayed, however dirty the file system is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..commands import run
from .disk import Span

_KIND = re.compile(r"^Inode: \d+ +Type: (.+?) +Mode:", re.MULTILINE)
_SIZE = re.compile(r" Size: (\d+)$", re.MULTILINE)
_LINK = re.compile(r'^Fast link dest: "(.*)"$', re.MULTILINE)
_ATIME = re.compile(r"^ *atime: .*\n", re.MULTILINE)
_BLOCKS = re.compile(r"\):(\d+)(?:-(\d+))?")
_ECHO = re.compile(r"^debugfs: .*\n?", re.MULTILINE)
# Longer than any path that a kernel takes, shorter than what debugfs takes for a line.
_LONGEST = 4096


@dataclass(frozen=True)
class Inode:
    """What debugfs tells of an inode."""

    text: str
    """All of it but the time of the last reading: equal texts are of the same blocks."""
    kind: str
    size: int
    link: str
    """Where a short symbolic link leads to."""

    def blocks(self, block_size: int) -> list[Span]:
        """Return where the content is in the file system, with the blocks that say so."""
        spans = []
        for first, last in _BLOCKS.findall(self.text):
            count = int(last or first) - int(first) + 1
            spans.append(Span(int(first) * block_size, count * block_size))
        return spans


def ask(image: str, commands: Iterable[str], options: Sequence[str] = ()) -> list[str]:
    """Return what debugfs prints for each command."""
    script = "".join(f"{command}\n" for command in commands)
    printed = run(["debugfs", *options, "-f", "-", image], stdin=script)
    # It prints each command before what that command prints.
    return _ECHO.split(printed)[1:]


def can_name(path: str) -> bool:
    """Tell whether debugfs takes a path; a menu that was never whole may hold anything."""
    return path.startswith("/") and path.isprintable() and len(path.encode()) < _LONGEST


def quote(path: str) -> str:
    return '"' + path.replace('"', '""') + '"'


def stat(path: str) -> str:
    """Return the command whose output inode() reads."""
    return f"stat {quote(path)}"


def inode(printed: str) -> Inode | None:
    """Return what is at a path, or nothing."""
    kind, size, link = (pattern.search(printed) for pattern in (_KIND, _SIZE, _LINK))
    if kind is None or size is None:
        return None
    return Inode(_ATIME.sub("", printed), kind[1], int(size[1]), link[1] if link else "")
