# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What a slot holds, and its name, which follows from that: two slots of one name are one."""

from __future__ import annotations

import hashlib
import json
import os
import re
import typing as t
from dataclasses import dataclass

from .._bootconfig.slots.entry import is_id

# Raised when a key changes its meaning or goes away, not when one is added.
MANIFEST_VERSION = 1

# The files of a slot. No tool of a boot loader looks for kernels under such names.
KERNEL_FILE, INITRAMFS_FILE, DTBS_FOLDER = "linux", "initrd", "dtbs"
# It is written last, so that a slot with one was made to its end.
MANIFEST = "manifest"
# What is kept elsewhere, by the word for it.
MODULES = "modules"

# How many digits of the content's sum are in a slot's name.
DIGITS = 12

_SHA256 = re.compile("[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True)
class Sum:
    """The content of one file."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Modules:
    """The modules of a kernel: how many, and the sum of modules.dep, which names them."""

    count: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """The content of a slot."""

    release: str
    flavour: str
    # As configured, without the parameters of this collection.
    cmdline: str
    # By their names in the slot.
    files: t.Mapping[str, Sum]
    modules: Modules

    @property
    def id(self) -> str:
        content = json.dumps(self._content(), sort_keys=True).encode()
        return f"{self.release}-{hashlib.sha256(content).hexdigest()[:DIGITS]}"

    @property
    def size(self) -> int:
        """The bytes that its files take in /boot."""
        return sum(each.size for each in self.files.values())

    def part(self, name: str) -> Sum | Modules | None:
        """The content of one part, by the name under which a slot's damage is told."""
        return self.modules if name == MODULES else self.files.get(name)

    @property
    def has_dtbs(self) -> bool:
        return any(name.startswith(f"{DTBS_FOLDER}/") for name in self.files)

    def as_text(self) -> str:
        told = {"version": MANIFEST_VERSION, "id": self.id, **self._content()}
        return json.dumps(told, sort_keys=True, indent=1) + "\n"

    def _content(self) -> dict[str, t.Any]:
        return {
            "release": self.release,
            "flavour": self.flavour,
            "cmdline": self.cmdline,
            "files": {name: [each.sha256, each.size] for name, each in self.files.items()},
            "modules": {"count": self.modules.count, "sha256": self.modules.sha256},
        }

    def differences(self, other: Manifest) -> tuple[str, ...]:
        """In what another one differs, in words that are the same for every slot."""
        mine, others = self._parts(), other._parts()
        return tuple(name for name, part in mine.items() if part != others[name])

    def _parts(self) -> dict[str, t.Any]:
        dtbs = {
            name: each for name, each in self.files.items() if name.startswith(f"{DTBS_FOLDER}/")
        }
        return {
            "flavour": self.flavour,
            "kernel": (self.release, self.files.get(KERNEL_FILE)),
            "initramfs": self.files.get(INITRAMFS_FILE),
            "cmdline": self.cmdline,
            "dtbs": dtbs,
            "modules": self.modules,
        }


def parse(text: str) -> Manifest | None:
    """What a slot's own file says, None if that is not understood, or not what it was written as."""
    try:
        found = json.loads(text)
        modules = found["modules"]
        manifest = Manifest(
            _text(found["release"]),
            _text(found["flavour"]),
            _text(found["cmdline"]),
            {_name(name): _sum(each) for name, each in found["files"].items()},
            Modules(_number(modules["count"]), _sha256(modules["sha256"])),
        )
        # The name is the sum of the content, which so vouches for the file itself.
        whole = found["version"] == MANIFEST_VERSION and found["id"] == manifest.id
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return manifest if whole and is_id(manifest.id) and KERNEL_FILE in manifest.files else None


def _text(given: t.Any) -> str:
    if not isinstance(given, str):
        raise TypeError("no text")
    return given


def _number(given: t.Any) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or given < 0:
        raise TypeError("no size")
    return given


def _sha256(given: t.Any) -> str:
    if not _SHA256.fullmatch(_text(given)):
        raise ValueError("no sum")
    return _text(given)


def _sum(given: t.Any) -> Sum:
    sha256, size = given
    return Sum(_sha256(sha256), _number(size))


def _name(given: str) -> str:
    """A file in the slot, and nowhere else."""
    below = (
        given.startswith(f"{DTBS_FOLDER}/")
        and os.path.normpath(given) == given
        and ".." not in given
    )
    if given not in (KERNEL_FILE, INITRAMFS_FILE) and not below:
        raise ValueError("no file of a slot")
    return given
