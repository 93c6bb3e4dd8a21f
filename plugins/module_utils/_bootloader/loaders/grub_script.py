# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""The language of grub.cfg: words, commands and blocks, as GRUB's own parser takes them."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ..loader import NotUnderstoodError

# Deeper than any menu, and not so deep that reading it fails.
DEPTH = 50

_SPACES = " \t"
_ENDS = " \t\r\n;{}|&<>"
# GRUB's lexer knows them and its grammar does not.
_FOREIGN = "|&<>"
# What may have a block in braces.
_WITH_BLOCK = ("menuentry", "submenu", "function", "hiddenentry")
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*|[0-9]+|[#*@?])\}|([A-Za-z_]\w*|[0-9#*@?]))")
_ESCAPED = '$"\\'


@dataclass(frozen=True)
class Variable:
    """A place in a word that GRUB replaces."""

    name: str


Part = t.Union[str, Variable]


@dataclass(frozen=True)
class Word:
    """An argument of a command, without its quotes."""

    parts: tuple[Part, ...]
    # What a quote or a backslash protects is no keyword and no assignment.
    plain: bool = True

    @property
    def text(self) -> str | None:
        """What it says, None if GRUB replaces something in it."""
        if any(isinstance(part, Variable) for part in self.parts):
            return None
        return "".join(map(str, self.parts))

    def expanded(self, values: t.Mapping[str, str | None]) -> str | None:
        """What it says where all variables in it are known, else None."""
        found = [
            values.get(part.name) if isinstance(part, Variable) else part for part in self.parts
        ]
        return None if None in found else "".join(map(str, found))

    def __str__(self) -> str:
        return "".join(
            f"${part.name}" if isinstance(part, Variable) else part for part in self.parts
        )


@dataclass
class Block:
    """Statements between a keyword or a brace and what closes it."""

    statements: list[Statement] = field(default_factory=list)
    # What the end of the file cuts off is never run.
    closed: bool = True


@dataclass
class Command:
    words: list[Word]
    # menuentry, submenu and functions have one.
    body: Block | None = None
    # Behind "!", which turns its result.
    turned: bool = False

    @property
    def name(self) -> str:
        return str(self.words[0])


@dataclass
class If:
    # Each with the commands whose last one decides, the last one with none for "else".
    branches: list[tuple[Block, Block]]
    closed: bool


@dataclass
class Loop:
    words: list[Word]
    condition: Block
    body: Block


Statement = t.Union[Command, If, Loop]
# A word, or what stands for itself: an end of a command or a brace.
Token = t.Union[Word, str]


def parse(text: str) -> Block:
    return _Parser(_tokens(text)).block(())


# --- Words ---------------------------------------------------------------------------------


def _tokens(text: str) -> t.Iterator[Token]:
    text = text.replace("\r\n", "\n")
    at = 0
    while at < len(text):
        char = text[at]
        if char in _SPACES or char == "\r":
            at += 1
        elif char == "#":
            at = _line_end(text, at)
        elif text.startswith("\\\n", at):
            # A line goes on behind it.
            at += 2
        elif char in _ENDS:
            _refuse(text, at)
            yield "\n" if char in "\n;" else char
            at += 1
        else:
            word, at = _word(text, at)
            yield word


def _refuse(text: str, at: int) -> None:
    if text[at] in _FOREIGN or text.startswith(";;", at):
        raise NotUnderstoodError(f"it has {text[at : at + 2].strip()!r}, which GRUB does not know")


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _word(text: str, at: int) -> tuple[Word, int]:
    parts: list[Part] = []
    plain = True
    while at < len(text) and text[at] not in _ENDS:
        plain = plain and text[at] not in "'\"\\"
        found, at = _piece(text, at)
        parts += found
    return Word(tuple(parts), plain), at


def _piece(text: str, at: int) -> tuple[list[Part], int]:
    char = text[at]
    if char == "'":
        end = _closing(text, at, "'")
        return [text[at + 1 : end]], end + 1
    if char == '"':
        return _double(text, at)
    if text.startswith("\\\n", at):
        return [], at + 2
    if char == "\\":
        return [text[at + 1 : at + 2]], at + 2
    return _variable(text, at)


def _closing(text: str, at: int, quote: str) -> int:
    end = text.find(quote, at + 1)
    if end < 0:
        raise NotUnderstoodError(f"a quote is not closed: {_first_line(text[at:])!r}")
    return end


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


def _double(text: str, at: int) -> tuple[list[Part], int]:
    parts: list[Part] = []
    place = at + 1
    while text[place : place + 1] != '"':
        if place >= len(text):
            raise NotUnderstoodError(f"a quote is not closed: {_first_line(text[at:])!r}")
        if text.startswith("\\\n", place):
            place += 2
        elif text[place] == "\\" and text[place + 1 : place + 2] in tuple(_ESCAPED):
            parts.append(text[place + 1])
            place += 2
        else:
            found, place = _variable(text, place)
            parts += found
    return parts or [""], place + 1


def _variable(text: str, at: int) -> tuple[list[Part], int]:
    match = _VARIABLE.match(text, at)
    if match is None and text[at] == "$":
        raise NotUnderstoodError(f"it has a '$' without a name: {_first_line(text[at:])!r}")
    if match is None:
        return [text[at]], at + 1
    return [Variable(match[1] or match[2])], match.end()


# --- Statements ----------------------------------------------------------------------------


class _Parser:
    """Commands and the blocks that hold them."""

    def __init__(self, tokens: t.Iterable[Token]) -> None:
        self._tokens = list(tokens)
        self._at = 0
        self._depth = 0

    def block(self, ends: t.Collection[str]) -> Block:
        """Statements up to one of the words that end it, which is left to the caller."""
        self._depth += 1
        if self._depth > DEPTH:
            raise NotUnderstoodError("its blocks are nested too deeply")
        found = Block()
        while not self._sees(ends):
            if self._at >= len(self._tokens):
                found.closed = not ends
                break
            statement = self._statement()
            if statement is not None:
                found.statements.append(statement)
        self._depth -= 1
        return found

    def _sees(self, ends: t.Collection[str]) -> bool:
        return self._at < len(self._tokens) and self._keyword(self._tokens[self._at]) in ends

    @staticmethod
    def _keyword(token: Token) -> str:
        if isinstance(token, str):
            return token
        return str(token) if token.plain and token.text is not None else ""

    def _next(self) -> Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _statement(self) -> Statement | None:
        keyword = self._keyword(self._tokens[self._at])
        if keyword == "if":
            return self._if()
        if keyword in ("for", "while", "until"):
            return self._loop()
        return self._command()

    def _if(self) -> If:
        branches = []
        keyword = self._take()
        while keyword in ("if", "elif"):
            condition = self.block(("then",))
            self._take()
            branches.append((condition, self.block(("elif", "else", "fi"))))
            keyword = self._take()
        if keyword == "else":
            branches.append((Block(), self.block(("fi",))))
            keyword = self._take()
        return If(branches, closed=keyword == "fi")

    def _loop(self) -> Loop:
        self._take()
        words = self._words()
        # That of a while may have several commands, of which these words are the first.
        condition = self.block(("do",))
        self._take()
        body = self.block(("done",))
        self._take()
        return Loop(words, condition, body)

    def _take(self) -> str:
        """The keyword at which a block ended, nothing at the end of the file."""
        return self._keyword(self._next()) if self._at < len(self._tokens) else ""

    def _words(self) -> list[Word]:
        words = []
        while self._at < len(self._tokens) and isinstance(self._tokens[self._at], Word):
            words.append(t.cast(Word, self._next()))
        return words

    def _command(self) -> Command | None:
        words = self._words()
        turned = bool(words) and words[0].plain and words[0].text == "!"
        words = words[1:] if turned else words
        if not words:
            if not turned and self._sees(("{", "}")):
                raise NotUnderstoodError("it has a brace that belongs to nothing")
            self._at += 1
            return None
        name = str(words[0])
        if name == "function":
            self._skip_line_feeds()
        if not self._sees(("{",)):
            return Command(words, turned=turned)
        if name not in _WITH_BLOCK:
            raise NotUnderstoodError(f"it has a block behind {name}")
        self._at += 1
        body = self.block(("}",))
        self._at += 1
        if self._at < len(self._tokens) and not self._sees(("\n", "}")):
            raise NotUnderstoodError(f"it has more behind the block of {name}")
        return Command(words, body, turned)

    def _skip_line_feeds(self) -> None:
        while self._sees(("\n",)):
            self._at += 1
