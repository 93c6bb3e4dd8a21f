# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The note of the image that was loaded: the kernel does not tell which one it holds."""

from __future__ import annotations

import json
import typing as t
from dataclasses import asdict, dataclass

from .._host import notes
from .._host.port import Host

# What a file of an image is known by: its path, and what its file system says of it.
Identity = tuple[t.Union[str, int], ...]


@dataclass(frozen=True)
class Image:
    """What is, or is to be, loaded."""

    kernel: str
    initramfs: tuple[str, ...]
    cmdline: str
    identity: tuple[Identity, ...]

    def as_record(self) -> dict[str, t.Any]:
        return asdict(self)

    def as_text(self) -> str:
        """The image as a diff shows it."""
        initramfs = "".join(f"initramfs: {path}\n" for path in self.initramfs)
        return f"kernel: {self.kernel}\n{initramfs}cmdline: {self.cmdline}\n"


def parse(text: str) -> Image | None:
    """The image of a note, None where it is none that this collection would have written."""
    try:
        record = json.loads(text)
        kernel, cmdline = _listed([record["kernel"], record["cmdline"]], str)
        identity = tuple(_listed(entry, str, int) for entry in _listed(record["identity"], list))
        return Image(kernel, _listed(record["initramfs"], str), cmdline, identity)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _listed(value: object, *kinds: type) -> tuple[t.Any, ...]:
    """The elements of a list of such kinds; that truth is a number, only Python says."""
    if not isinstance(value, list) or any(type(each) not in kinds for each in value):
        raise TypeError(value)
    return tuple(value)


@dataclass(frozen=True)
class Loaded:
    """What the kernel holds now."""

    present: bool
    # The kernel does not tell which image it holds; only what this collection loaded is known.
    image: Image | None

    def as_text(self) -> str:
        if not self.present:
            return ""
        if self.image is None:
            return "an image that was not loaded by alpinefleet.kexec\n"
        return self.image.as_text()

    def is_image(self, image: Image) -> bool:
        return self.present and self.image == image


def loaded(host: Host, *, present: bool) -> Loaded:
    """What is loaded, by the note that was left when it was loaded."""
    return Loaded(present, parse(host.text(notes.IMAGE) or ""))
