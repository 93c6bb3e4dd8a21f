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

# What reads other files, runs text or waits for somebody: afterwards anything may be so.
ELSEWHERE = {
    *(".", "source", "configfile", "normal", "eval", "legacy_configfile", "legacy_source"),
    *("blscfg", "syslinux_configfile", "extract_entries_source", "extract_entries_configfile"),
    *("return", "read", "loopback"),
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
_ENVIRONMENT = "grubenv"
ENVIRONMENT_BLOCK = "# GRUB Environment Block\n"
# Names the entry of the next boot only.
NEXT_ENTRY = "next_entry"

_SETS = re.compile(r" (?:--set[= ]|-s )(?:[0-9]+:)?([$\w]+)")
_FILE_TESTS = ("-s", "-f", "-e")
# Where the menu itself is, as its own commands say it.
_BESIDE = re.compile(r"\$(?:prefix|config_directory)/([^/]+)")

# --- The language --------------------------------------------------------------------------

# Deeper than any menu, and not so deep that reading it fails.
DEPTH = 50

_END = "its end"
_ENDS = " \t\r\n;{}|&<>"
# GRUB's lexer knows them and its grammar does not.
_FOREIGN = "|&<>"
# What no menu that grub-mkconfig makes begins a command with: it makes a program of one, or none.
_PROGRAM = (
    *("for", "while", "until", "!", "do", "done", "then", "elif", "else", "fi"),
    *("case", "esac", "in", "select", "time", "[[", "]]"),
)
# What has a block in braces.
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
    # It has no quotes around it.
    bare: bool


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
        return str(self) if all(isinstance(part, str) for part in self.parts) else None

    def expanded(self, values: t.Mapping[str, str | None]) -> str | None:
        """What it says where all variables in it are known, else None."""
        texts = [_said(part, values) for part in self.parts]
        return None if None in texts else "".join(map(str, texts))

    def __str__(self) -> str:
        return "".join(
            f"${part.name}" if isinstance(part, Variable) else part for part in self.parts
        )


@dataclass
class Command:
    words: list[Word]
    # menuentry, submenu and functions have one.
    body: Block = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.words[0])


@dataclass
class If:
    # Each with the commands whose last one decides, the last one with none for "else".
    branches: list[tuple[Block, Block]]


Statement = t.Union[Command, If]
# What is between a keyword or a brace and what closes it.
Block = list[Statement]
# A word, or what stands for itself: an end of a command or a brace.
Token = t.Union[Word, str]


def parse(text: str) -> Block:
    return _Parser(_tokens(text.replace("\r\n", "\n"))).block(_END)


# --- Words ---------------------------------------------------------------------------------


def _tokens(text: str) -> t.Iterator[Token]:
    at = _after_blank(text, 0)
    while at < len(text):
        char = text[at]
        if char in _FOREIGN or text.startswith(";;", at):
            what = text[at : at + 2].strip()
            raise NotUnderstoodError(f"it has {what!r}, which GRUB does not know")
        if char in _ENDS:
            yield char
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
        return Variable(piece[group], piece.re is _PIECE)
    return piece[group] if group else ""


# --- Statements ----------------------------------------------------------------------------


class _Parser:
    """Commands and the blocks that hold them."""

    def __init__(self, tokens: t.Iterable[Token]) -> None:
        self._tokens = [*tokens, _END]
        self._at = 0
        self._depth = 0

    def block(self, *ends: str) -> Block:
        """Statements up to one of the words that end it, which is left to the caller."""
        self._depth += 1
        if self._depth > DEPTH:
            raise self._stopped()
        found: Block = []
        while not self._sees(*ends):
            if not self._passes("\n"):
                found.append(self._statement())
                if not self._passes(";") and not self._sees("\n", "}", _END):
                    raise self._stopped()
        if not found:
            raise self._stopped()
        self._depth -= 1
        return found

    def _stopped(self) -> NotUnderstoodError:
        return NotUnderstoodError(f"it is not followed from {str(self._tokens[self._at])!r} on")

    def _sees(self, *wanted: str) -> bool:
        token = self._tokens[self._at]
        if isinstance(token, Word) and not (token.plain and token.text):
            return False
        return str(token) in wanted

    def _passes(self, wanted: str) -> bool:
        found = self._sees(wanted)
        self._at += found
        return found

    def _statement(self) -> Statement:
        if self._passes("if"):
            return self._if()
        if self._sees(*_PROGRAM):
            raise self._stopped()
        return self._command()

    def _if(self) -> If:
        branches: list[tuple[Block, Block]] = []
        while not branches or self._passes("elif"):
            condition = self.block("then")
            self._at += 1
            branches.append((condition, self.block("elif", "else", "fi")))
        if self._passes("else"):
            branches.append(([], self.block("fi")))
        self._at += 1
        return If(branches)

    def _words(self) -> t.Iterator[Word]:
        token = self._tokens[self._at]
        while isinstance(token, Word):
            yield token
            self._at += 1
            token = self._tokens[self._at]

    def _command(self) -> Command:
        words = list(self._words())
        name = str(words[0]) if words else ""
        if name == "function":
            while self._passes("\n"):
                pass
        nested = name == "function" and self._depth > 1
        if not words or nested or self._sees("{") != (name in _WITH_BLOCK):
            raise self._stopped()
        if not self._passes("{"):
            return Command(words)
        body = self.block("}")
        self._at += 1
        return Command(words, body)


# --- What follows it -----------------------------------------------------------------------

# A variable that is not in there is empty; one of None is not known.
Assigned = dict[str, t.Optional[str]]


@dataclass
class Item:
    """A menu entry or a submenu."""

    command: Command
    names: tuple[str, ...]
    # Whether it is there does not depend on what is not known.
    certain: bool


@dataclass
class Followed:
    """The state of the script while it is followed."""

    environment: t.Mapping[str, str]
    # The names in the directory of the menu.
    beside: t.Collection[str]
    values: Assigned = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    functions: dict[str, Block] = field(default_factory=dict)

    def follow(self, block: Block) -> None:
        for statement in block:
            if isinstance(statement, Command):
                self._carry_out(statement)
            else:
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
        last = str(command.words[-1])
        # Whether firmware has settings is only asked for.
        if name in ELSEWHERE | LINUX | OTHERS and last != "--is-supported":
            raise NotUnderstoodError(f"what follows its {name!r} cannot be told")
        if name in ENTRIES:
            self.items.append(Item(command, _names(command), certain))
        elif name == "function":
            self.functions[last] = command.body
        else:
            found = self._loaded(command) if name == "load_env" else _set_by(command, self.values)
            if "$" in "".join((name.partition("=")[0], *found)):
                raise NotUnderstoodError(f"it runs or sets what a variable names: {name}")
            self.values.update(found if certain else dict.fromkeys(found))

    def _loaded(self, command: Command) -> Assigned:
        named = [word.text for word in command.words[1:]]
        if None in named or any(str(each).startswith("-") for each in named):
            raise NotUnderstoodError("it loads variables from another file")
        return {k: v for k, v in self.environment.items() if k in named or not named}

    def _choose(self, choice: If) -> None:
        for number, (condition, branch) in enumerate(choice.branches):
            self.follow(condition)
            truth = self._truth(condition) if condition else True
            if truth is None:
                self._perhaps(branch, *itertools.chain(*choice.branches[number + 1 :]))
            elif truth:
                self.follow(branch)
            if truth is not False:
                return

    def _truth(self, condition: Block) -> bool | None:
        """What a test says, None if that cannot be told."""
        last = condition[-1]
        if not isinstance(last, Command) or len(condition) > 1:
            return None
        words = last.words[1:]
        if last.name == "[" and words and words[-1].text == "]":
            words = words[:-1]
        elif last.name != "test":
            return {"true": True, "false": False}.get(last.name)
        return self._test(words)

    def _test(self, words: list[Word]) -> bool | None:
        """Of several tests one may decide although another one cannot be told."""
        if any(self._is_open(word) for word in words):
            return None
        sides = itertools.groupby(words, lambda word: word.text == "-a")
        answers = {self._single_test(list(side)) for joins, side in sides if not joins}
        return False if False in answers else None not in answers or None

    def _is_open(self, word: Word) -> bool:
        """Whether it may be no word, or several, or joins tests in another way."""
        split = word.plain and word.expanded(self.values) is None
        return word.text == "-o" or (split and not _BESIDE.match(str(word)))

    def _single_test(self, words: list[Word]) -> bool | None:
        if len(words) == 2 and words[0].text in _FILE_TESTS:
            file = _BESIDE.fullmatch(str(words[1]))
            return file[1] in self.beside if file else None
        texts = [word.expanded(self.values) for word in words]
        if None in texts:
            return None
        if len(texts) == 1:
            return texts[0] != ""
        if len(texts) == 2 and texts[0] in ("-n", "-z"):
            return (texts[1] != "") == (texts[0] == "-n")
        if len(texts) == 3 and texts[1] in ("=", "==", "!="):
            return (texts[0] == texts[2]) == (texts[1] != "!=")
        return None

    def default(self) -> str:
        timeout = self.values.get("timeout", "0")
        if timeout is not None and not timeout[:1].isdigit():
            raise NotUnderstoodError(f"it waits for somebody, its timeout is {timeout!r}")
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
    return default_of(followed(text, variables, beside))


def followed(text: str, variables: t.Mapping[str, str], beside: t.Collection[str]) -> Followed:
    # Every GRUB since 2.02 sets it.
    run = Followed(variables, beside, {"feature_timeout_style": "y"})
    run.follow(parse(text))
    return run


def default_of(run: Followed) -> Entry:
    item, inside = _find(run.items, run.default(), run)
    _refuse_other_file_systems(item, [*run.items, *inside.items])
    return entry_of(item, inside)


# --- Following -----------------------------------------------------------------------------


def _said(part: Part, values: t.Mapping[str, str | None]) -> str | None:
    """What nothing has set is empty."""
    if isinstance(part, str):
        return part
    said = values.get(part.name, None if BUILT_IN.fullmatch(part.name) else "")
    # Without quotes GRUB splits it at white space, and drops what is empty.
    return None if part.bare and not re.fullmatch(r"\S+", said or "") else said


def _set_by(command: Command, values: t.Mapping[str, str | None]) -> Assigned:
    """The variables that a command sets; what it sets them to is mostly not known."""
    words = command.words
    if command.name == "unset":
        return {str(word): "" for word in words[1:]}
    if command.name == "set":
        words = words[1:]
    elif "=" not in command.name:
        return dict.fromkeys(_set_by_option(words))
    found: Assigned = {}
    for word in words[:1]:
        name, equals, _value = str(word).partition("=")
        whole = word.expanded(values)
        found[name] = whole.partition("=")[2] if whole and equals else None
    return found


def _set_by_option(words: list[Word]) -> list[str]:
    """As "search --set=root" and "regexp -s 1:name" do; for a test, -s asks for a file."""
    text = " ".join(map(str, words))
    return [] if str(words[0]) in ("[", "test") else _SETS.findall(text)


def _commands(blocks: t.Iterable[Block], functions: t.Mapping[str, Block]) -> t.Iterator[Command]:
    """All commands in blocks, whether they are carried out or not, each function's once."""
    called = {**functions}
    left = list(itertools.chain(*blocks))
    while left:
        statement = left.pop(0)
        if isinstance(statement, Command):
            yield statement
            left[:0] = called.pop(statement.name, [])
        else:
            left[:0] = itertools.chain(*itertools.chain(*statement.branches))


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
    if not titles:
        raise NotUnderstoodError("it has an entry without a title")
    return (titles[0], *filter(None, identifiers))


def _text_of(word: Word | None) -> str:
    """What a word says; a name that GRUB makes is no name here."""
    return "" if word is None else word.text or ""


def _find(items: list[Item], path: str, run: Followed) -> tuple[Item, Followed]:
    """A default is a number, a title or an identifier; ">" leads into submenus."""
    name, _arrow, rest = path.partition(">")
    before = _up_to(items, name)
    if not before:
        raise NotUnderstoodError(f"it has no entry {path!r}")
    if not all(item.certain for item in before):
        raise NotUnderstoodError(f"whether its entry {path!r} is there cannot be told")
    item = before[-1]
    if "superusers" in run.values and "--unrestricted" not in map(str, item.command.words):
        raise NotUnderstoodError(f"its entry {item.names[0]!r} waits for a password")
    if item.command.name == "menuentry":
        return item, run
    inside = inside_of(item, run)
    return _find(inside.items, rest or "0", inside)


def inside_of(submenu: Item, run: Followed) -> Followed:
    # What is not exported is not seen in there.
    unknown = dict.fromkeys(run.values)
    inside = Followed(run.environment, run.beside, unknown, functions=run.functions)
    inside.follow(submenu.command.body)
    return inside


def _up_to(items: list[Item], name: str) -> list[Item]:
    """The entry that a name means, behind those on which that depends."""
    if re.fullmatch("0|[1-9][0-9]*", name):
        number = int(name[:9])
        return items[: number + 1] if len(name) < 10 and number < len(items) else []
    if re.match("[0-9]", name):
        # GRUB takes the number that it begins with.
        raise NotUnderstoodError(f"its default {name!r} begins with a number")
    return [item for item in items if name in item.names][:1]


def entry_of(item: Item, run: Followed) -> Entry:
    title = item.names[0]
    commands = [each for each in item.command.body if isinstance(each, Command)]
    _refuse_what_depends(title, commands, item.command.body, run.functions)
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
    cmdline = " ".join(map(_quoted, kernel[1:]))
    return Entry(title, kernel[0], tuple(initramfs), cmdline, item.names[-1])


def _refuse_what_depends(
    title: str, commands: list[Command], body: Block, functions: t.Mapping[str, Block]
) -> None:
    """What is not plainly carried out must not matter."""
    plain = set(map(id, commands))
    for command in _commands([body], functions):
        name = command.name
        if name in ELSEWHERE or "$" in name.partition("=")[0]:
            raise NotUnderstoodError(f"what follows {name!r} in its entry {title!r} cannot be told")
        if id(command) not in plain and name in LINUX | INITRD | OTHERS:
            raise NotUnderstoodError("what its default entry boots depends on a condition")


def _refuse_other_file_systems(item: Item, items: list[Item]) -> None:
    """Of several systems on a host, the files of the default one may not be those of this one."""
    own = _places(item.command.body)
    several = len({each for other in items for each in _places(other.command.body)}) > 1
    leaves = any("search" in str(place[:-1]) and place[-1][:6] != "search" for place in own)
    if leaves or (own and several):
        raise NotUnderstoodError("its entries are on several file systems")


def _places(body: Block) -> set[tuple[str, ...]]:
    """The commands by which each entry that starts Linux says where its files are."""
    commands = list(_commands([body], {}))
    found = {place for each in commands if each.name in ENTRIES for place in _places(each.body)}
    own = [
        each for each in commands if each.name.startswith("search") or "root" in _set_by(each, {})
    ]
    if own and any(each.name in LINUX for each in commands):
        found.add(tuple(" ".join(map(str, each.words)) for each in own))
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


def block_of(menu: str) -> str:
    """Where the variables are that outlive a boot."""
    return posixpath.join(posixpath.dirname(menu), _ENVIRONMENT)


def around(host: Host, path: str) -> tuple[dict[str, str], tuple[str, ...]]:
    variables = environment(host.text(block_of(path)) or "")
    return variables, host.names(posixpath.dirname(path))


def _read(host: Host, path: str, text: str) -> Entry:
    return default_entry(text, *around(host, path))


GRUB = Loader("grub", always(*MENUS), _read, type_ids=frozenset({7}))
