# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Parameters set and removed inside the text of a configuration; all else stays byte for byte."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .. import _cmdline
from .._bootloader.loader import NotUnderstoodError
from .._reasons import ReasonError, reason
from .text import Finder, Line, Span, Texts

# Written and read by boot loaders, and none of the kernel's own.
OF_THE_LOADER = frozenset({"BOOT_IMAGE", "initrd"})

# Two settle what command lines share, and the last one finds nothing left to do.
TURNS = 4


@dataclass(frozen=True)
class Change:
    """One parameter that is to be there, or is not to be there."""

    name: str
    value: str | None = None
    present: bool = True
    # Whether other values of the same parameter stay.
    multiple: bool = False

    @property
    def word(self) -> str:
        """The parameter as the kernel reads it."""
        if self.value is None:
            return self.name
        quote = '"' if any(char in _cmdline.SPACES for char in self.value) else ""
        return f"{self.name}={quote}{self.value}{quote}"

    def names(self, word: str) -> bool:
        return _cmdline.name_of(word) == _cmdline.name_of(self.name)

    def equals(self, word: str) -> bool:
        return self.names(word) and _cmdline.value_of(word) == self.value

    def unwanted(self, word: str) -> bool:
        """Tell whether a word must go for a parameter to be absent."""
        return self.names(word) if self.value is None else self.equals(word)

    def holds(self, words: t.Sequence[str]) -> bool:
        """Tell whether a command line is as this change wants it, as the kernel reads it."""
        same = [word for word in _cmdline.kernel_part(words)[0] if self.names(word)]
        if not self.present:
            return not any(map(self.unwanted, same))
        return any(map(self.equals, same if self.multiple else same[-1:]))


@dataclass(frozen=True)
class Written:
    """A parameter and how the file writes it."""

    text: str
    raw: str


@dataclass(frozen=True)
class Words:
    """The words of a span and the white space around them: one gap more than words."""

    words: tuple[Written, ...]
    gaps: tuple[str, ...]

    def raw(self) -> str:
        pairs = zip(self.words, self.gaps[1:])
        return self.gaps[0] + "".join(word.raw + gap for word, gap in pairs)

    def removed(self, index: int) -> Words:
        """Without a word and the white space that parted it from its neighbour."""
        words = self.words[:index] + self.words[index + 1 :]
        if not words:
            return Words((), ("".join(self.gaps),))
        gap = max(index, 1)
        return Words(words, self.gaps[:gap] + self.gaps[gap + 1 :])

    def inserted(self, index: int, word: Written) -> Words:
        """With a word before the one that had its index."""
        words = (*self.words[:index], word, *self.words[index:])
        if not self.words:
            return Words(words, ("", *self.gaps))
        gap = max(index, 1)
        return Words(words, (*self.gaps[:gap], " ", *self.gaps[gap:]))

    def replaced(self, index: int, word: Written) -> Words:
        return Words((*self.words[:index], word, *self.words[index + 1 :]), self.gaps)


def _parse(raw: str, span: Span) -> Words:
    """Split as the kernel does, and remember how each word and gap is written."""
    nothing = span.nothing and raw.strip(_cmdline.SPACES) == span.nothing
    cells = span.quoting.read("" if nothing else raw)
    text = "".join(char for char, _written in cells)
    if _cmdline.has_open_quote(text):
        raise NotUnderstoodError(f"a double quote is not closed in {raw!r}")

    def written(start: int, end: int) -> str:
        return "".join(each for _char, each in cells[start:end])

    places = [match.span() for match in _cmdline.WORD.finditer(text)]
    words = tuple(Written(text[start:end], written(start, end)) for start, end in places)
    bounds = [0, *(bound for place in places for bound in place), len(cells)]
    return Words(words, tuple(map(written, bounds[::2], bounds[1::2])))


@dataclass(frozen=True)
class _Place:
    """A word by the number of its span and its number in there."""

    span: int
    index: int
    text: str


@dataclass(frozen=True)
class _Editing:
    """A command line while it is changed."""

    spans: Line
    parts: tuple[Words, ...]

    def places(self) -> list[_Place]:
        return [
            _Place(number, index, word.text)
            for number, part in enumerate(self.parts)
            for index, word in enumerate(part.words)
        ]

    def of_kernel(self) -> list[_Place]:
        """The words for the kernel; those for init are none of our business."""
        places = self.places()
        return places[: len(_cmdline.kernel_part(self.words())[0])]

    def words(self) -> list[str]:
        return [place.text for place in self.places()]

    def with_part(self, number: int, part: Words) -> _Editing:
        return replace(self, parts=(*self.parts[:number], part, *self.parts[number + 1 :]))

    def without(self, places: t.Iterable[_Place]) -> _Editing:
        """The last ones first, so that the numbers of the others stay right."""
        line = self
        for place in sorted(places, key=lambda place: (place.span, place.index), reverse=True):
            line = line.with_part(place.span, line.parts[place.span].removed(place.index))
        return line

    def with_word(self, text: str) -> _Editing:
        """Behind the last word for the kernel, in the span where new ones belong."""
        for_init = self.places()[len(self.of_kernel()) :]
        if for_init:
            number, index = for_init[0].span, for_init[0].index
        else:
            number, index = len(self.parts) - 1, len(self.parts[-1].words)
        word = Written(text, self.spans[number].quoting.write(text))
        return self.with_part(number, self.parts[number].inserted(index, word))

    def replaced(self, place: _Place, text: str) -> _Editing:
        word = Written(text, self.spans[place.span].quoting.write(text))
        part = self.parts[place.span].replaced(place.index, word)
        return self.with_part(place.span, part)


def _changed(line: _Editing, change: Change) -> _Editing:
    same = [place for place in line.of_kernel() if change.names(place.text)]
    if not change.present:
        return line.without(place for place in same if change.unwanted(place.text))
    if change.multiple:
        return line if any(change.equals(place.text) for place in same) else _added(line, change)
    if not same:
        return _added(line, change)
    if not change.equals(same[-1].text):
        line = line.replaced(same[-1], change.word)
    return line.without(same[:-1])


def _added(line: _Editing, change: Change) -> _Editing:
    return line.with_word(change.word)


def edit(texts: Texts, find: Finder, changes: t.Sequence[Change], machine: str) -> dict[str, str]:
    """The texts of all files with the changes made in each command line.

    Command lines may share a span, and what is done for one of them asks for more in another. What
    has been written is read again, so that nothing stays which is not understood.
    """
    before = dict(texts)
    for _turn in range(TURNS):
        after = _edited_once(before, find, changes, machine)
        if after == before:
            return after
        before = after
    raise NotUnderstoodError("its command lines share what would have to differ")


def _edited_once(
    texts: Texts, find: Finder, changes: t.Sequence[Change], machine: str
) -> dict[str, str]:
    lines = find(texts)
    if not lines:
        raise NotUnderstoodError("it has no entry that boots a kernel")
    stretches: dict[tuple[str, int, int], str] = {}
    for spans in lines:
        for span, raw in _edited(texts, spans, changes, machine):
            stretches[span.path, span.start, span.end] = raw
    after = dict(texts)
    for (path, start, end), raw in sorted(stretches.items(), reverse=True):
        after[path] = after[path][:start] + raw + after[path][end:]
    return after


def _edited(
    texts: Texts, spans: Line, changes: t.Sequence[Change], machine: str
) -> t.Iterator[tuple[Span, str]]:
    """The spans that are written anew, each with what stands there then."""
    parts = tuple(_parse(texts[span.path][span.start : span.end], span) for span in spans)
    before = line = _Editing(spans, parts)
    for change in changes:
        line = _changed(line, change)
    if before.words() and not line.words() and spans[-1].empty_means:
        problem = f"it is the last one, and {spans[-1].empty_means}"
        raise _invalid(changes[-1].name, problem, "Set another parameter beside it first.")
    if line.parts != before.parts:
        check_size(before.words(), line.words(), machine)
    for span, old, new in zip(spans, before.parts, line.parts):
        if new != old:
            yield span, _written(span, new)


def _written(span: Span, part: Words) -> str:
    raw = span.quoting.finish(part.raw())
    if not part.words:
        return span.nothing or raw
    return span.before + raw + span.after


def check_size(before: t.Sequence[str], after: t.Sequence[str], machine: str) -> None:
    """Refuse what the kernel would cut; what was too long already may become shorter."""
    remedy = "Remove other parameters from the boot loader's configuration first."
    _cmdline.check_size(_cmdline.join(after), machine, remedy, before=_cmdline.join(before))


def check(changes: t.Sequence[Change]) -> None:
    """Refuse parameters that no command line can hold, before anything is touched."""
    for change in changes:
        problem = _problem(change)
        if problem:
            raise _invalid(change.name, problem)
    kept = [change for change in changes if change.present and not change.multiple]
    names = [_cmdline.name_of(change.name) for change in kept]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise _invalid(twice[0], "it is given twice, which takes multiple")


def _problem(change: Change) -> str | None:
    name, text = change.name, change.name + (change.value or "")
    problems = {
        "a name is missing": not name.strip("-"),
        "its name has a space, an equals sign or a number sign": any(c in name for c in " =#"),
        "it has a double quote; a value with spaces gets its quotes by itself": '"' in text,
        "it has a line break or another control character": not text.isprintable(),
        "it has a letter that the kernel takes for a space": _has_byte_space(text),
        "it belongs to the boot loader": _cmdline.name_of(name) in OF_THE_LOADER,
    }
    return next((problem for problem, holds in problems.items() if holds), None)


def _has_byte_space(text: str) -> bool:
    return _cmdline.BYTE_SPACE in text.encode("utf-8", "surrogateescape")


def _invalid(
    name: str,
    problem: str,
    remedy: str = "Correct the options name, value, parameters and multiple.",
) -> ReasonError:
    message = f"The kernel parameter {name!r} cannot be set or removed: {problem}."
    return ReasonError(reason("parameter_invalid", message, remedy))


def words_of(texts: Texts, line: Line) -> list[str]:
    """The parameters of a command line as they stand."""
    parts = (_parse(texts[span.path][span.start : span.end], span) for span in line)
    return [word.text for part in parts for word in part.words]
