# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""How many hosts each batch of a play has. Ansible takes what it does not understand for all of them."""

from __future__ import annotations

from .._step import StepError
from .amount import amount


def sizes(given: object) -> list[int | str]:
    """The sizes, as the keyword "serial" takes them; with -e they come as one text."""
    words = given.split(",") if isinstance(given, str) else given
    listed = list(words) if isinstance(words, (list, tuple)) else [words]
    if not listed:
        raise _no_size(given)
    return [_size(each, given) for each in listed]


def _size(each: object, given: object) -> int | str:
    found = amount(each)
    if found is None or found.number == 0:
        raise _no_size(given)
    return f"{found.number}%" if found.is_share else found.number


def _no_size(given: object) -> StepError:
    return StepError(
        f"The sizes of the batches are {given!r} and must be numbers of hosts, 1 or more, or shares "
        "of them from 1% to 100%.",
        "Give sizes such as 1,10%,30%; nothing was done.",
    )
