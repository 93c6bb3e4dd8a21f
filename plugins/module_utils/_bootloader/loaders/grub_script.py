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

_ENDS = " \t\r\n;{}|&<>"
# GRUB's lexer knows them and its grammar does not.
_FOREIGN = "|&<>"
# What no menu that grub-mkconfig makes has: it makes a program of one, and none of it is followed.
_PROGRAM = ("for", "while", "until", "!")
# What may have a block in braces.
_WITH_BLOCK = ("menuentry", "submenu", "function", "hiddenentry")

_VARIABLE = (
    r"\$(?:\{(?P<braced>[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[#*@?])\}|(?P<name>[A-Za-z_]\w*|[0-9#*@?]))"
)
# Between words; a line goes on behind a backslash.
_BLANK = re.compile(r"(?:[ \t\r]|\\\n|#[^\n]*)*")
_PIECE = re.compile(
    r"""'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*)"|\\\n|\\(?P<escaped>.?)|"""
    rf"""{_VARIABLE}|(?P<char>[^$'"])""",
    re.DOTALL,
)
_IN_DOUBLE = re.compile(rf"""\\\n|\\(?P<escaped>["$\\])|{_VARIABLE}|(?P<char>[^$])""", re.DOTALL)


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
        return self.expanded({})

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

    @property
    def name(self) -> str:
        return str(self.words[0])


@dataclass
class If:
    # Each with the commands whose last one decides, the last one with none for "else".
    branches: list[tuple[Block, Block]]
    closed: bool


Statement = t.Union[Command, If]
# A word, or what stands for itself: an end of a command or a brace.
Token = t.Union[Word, str]


def parse(text: str) -> Block:
    return _Parser(_tokens(text.replace("\r\n", "\n"))).block(())


# --- Words ---------------------------------------------------------------------------------


def _tokens(text: str) -> t.Iterator[Token]:
    at = _after_blank(text, 0)
    while at < len(text):
        char = text[at]
        if char in _FOREIGN or text.startswith(";;", at):
            what = text[at : at + 2].strip()
            raise NotUnderstoodError(f"it has {what!r}, which GRUB does not know")
        if char in _ENDS:
            yield "\n" if char == ";" else char
            at += 1
        else:
            word, at = _word(text, at)
            yield word
        at = _after_blank(text, at)


def _after_blank(text: str, at: int) -> int:
    return t.cast("re.Match[str]", _BLANK.match(text, at)).end()


def _word(text: str, at: int) -> tuple[Word, int]:
    # One of empty quotes is a word, too.
    parts: list[Part] = [""]
    plain = True
    for piece in _pieces(_PIECE, text, at, _ENDS):
        plain = plain and piece[0][0] not in "'\"\\"
        quoted = piece["double"]
        parts += map(_part, [piece] if quoted is None else _pieces(_IN_DOUBLE, quoted, 0, ""))
        at = piece.end()
    return Word(tuple(parts), plain), at


def _pieces(pattern: re.Pattern[str], text: str, at: int, ends: str) -> t.Iterator[re.Match[str]]:
    while at < len(text) and text[at] not in ends:
        piece = pattern.match(text, at)
        if piece is None:
            what = "it has a '$' without a name" if text[at] == "$" else "a quote is not closed"
            first_line = text[at:].partition("\n")[0]
            raise NotUnderstoodError(f"{what}: {first_line!r}")
        yield piece
        at = piece.end()


def _part(piece: re.Match[str]) -> Part:
    group = piece.lastgroup
    if group in ("braced", "name"):
        return Variable(piece[group])
    return piece[group] if group else ""


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
        if keyword in _PROGRAM:
            raise NotUnderstoodError(f"it has {keyword!r}, which is not followed")
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
        if not words:
            if self._sees(("{", "}")):
                raise NotUnderstoodError("it has a brace that belongs to nothing")
            self._at += 1
            return None
        name = str(words[0])
        if name == "function":
            self._skip_line_feeds()
        if not self._sees(("{",)):
            return Command(words)
        if name not in _WITH_BLOCK:
            raise NotUnderstoodError(f"it has a block behind {name}")
        self._at += 1
        body = self.block(("}",))
        self._at += 1
        if self._at < len(self._tokens) and not self._sees(("\n", "}")):
            raise NotUnderstoodError(f"it has more behind the block of {name}")
        return Command(words, body)

    def _skip_line_feeds(self) -> None:
        while self._sees(("\n",)):
            self._at += 1
