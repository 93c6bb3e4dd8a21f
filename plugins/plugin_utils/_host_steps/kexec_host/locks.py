# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Lines that lock kexec after the boot: which ones are commented out, and which ones are told."""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.alpinefleet.kexec.plugins.module_utils._preflight.state import (
    ADMIN,
    LOCK_SYSCTL,
    SYSCTL_CONF,
    Sysctl,
)

# What locks is this word, whatever else stands behind it.
LOCKED_BY = "1"
# Each such line has this in it, however its other words are parted.
_NAMED = rf"(?=[^\n]*{LOCK_SYSCTL.rpartition('.')[2]})"

Edit = dict[str, str]


def locking(found: t.Iterable[Sysctl]) -> list[Sysctl]:
    return [each for each in found if each.value == LOCKED_BY]


def edits(found: t.Iterable[Sysctl], mark: str) -> list[Edit]:
    """The options of ansible.builtin.replace that put a mark before the lines of an administrator.

    They are the lines that the preflight has named, by their numbers and no other likeness. A file
    that was edited since is left alone.
    """
    lines: dict[str, set[int]] = {}
    for each in locking(found):
        if each.path == SYSCTL_CONF or each.path.startswith(f"{ADMIN}/"):
            lines.setdefault(each.path, set()).add(each.line)
    return [_edit(path, sorted(numbers), mark) for path, numbers in lines.items()]


def _edit(path: str, numbers: t.Sequence[int], mark: str) -> Edit:
    gaps = [after - before for before, after in itertools.pairwise((1, *numbers))]
    before_each = (rf"((?:[^\n]*\n){{{gap}}}){_NAMED}" for gap in gaps)
    kept = (rf"\g<{number}>{mark}" for number in range(1, len(gaps) + 1))
    return {"path": path, "regexp": rf"\A{''.join(before_each)}", "replace": "".join(kept)}


def warning(found: t.Iterable[Sysctl]) -> str:
    """What is said of lines that stay; "" where there are none."""
    paths = dict.fromkeys(each.path for each in locking(found))
    if not paths:
        return ""
    return (
        f"{LOCK_SYSCTL} is set to 1 by {', '.join(paths)}: kexec is locked again after each boot. "
        "Remove the lines, or set kexec_host_remove_lock to true for those below /etc."
    )
