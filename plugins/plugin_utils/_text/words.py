# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What is told of the words by which a task or a command has failed."""

from __future__ import annotations

import typing as t

from .table import one_line

# What is told of the last line that a command printed.
SAID_LIMIT = 200
# Where a result has what was printed: by a command, or by a module that broke.
PRINTED = ("stderr", "module_stderr", "stdout", "module_stdout")
# What is looked at of it, from its end.
PRINTED_BYTES = 4000


def last_line(lines: t.Iterable[str]) -> str:
    """The last one with something to see in it, cut; "" if there is none."""
    shown = [line for line in (one_line(each, SAID_LIMIT) for each in lines) if line]
    return shown[-1] if shown else ""


def printed(result: t.Mapping[str, t.Any]) -> str:
    """The last line that a command has printed."""
    texts = [text for text in map(result.get, PRINTED) if isinstance(text, str) and text.strip()]
    return last_line(texts[0][-PRINTED_BYTES:].splitlines()) if texts else ""


def of_failure(result: t.Mapping[str, t.Any]) -> str:
    """What a task says that failed, or the first of its items that did, with what it printed last."""
    failed = _first_failed(result.get("results")) or result
    message, said = str(failed.get("msg") or ""), printed(failed)
    return message if said in message else ": ".join(filter(None, (message, said)))


def _first_failed(items: object) -> t.Mapping[str, t.Any] | None:
    found = items if isinstance(items, (list, tuple)) else ()
    return next(
        (each for each in found if isinstance(each, t.Mapping) and each.get("failed")), None
    )
