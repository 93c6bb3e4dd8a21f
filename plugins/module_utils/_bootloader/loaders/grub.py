# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What a grub.cfg boots, with the variables of grubenv: found by following it, or not understood.

Its language is read as GRUB's own parser takes it, and then followed as far as menus need it.
"""

from __future__ import annotations

import itertools
import posixpath
import re
import typing as t
from dataclasses import dataclass, field

from ..._host.port import Host, lines
from ..loader import Entry, Loader, NotUnderstoodError, StartsNoLinuxError, always

MENUS = ("/boot/grub/grub.cfg", "/boot/grub2/grub.cfg")

# What reads other files, or runs text: afterwards anything may be set.
ELSEWHERE = {
    *(".", "source", "configfile", "normal", "eval", "legacy_configfile", "legacy_source"),
    *("blscfg", "syslinux_configfile", "extract_entries_source", "extract_entries_configfile"),
}
# What starts something else than Linux.
OTHERS = {
    *("multiboot", "multiboot2", "chainloader", "ntldr", "appleloader", "xnu_kernel", "freedos"),
    *("kfreebsd", "knetbsd", "kopenbsd", "plan9", "halt", "reboot", "exit", "fwsetup", "boot"),
}
LINUX = {"linux", "linux16", "linuxefi"}
INITRD = {"initrd", "initrd16", "initrdefi"}
ENTRIES = {"menuentry", "submenu"}
# Options of an entry that have a value.
VALUED = ("--class", "--users", "--hotkey", "--source", "--id")
# What firmware, GRUB itself or a caller sets: all else is empty unless the script says something.
BUILT_IN = re.compile(
    r"root|prefix|cmdpath|chosen|pager|theme|lang|locale_dir|secondary_locale_dir|[0-9]+|[?@*#]"
    r"|(?:grub|feature|config|pxe|net|color|menu)_.*"
)
ENVIRONMENT_BLOCK = "# GRUB Environment Block\n"
# More than a test of a real menu has.
TEST_WORDS = 40

_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=")
_SETS = re.compile(r"--set=(?:[0-9]+:)?(\w+)")
_FILE_TESTS = ("-s", "-f", "-e")
# Where the menu itself is, as its own commands say it.
_BESIDE = re.compile(r"\$(?:prefix|config_directory)/([^/]+)")

# --- The language --------------------------------------------------------------------------

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


# --- What follows it -----------------------------------------------------------------------

# A variable that is not in there is empty; one of None is not known.
Assigned = dict[str, t.Optional[str]]


@dataclass
class Item:
    """A menu entry or a submenu."""

    names: tuple[str, ...]
    submenu: bool
    body: Block
    # Whether it is there depends on what is not known.
    certain: bool


@dataclass
class _Run:
    """The state of the script while it is followed."""

    environment: t.Mapping[str, str]
    # The names in the directory of the menu.
    beside: t.Collection[str]
    values: Assigned = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    functions: dict[str, Block] = field(default_factory=dict)

    def follow(self, block: Block) -> None:
        for statement in block.statements:
            if isinstance(statement, Command):
                self._carry_out(statement)
            elif statement.closed:
                # One that the end of the file cuts off is never run.
                self._choose(statement)

    def _carry_out(self, command: Command) -> None:
        self._note(command, certain=True)
        if command.name in self.functions:
            self._perhaps(self.functions[command.name])

    def _perhaps(self, *blocks: Block) -> None:
        """What is not known to be carried out: what it sets is not known afterwards."""
        for command in _commands(blocks, self.functions):
            self._note(command, certain=False)

    def _note(self, command: Command, *, certain: bool) -> None:
        name = command.name
        if command.words[0].text is None:
            raise NotUnderstoodError(f"it runs what a variable names: {name}")
        if name == "return":
            raise NotUnderstoodError("it ends before its end")
        if name in ELSEWHERE:
            raise NotUnderstoodError(f"it reads or runs something else with {name}")
        if name in ENTRIES:
            body = command.body or Block(closed=False)
            self.items.append(Item(_names(command), name == "submenu", body, certain))
        elif name == "function":
            self._define("".join(map(str, command.words[1:2])), command.body or Block())
        else:
            found = self._loaded(command) if name == "load_env" else _set_by(command, self.values)
            self.values.update(found if certain else dict.fromkeys(found))

    def _define(self, name: str, body: Block) -> None:
        """Where it has several bodies, any of them may be the one."""
        before = self.functions.get(name, Block())
        self.functions[name] = Block([*before.statements, *body.statements])

    def _loaded(self, command: Command) -> Assigned:
        named = [word.text for word in command.words[1:]]
        if None in named or any(str(each).startswith("-") for each in named):
            raise NotUnderstoodError("it loads variables from another file")
        return {k: v for k, v in self.environment.items() if k in named or not named}

    def _choose(self, choice: If) -> None:
        for number, (condition, branch) in enumerate(choice.branches):
            self.follow(condition)
            truth = True if not condition.statements else self._truth(condition)
            if truth is None:
                self._perhaps(branch, *itertools.chain(*choice.branches[number + 1 :]))
            elif truth:
                self.follow(branch)
            if truth is not False:
                return

    def _truth(self, condition: Block) -> bool | None:
        """What a test says, None if that cannot be told."""
        last = condition.statements[-1]
        if not isinstance(last, Command) or len(condition.statements) > 1:
            return None
        words = last.words[1:]
        if last.name == "[" and words and words[-1].text == "]":
            words = words[:-1]
        elif last.name != "test":
            return {"true": True, "false": False}.get(last.name)
        return self._test(words) if len(words) <= TEST_WORDS else None

    def _test(self, words: list[Word]) -> bool | None:
        """Of several tests one may decide although another one cannot be told."""
        for operator, decides in (("-o", True), ("-a", False)):
            places = [at for at, word in enumerate(words) if word.text == operator]
            if places:
                sides = words[: places[0]], words[places[0] + 1 :]
                answers = {self._test(side) for side in sides}
                return decides if decides in answers else None if None in answers else not decides
        return self._single_test(words)

    def _single_test(self, words: list[Word]) -> bool | None:
        if len(words) == 2 and words[0].text in _FILE_TESTS:
            file = _BESIDE.fullmatch(str(words[1]))
            return file[1] in self.beside if file else None
        texts = [self._expanded(word) for word in words]
        if None in texts:
            return None
        if len(texts) == 1:
            return texts[0] != ""
        if len(texts) == 2 and texts[0] in ("-n", "-z"):
            return (texts[1] != "") == (texts[0] == "-n")
        if len(texts) == 3 and texts[1] in ("=", "==", "!="):
            return (texts[0] == texts[2]) == (texts[1] != "!=")
        return None

    def _expanded(self, word: Word) -> str | None:
        return word.expanded(_known(word, self.values))

    def default(self) -> str:
        value = self.values.get("default", "")
        if value is None:
            raise NotUnderstoodError("its default is a variable")
        return value or "0"


def environment(text: str) -> dict[str, str]:
    """The variables of a grubenv file, which is padded with number signs."""
    if not text.startswith(ENVIRONMENT_BLOCK):
        return {}
    pairs = (line.partition("=") for line in lines(text) if not line.startswith("#"))
    return {name: re.sub(r"\\(.)", r"\1", value) for name, equals, value in pairs if equals}


def default_entry(
    text: str, variables: t.Mapping[str, str], beside: t.Collection[str] = ()
) -> Entry:
    """The entry that boots when nobody touches the menu."""
    run = _Run(variables, beside)
    run.follow(parse(text))
    item, inside = _find(run.items, run.default(), run)
    _refuse_other_file_systems(item, [*run.items, *inside.items])
    return _entry(item, inside)


# --- Following -----------------------------------------------------------------------------


def _known(word: Word, values: t.Mapping[str, str | None]) -> Assigned:
    """The variables of a word: what nothing has set is empty."""
    names = [part.name for part in word.parts if isinstance(part, Variable)]
    unset = {name: None if BUILT_IN.fullmatch(name) else "" for name in names}
    return {**unset, **{name: values[name] for name in names if name in values}}


def _set_by(command: Command, values: t.Mapping[str, str | None]) -> Assigned:
    """The variables that a command sets; what it sets them to is mostly not known."""
    words = command.words
    if command.name == "set":
        words = words[1:]
    elif command.name in ("unset", "read"):
        return {str(word): "" if command.name == "unset" else None for word in words[1:]}
    elif not _ASSIGNMENT.match(command.name):
        return dict.fromkeys(_set_by_option(words))
    found: Assigned = {}
    for word in words[:1]:
        match = _ASSIGNMENT.match(str(word))
        if match:
            whole = word.expanded(_known(word, values))
            found[match[1]] = None if whole is None else whole[match.end() :]
    return found


def _set_by_option(words: list[Word]) -> list[str]:
    """As "search --set=root" and "regexp -s 1:name" do; for a test, -s asks for a file."""
    if str(words[0]) in ("[", "test"):
        return []
    found = [match[1] for match in map(_SETS.match, map(str, words)) if match]
    pairs = zip(words, words[1:])
    return found + [str(b).rpartition(":")[2] for a, b in pairs if str(a) in ("--set", "-s")]


def _commands(blocks: t.Iterable[Block], functions: t.Mapping[str, Block]) -> t.Iterator[Command]:
    """All commands in blocks, whether they are carried out or not, each function's once."""
    called = {**functions}
    left = list(blocks)
    while left:
        for statement in left.pop(0).statements:
            if isinstance(statement, If):
                left += itertools.chain(*statement.branches)
            else:
                yield statement
                left += [called.pop(statement.name)] if statement.name in called else []


# --- Entries -------------------------------------------------------------------------------


def _names(command: Command) -> tuple[str, ...]:
    """The title, and the identifier by which a default may name the entry."""
    titles: list[str] = []
    identifiers: list[str] = []
    words = iter(command.words[1:])
    for word in words:
        text = str(word)
        if text in ("$menuentry_id_option", "--id"):
            identifiers.append(_text_of(next(words, None)))
        elif text in VALUED:
            next(words, None)
        elif text.startswith("--id="):
            identifiers.append(text[len("--id=") :])
        elif not text.startswith("--"):
            titles.append(_text_of(word))
    return (titles[0] if titles else "", *filter(None, identifiers))


def _text_of(word: Word | None) -> str:
    """What a word says; a name that GRUB makes is no name here."""
    return "" if word is None else word.text or ""


def _find(items: list[Item], path: str, run: _Run) -> tuple[Item, _Run]:
    """A default is a number, a title or an identifier; ">" leads into submenus."""
    name, _arrow, rest = path.partition(">")
    before = _up_to(items, name)
    if not before:
        raise NotUnderstoodError(f"it has no entry {path!r}")
    if not all(item.certain for item in before):
        raise NotUnderstoodError(f"whether its entry {path!r} is there cannot be told")
    item = before[-1]
    if not item.body.closed:
        # GRUB runs a block when it has read the whole of it, and never one that is cut off.
        raise NotUnderstoodError(f"its entry {item.names[0]!r} is not closed")
    if not item.submenu:
        return item, run
    inside = _Run(run.environment, run.beside, dict(run.values), functions=run.functions)
    inside.follow(item.body)
    return _find(inside.items, rest or "0", inside)


def _up_to(items: list[Item], name: str) -> list[Item]:
    """The entry that a name means, behind those on which that depends."""
    if re.fullmatch("0|[1-9][0-9]*", name):
        number = int(name[:9])
        return items[: number + 1] if len(name) < 10 and number < len(items) else []
    if re.match("[0-9]", name):
        # GRUB takes the number that it begins with.
        raise NotUnderstoodError(f"its default {name!r} begins with a number")
    return [item for item in items if name in item.names][:1]


def _entry(item: Item, run: _Run) -> Entry:
    title = item.names[0]
    commands = [each for each in item.body.statements if isinstance(each, Command)]
    _refuse_what_depends(title, commands, item.body, run.functions)
    kernel, initramfs = _last(commands, LINUX), _last(commands, INITRD)
    others = {each.name for each in commands} & OTHERS
    if not kernel and others:
        raise StartsNoLinuxError(f"its entry {title!r} starts no Linux: {min(others)}")
    if others - {"boot"}:
        raise NotUnderstoodError(f"its entry {title!r} starts Linux and more: {min(others)}")
    if not kernel:
        raise NotUnderstoodError(f"its entry {title!r} names no kernel")
    if any(posixpath.normpath(path).startswith("(") for path in (kernel[0], *initramfs)):
        raise NotUnderstoodError("its default entry names a device")
    return Entry(title, kernel[0], tuple(initramfs), " ".join(map(_quoted, kernel[1:])))


def _refuse_what_depends(
    title: str, commands: list[Command], body: Block, functions: t.Mapping[str, Block]
) -> None:
    """What is not plainly carried out must not matter."""
    plain = set(map(id, commands))
    for command in _commands([body], functions):
        name = command.name
        if name in ELSEWHERE:
            raise NotUnderstoodError(f"its entry {title!r} leads to another menu")
        if name == "return" or command.words[0].text is None:
            raise NotUnderstoodError(f"what its entry {title!r} does cannot be told")
        if id(command) not in plain and name in LINUX | INITRD | OTHERS:
            raise NotUnderstoodError("what its default entry boots depends on a condition")


def _refuse_other_file_systems(item: Item, items: list[Item]) -> None:
    """Of several systems on a host, the files of the default one may not be those of this one."""
    wanted = {each for other in items for each in _file_systems(other.body)}
    if len(wanted) > 1 and _file_systems(item.body):
        raise NotUnderstoodError("its entries are on several file systems")


def _file_systems(body: Block) -> set[str]:
    """The labels or numbers of file systems by which the entries that start Linux look for one."""
    commands = list(_commands([body], {}))
    inner = [each.body for each in commands if each.name in ENTRIES and each.body is not None]
    found = {each for block in inner for each in _file_systems(block)}
    if any(each.name in LINUX for each in commands):
        found |= {str(each.words[-1]) for each in commands if each.name.startswith("search")}
    return found


def _last(commands: list[Command], names: t.Collection[str]) -> list[str]:
    """The arguments of the last such command, which is the one that counts."""
    found = [each.words[1:] for each in commands if each.name in names]
    texts = [word.text for words in found[-1:] for word in words]
    if None in texts:
        raise NotUnderstoodError("its default entry uses GRUB's shell")
    return [str(each) for each in texts]


def _quoted(word: str) -> str:
    """A parameter as GRUB hands it to the kernel, with quotes around the whole of it."""
    if any(char in word for char in "\"'\\"):
        raise NotUnderstoodError("its default entry has quotes inside quotes")
    return f'"{word}"' if " " in word else word


def _read(host: Host, path: str, text: str) -> Entry:
    directory = posixpath.dirname(path)
    variables = host.text(posixpath.join(directory, "grubenv")) or ""
    return default_entry(text, environment(variables), host.names(directory))


GRUB = Loader("grub", always(*MENUS), _read, type_ids=frozenset({7}))
