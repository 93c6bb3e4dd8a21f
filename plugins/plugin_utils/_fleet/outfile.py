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


def path_of(given: str) -> str:
    """The absolute path, as the shell of the user understands it; none if no report is wanted.

    What would not work at the end is refused now, before a host is rebooted.
    """
    if not given:
        return ""
    path = os.path.realpath(os.path.expanduser(given))
    folder = os.path.dirname(path)
    if os.path.isdir(path) or not os.path.isdir(folder) or not os.access(folder, os.W_OK | os.X_OK):
        raise StepError(
            f"The report cannot be written to {path}: it must be a file in a folder that is there "
            "and can be written to.",
            "Name another one; nothing was done.",
        )
    return path


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
