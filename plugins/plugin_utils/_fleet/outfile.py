# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The file on the controller that a report is written to, which is whole at any time."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

MODE = 0o644


class OutputError(Exception):
    """A file that a report cannot be written to."""


def path_of(given: str) -> str:
    """The absolute path, as the shell of the user understands it; none if no report is wanted.

    What would not work at the end is refused now, before a host is rebooted.
    """
    if not given:
        return ""
    path = os.path.realpath(os.path.expanduser(given))
    folder = os.path.dirname(path)
    if os.path.isdir(path) or not os.path.isdir(folder) or not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(
            f"The report cannot be written to {path}: it must be a file in a folder that is there "
            "and can be written to. Nothing was done."
        )
    return path


def write(path: str, text: str) -> None:
    folder, name = os.path.split(path)
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=folder, prefix=f".{name}.", delete=False
        ) as file:
            draft = Path(file.name)
            file.write(text)
        draft.chmod(MODE)
        draft.replace(path)
    except OSError as error:
        raise OutputError(
            f"The report could not be written to {path}: {error.strerror or error}."
        ) from error
