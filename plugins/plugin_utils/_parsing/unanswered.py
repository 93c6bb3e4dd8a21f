# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What is said of a host whose preflight is of no use, by whoever asked it."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Reason

from .._text.table import TEXT_LIMIT

PREFLIGHT = "alpinefleet.kexec.kexec_preflight"

_NO_PYTHON = re.compile(r"\binterpreter\b.*\bnot found\b", re.IGNORECASE)


def silent(said: str) -> Reason:
    """The module came to no result; Ansible says why, or nobody does. A host may say very much."""
    said = said or "it said nothing"
    said = said if len(said) <= TEXT_LIMIT else f"{said[: TEXT_LIMIT - 3]}..."
    if _NO_PYTHON.search(said):
        return Reason(
            "no_python",
            f"The host has no Python to run the preflight: {said}",
            "Install python3 on it, or set ansible_python_interpreter to where it is.",
            "reboot",
        )
    return Reason(
        "module_failed",
        f"The preflight could not run on the host: {said}",
        "The host needs Python 3.9 or newer and /proc; a run with -vvv shows more.",
        "reboot",
    )


def invalid(defects: t.Sequence[str]) -> Reason:
    """It came to one of another form."""
    return Reason(
        "answer_invalid",
        f"What the host returned is no result of the preflight: {'; '.join(defects)}.",
        "Ask it once more. If it says the same again, look for what changes the output of Python on the host, "
        "and do not trust the host until then.",
        "reboot",
    )
