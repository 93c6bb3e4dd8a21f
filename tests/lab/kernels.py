# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Alpine's package of its kernel, by what apk remembers of it on an installed system.

No registry offers the package itself. Made anew, it has the name, version, dependencies and files
that it was installed with, so that its upgrade is what it is from Alpine's mirror: the files change
in place, the modules of the old kernel go, and mkinitfs' trigger builds the initramfs.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import LabError

PACKAGE = "linux-virt"
DATABASE = "lib/apk/db/installed"
# What `apk mkpkg` calls the fields of the database that say what a package is.
FIELDS = {
    "P": "name",
    "V": "version",
    "T": "description",
    "U": "url",
    "L": "license",
    "o": "origin",
    "m": "maintainer",
    "D": "depends",
    "p": "provides",
}


@dataclass(frozen=True)
class Package:
    """What apk remembers of a package."""

    info: dict[str, str]
    files: tuple[str, ...]
    """Their paths in the tree; what triggers made since is not among them."""

    def copy(self, tree: Path, target: Path) -> None:
        """Copy its files as they are."""
        for name in self.files:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(tree / name, target / name, follow_symlinks=False)


def installed(tree: Path, name: str = PACKAGE) -> Package:
    """Return a package that is installed in a tree."""
    for paragraph in (tree / DATABASE).read_text(encoding="utf-8").split("\n\n"):
        fields = list(_fields(paragraph))
        if ("P", name) in fields:
            info = {FIELDS[key]: value for key, value in fields if key in FIELDS}
            return Package(info, tuple(_files(fields)))
    raise LabError("package", f"{tree} has no package {name}", "look at what the wheel carries")


def _fields(paragraph: str) -> Iterator[tuple[str, str]]:
    for line in paragraph.splitlines():
        key, _colon, value = line.partition(":")
        yield key, value


def _files(fields: list[tuple[str, str]]) -> Iterator[str]:
    """Yield the paths: a line names a folder, and those behind it the files in it."""
    folder = ""
    for key, value in fields:
        if key == "F":
            folder = value
        elif key == "R":
            yield f"{folder}/{value}" if folder else value
