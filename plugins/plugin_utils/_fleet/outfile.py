# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The file on the controller that a report is written to, which is whole at any time."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from .._step import StepError

MODE = 0o644
# Of a name, with what a draft has around it.
NAME_BYTES = 240


def path_of(given: object) -> str:
    """The absolute path, as the shell of the user understands it; none if no report is wanted.

    What would not work at the end is refused now, before a host is rebooted.
    """
    if given in (None, ""):
        return ""
    if not (isinstance(given, str) and given.isprintable()):
        raise StepError(
            f"The report cannot be written to {given!r}, which is no name of a file.",
            "Name one; nothing was done.",
        )
    path = os.path.realpath(os.path.expanduser(given))
    if not _can_be_made(path):
        raise StepError(
            f"The report cannot be written to {path}: it must be a file in a folder that is there "
            f"and can be written to, with a name of at most {NAME_BYTES} bytes.",
            "Name another one; nothing was done.",
        )
    return path


def _can_be_made(path: str) -> bool:
    folder, name = os.path.split(path)
    fits = len(os.fsencode(name)) <= NAME_BYTES and not os.path.isdir(path)
    return fits and os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK)


def write(path: str, text: str) -> None:
    folder, name = os.path.split(path)
    try:
        # Whatever fails, nothing is left beside it.
        with tempfile.TemporaryDirectory(dir=folder, prefix=f".{name}.") as drafts:
            draft = Path(drafts, name)
            draft.write_text(text, encoding="utf-8")
            draft.chmod(MODE)
            draft.replace(path)
    except OSError as error:
        raise StepError(
            f"The report could not be written to {path}: {error.strerror or error}.",
            "Take it from what is shown.",
        ) from None
