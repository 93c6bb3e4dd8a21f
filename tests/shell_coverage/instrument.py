# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shell programs that note which of their lines run.

The shell's own trace is no way to know: it shares its descriptor with what the programs say and
read back. So each line that begins a command begins with another one, which keeps the status of
the last command, and ends no program that ends at an error. It relies on the form that the programs
have: a line begins one command at most.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# What a line calls; a program begins with it. Bash hands it on to those that it starts, which have
# no text of their own.
_RAN = '_ran() {{ _status=$?; echo "{name} $1" >>"{file}"; return "$_status"; }}\n'
_HAND_ON = "export -f _ran\n"
_NOTE = "_ran {number} && :; "

# What ends a command, or only gives it a form.
_NO_COMMAND = re.compile(r"(?:(?:fi|done|esac)\b|[})]).*|else|then|do|\{|\(|;;|\w+\(\) \{")
_PATTERN = re.compile(r"\(?(?:[^\s()'\"`]|'[^']*'|\"[^\"]*\"|\\.| \| )+\)(?= |$)")
_CONTINUES = re.compile(r"(?:\\|\|\||&&|\|)$")
_DOCUMENT = re.compile(r"(?<!<)<<-?(?P<quote>['\"]?)(?P<end>[A-Za-z_]+)(?P=quote)")


@dataclass
class _Reader:
    """Where in the text a line is."""

    quote: str = ""
    continued: bool = False
    # The line that ends a text between the lines of the program.
    document: str = ""
    # Whether the next line is a pattern, for each case that is open.
    cases: list[bool] = field(default_factory=list)


def measured(text: str, name: str, file: str) -> str:
    """The text of a program that notes its name and each line that runs in a file."""
    # A file begins with the name of its shell.
    head = text[: text.index("\n") + 1] if text.startswith("#!") else ""
    hands_on = _HAND_ON if head.endswith("bash\n") else ""
    rest = instrument(text)[0].removeprefix(head)
    return head + _RAN.format(name=name, file=file) + hands_on + rest


def instrument(text: str) -> tuple[str, frozenset[int]]:
    """The text with a note before each command, and the numbers of the lines that have one."""
    reader = _Reader()
    lines = []
    noted = set()
    for number, line in enumerate(text.splitlines(), start=1):
        changed = _with_note(reader, number, line)
        if changed != line:
            noted.add(number)
        lines.append(changed)
    return "".join(f"{line}\n" for line in lines), frozenset(noted)


def _with_note(reader: _Reader, number: int, line: str) -> str:
    """The line, with a note if it begins a command."""
    code = line.strip()
    if reader.document:
        reader.document = "" if code == reader.document else reader.document
        return line
    begins = not (reader.quote or reader.continued)
    if begins and (not code or code.startswith("#")):
        return line
    reader.quote = quote_after(reader.quote, line)
    reader.continued = not reader.quote and bool(_CONTINUES.search(code))
    document = _DOCUMENT.search(code)
    reader.document = document["end"] if document else ""
    if not begins:
        _close(reader, code)
        return line
    return _place(reader, number, line, code)


def _place(reader: _Reader, number: int, line: str, code: str) -> str:
    indent = line[: len(line) - len(line.lstrip())]
    head, rest = _pattern_and_rest(reader, number, code)
    _close(reader, code)
    if rest.startswith("case "):
        reader.cases.append(True)
    if not rest or _NO_COMMAND.fullmatch(rest):
        return line
    if rest.startswith("elif "):
        head, rest = "elif ", rest.removeprefix("elif ")
    return f"{indent}{head}{_NOTE.format(number=number)}{rest}"


def _pattern_and_rest(reader: _Reader, number: int, code: str) -> tuple[str, str]:
    """What stands before a command on its line, and the command."""
    if not (reader.cases and reader.cases[-1]) or code.startswith("esac"):
        return "", code
    match = _PATTERN.match(code)
    if match is None:
        raise ValueError(f"line {number} is no pattern of a case: {code}")
    reader.cases[-1] = False
    return f"{match[0]} ", code[match.end() :].strip()


def _close(reader: _Reader, code: str) -> None:
    """Notice the end of a pattern's commands, or of a case."""
    if not reader.cases:
        return
    if code.endswith(";;"):
        reader.cases[-1] = True
    elif code.startswith("esac"):
        reader.cases.pop()


def quote_after(quote: str, line: str) -> str:
    """The quote that is open after a line."""
    escaped = False
    before = " "
    for char in line:
        if escaped:
            escaped = False
        elif char == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if char == quote else quote
        elif char == "#" and before in " \t;(":
            break
        elif char in "'\"":
            quote = char
        before = char
    return quote
