# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a boot loader would start a system that was meant to be there, and which one."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from . import extlinux, grub
from .menus import Start
from .views import Content, Look

Kind = Literal["extlinux", "grub"]
PARSERS: dict[Kind, Callable[[str, str, str], Start | None]] = {
    "extlinux": extlinux.default_entry,
    "grub": grub.default_entry,
}
# Where they keep what they are to start once, beside the menu, and how a parser is told of it.
STATES: dict[Kind, tuple[str, Callable[[bytes], str]]] = {
    "extlinux": ("ldlinux.sys", extlinux.once),
    "grub": ("grubenv", lambda data: data.decode(errors="replace")),
}
OK = "ok"


@dataclass(frozen=True)
class Menu:
    """A boot loader's menu, by its path in the root file system."""

    kind: Kind
    path: str


@dataclass(frozen=True)
class Image:
    """A kernel and the initramfs files that it is started with, in their order, by their SHA-256."""

    kernel: str
    initramfs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Known:
    """Every version that was ever meant to be there, by its SHA-256."""

    menus: frozenset[str] | None
    """None: any that starts what is known."""
    images: Mapping[Image, str]
    """What belongs together, and what it is called in a verdict."""

    @property
    def kernels(self) -> frozenset[str]:
        return frozenset(image.kernel for image in self.images)

    @property
    def initramfs(self) -> frozenset[str]:
        """Empty where no image has one: then an entry needs none."""
        return frozenset(each for image in self.images for each in image.initramfs)


@dataclass(frozen=True)
class Verdict:
    """What a boot loader would do: a stable code, what was found, and the sums of it."""

    code: str
    found: str
    sums: tuple[tuple[str, str], ...] = ()
    """Path and SHA-256 of each file that was looked at."""
    image: str = ""
    """What it would start, by the name that it is known by; empty if that is none."""


@dataclass(frozen=True)
class _Fault:
    code: str
    found: str


def judge(menu: Menu, look: Look, known: Known) -> Verdict:
    """Judge what is there, and tell the gravest fault."""
    seen: dict[str, Content | None] = {}

    def note(path: str) -> Content | None:
        seen[path] = look(path)
        return seen[path]

    text = note(menu.path)
    start = _start(menu, text.data.decode(errors="replace"), note) if text is not None else None
    fault = next(_faults(menu, text, start, note, known), None)
    image = known.images.get(_image(start, seen.get), "") if start is not None else ""
    sums = tuple((path, content.sum) for path, content in seen.items() if content is not None)
    if fault is None:
        versions = ", ".join(f"{path} {sha256[:8]}" for path, sha256 in sums)
        return Verdict(OK, f"{image}: {versions}", sums, image)
    return Verdict(fault.code, fault.found, sums, image)


def _image(start: Start, look: Look) -> Image:
    """Return what would be started, with nothing for a file that is not there."""
    kernel, *initramfs = (
        content.sum if content is not None else ""
        for content in map(look, (start.kernel, *start.initramfs))
    )
    return Image(kernel, tuple(initramfs))


def _faults(
    menu: Menu, text: Content | None, start: Start | None, look: Look, known: Known
) -> Iterator[_Fault]:
    """Yield what is wrong, the gravest first; a menu that is whole but not known counts least."""
    if start is not None:
        yield from _start_faults(menu, start, look, known)
    elif text is not None and text.data:
        yield _Fault("no_default_entry", f"{menu.path} starts nothing ({len(text.data)} bytes)")
    yield from _wrong("menu", menu.path, text, known.menus)


def _start_faults(menu: Menu, start: Start, look: Look, known: Known) -> Iterator[_Fault]:
    for path in start.modules:
        yield from _wrong("module", path, look(path), None)
    yield from _wrong("kernel", start.kernel, look(start.kernel), known.kernels)
    if known.initramfs and not start.initramfs:
        yield _Fault("initramfs_missing", f"the default entry of {menu.path} names none")
    for path in start.initramfs:
        yield from _wrong("initramfs", path, look(path), known.initramfs)
    if _image(start, look) not in known.images:
        parts = " and ".join((start.kernel, *start.initramfs))
        yield _Fault("mixed", f"{parts} are known, and do not belong together")


def _start(menu: Menu, text: str, look: Look) -> Start | None:
    folder = posixpath.dirname(menu.path)
    name, read = STATES[menu.kind]
    state = look(posixpath.join(folder, name))
    return PARSERS[menu.kind](text, folder, read(state.data) if state is not None else "")


def _wrong(
    what: str, path: str, content: Content | None, known: frozenset[str] | None
) -> Iterator[_Fault]:
    if content is None:
        yield _Fault(f"{what}_missing", f"there is no {path}")
    elif not content.data:
        yield _Fault(f"{what}_empty", f"{path} is empty")
    elif len(content.data) < content.size:
        found = f"{path} has {content.size} bytes and {len(content.data)} can be read"
        yield _Fault(f"{what}_not_whole", found)
    elif known is not None and content.sum not in known:
        found = f"{path} has {content.size} bytes, SHA-256 {content.sum}"
        yield _Fault(f"{what}_not_known", found)
