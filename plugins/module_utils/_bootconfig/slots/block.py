# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Lines of ours in settings that a shell sources, and in menus, told from all that others wrote."""

from __future__ import annotations

import re
import typing as t

from ..._reasons import ReasonError, reason

BEGIN = "# BEGIN alpinefleet.kexec"
END = "# END alpinefleet.kexec"
# A line of somebody else that is not to be read until ours are gone.
KEPT = "# alpinefleet.kexec keeps: "
# What is needed to take the block out and leave each byte as it was.
_NO_END = "# The line above had no end."
_NO_FILE = "# There was no such file."
_NOTES = (_NO_END, _NO_FILE)

# What the lines of the block look like, each of them once; None where all between the marks is ours.
Own = t.Optional[t.Sequence[re.Pattern[str]]]


def lines_in(path: str, text: str | None, own: Own) -> list[str]:
    """The settings in the blocks, without marks and notes."""
    lines = (text or "").split("\n")
    found = (lines[number].strip() for number in sorted(_ours(path, lines, own)))
    return [each for each in found if each not in (BEGIN, END, *_NOTES)]


def without(path: str, text: str | None, own: Own) -> str | None:
    """The settings as they were, None where there was no file."""
    if text is None:
        return None
    lines = text.split("\n")
    ours = _ours(path, lines, own)
    if not ours:
        return text
    notes = {lines[number].strip() for number in ours}
    left = "\n".join(line for number, line in enumerate(lines) if number not in ours)
    if not left and _NO_FILE in notes:
        return None
    # Somebody may have written behind it meanwhile, who needs the end of the line.
    last = max(ours) >= len(lines) - 2
    return left[:-1] if last and _NO_END in notes and left.endswith("\n") else left


def with_lines(path: str, text: str | None, body: t.Sequence[str], own: Own) -> str:
    """The settings with the block at their end, where nothing comes after it."""
    base = without(path, text, own)
    open_end = bool(base) and not str(base).endswith("\n")
    notes = [_NO_END] if open_end else [_NO_FILE] if base is None else []
    line_end = "\n" if open_end else ""
    return f"{base or ''}{line_end}{marked([*notes, *body])}"


def marked(body: t.Iterable[str]) -> str:
    """The block itself, for those who have another place for it."""
    return "".join(f"{line}\n" for line in (BEGIN, *body, END))


def given_back(path: str, text: str) -> str:
    """A menu as it was, the lines that were kept included."""
    base = without(path, text, None) or ""
    return "\n".join(line.removeprefix(KEPT) for line in base.split("\n"))


def check(path: str, text: str, own: t.Sequence[re.Pattern[str]]) -> None:
    """Refuse a block with a line of somebody else, where its place in the block means something."""
    for line in lines_in(path, text, None):
        if _kind(line, own) is None:
            raise edited(path, line, "it is between those of the slots, and none of them")


def is_written(path: str, text: str | None, body: t.Sequence[str], own: Own) -> bool:
    """Tell whether the block is there as it is to be, once and at the end."""
    return text == with_lines(path, text, body, own)


def _kind(line: str, own: Own) -> int | None:
    """Which of the lines of the block it looks like."""
    text = line.strip()
    if text in _NOTES:
        return -1 - _NOTES.index(text)
    if own is None:
        return 0
    return next((number for number, each in enumerate(own) if each.fullmatch(text)), None)


def _ours(path: str, lines: t.Sequence[str], own: Own) -> set[int]:
    """The numbers of all lines that are ours; what somebody wrote between them is not."""
    ours: set[int] = set()
    marks = [(number, line.strip()) for number, line in enumerate(lines)]
    marks = [(number, line) for number, line in marks if line in (BEGIN, END)]
    ends = [number for number, _line in marks[1:]] + [len(lines)]
    for (number, mark), following in zip(marks, ends):
        ours.add(number)
        closed = following < len(lines) and lines[following].strip() == END
        if mark == BEGIN and closed:
            between = range(number + 1, following)
            ours |= {each for each in between if _kind(lines[each], own) is not None}
        elif mark == BEGIN:
            ours |= _open(path, lines, range(number + 1, following), own)
        elif not _is_closing(lines, number, ours):
            ours |= _open(path, lines, range(number - 1, _above(marks, number), -1), own)
    return ours


def _above(marks: t.Sequence[tuple[int, str]], number: int) -> int:
    return max((each for each, _mark in marks if each < number), default=-1)


def _is_closing(lines: t.Sequence[str], number: int, ours: t.Collection[int]) -> bool:
    """Whether an end has its beginning, so that the lines before it are known already."""
    above = [each for each in ours if each < number and lines[each].strip() in (BEGIN, END)]
    return bool(above) and lines[max(above)].strip() == BEGIN


def _open(path: str, lines: t.Sequence[str], numbers: range, own: Own) -> set[int]:
    """What is ours beside a mark that has no other one: each line once, and nothing in between."""
    if own is None:
        number = min(numbers, default=0)
        raise _ambiguous(path, number + 1, lines[number].strip())
    found: dict[int | None, int] = {}
    rest = iter(numbers)
    for number in rest:
        kind = _kind(lines[number], own)
        if kind is None or kind in found:
            break
        found[kind] = number
    doubtful = [each for each in rest if _kind(lines[each], own) not in (None, *found)]
    if doubtful:
        raise _ambiguous(path, min(doubtful) + 1, lines[min(doubtful)].strip())
    return set(found.values())


def edited(path: str, line: str, why: str) -> ReasonError:
    return ReasonError(
        reason(
            "slots_edited",
            f"Whose line {line!r} of {path} is cannot be told: {why}.",
            f"Nothing was changed. Have all lines of slots, and no others, between {BEGIN!r} and "
            f"{END!r}, or remove these lines by hand.",
        )
    )


def _ambiguous(path: str, number: int, line: str) -> ReasonError:
    return ReasonError(
        reason(
            "slots_edited",
            f"Whose line {number} of {path} is cannot be told: it says {line!r}, and the block "
            "around it has lost the line that begins or ends it.",
            f"Nothing was changed. Write the line {BEGIN!r} before the lines of the block and "
            f"{END!r} behind them, or remove them all by hand.",
        )
    )
