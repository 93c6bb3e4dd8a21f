# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Whether somebody has named hosts. Ansible takes a pattern in which no host is named for all of them."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

# What stands between patterns, and around them.
_PARTED = re.compile(r"[,:;\s]+")
# What a pattern begins with that takes hosts away, or leaves some.
_SIGNS = "!&~"
# A file with patterns in it, as --limit has it.
_FILE = "@"


def name_hosts(given: object) -> bool:
    """Whether a pattern, or a list of them, has at least one word in it."""
    many = given if isinstance(given, (list, tuple)) else [given]
    return any(_has_a_word(each) for each in many if isinstance(each, str))


def limit_hosts(given: object) -> bool:
    """Whether the option --limit does, in itself or in a file that it names."""
    if not isinstance(given, str):
        return False
    words = [word for word in _PARTED.split(given) if word]
    return any(_of_file(word) if word[0] == _FILE else _has_a_word(word) for word in words)


def _of_file(word: str) -> bool:
    try:
        text = Path(word[1:]).read_text(encoding="utf-8", errors="replace")
    except OSError:
        # Ansible has read it, whatever has become of it since.
        return True
    return any(_has_a_word(line) for line in text.splitlines())


def _has_a_word(pattern: str) -> bool:
    return any(word.strip(_SIGNS) for word in t.cast("list[str]", _PARTED.split(pattern)))
