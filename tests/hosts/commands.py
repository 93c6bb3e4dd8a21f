# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Ansible and this collection send over ssh, as values; nothing of it is ever run."""

from __future__ import annotations

import re
import shlex
import typing as t
from dataclasses import dataclass

SHELLS = ("/bin/sh", "sh")
# What ansible-core puts behind each command.
ENDING = " && sleep 0"
BECOME_MARK = re.compile(r"echo (BECOME-SUCCESS-\w+) ; (.*)", re.DOTALL)
# The shell's variables that hold a script's arguments.
PARAMETER = re.compile(r"^(\w+)=\$\{?(\d+)\}?$", re.MULTILINE)
TRIGGER = re.compile(
    r"trap '' HUP; setsid (.*) </dev/null >/dev/null 2>&1 & printf '\\n%s\\n' (\S+)", re.DOTALL
)
TEMPORARY = re.compile(r'mkdir "` echo (\S+) `" && echo (\S+)="')
HOUSEKEEPING = re.compile(r"(chmod|rm|setfacl) ")


@dataclass(frozen=True)
class Home:
    """Where the user's home is."""


@dataclass(frozen=True)
class MakeTemporary:
    """A directory for files of a module, and the name by which its path is asked for."""

    path: str
    name: str


@dataclass(frozen=True)
class RunPython:
    """A module: a file on the host, or what comes over standard input."""

    path: str | None


@dataclass(frozen=True)
class Shell:
    """A script of this collection, with its arguments by position and by name."""

    name: str
    arguments: tuple[str, ...]
    named: t.Mapping[str, str]


@dataclass(frozen=True)
class Leave:
    """The order to leave the running system."""

    script: Shell
    acknowledgement: str


@dataclass(frozen=True)
class Housekeeping:
    """Modes and removal of temporary files."""

    removes: bool = False


@dataclass(frozen=True)
class Run:
    """Any other command."""

    text: str


Action = Home | MakeTemporary | RunPython | Shell | Leave | Housekeeping | Run


@dataclass(frozen=True)
class Become:
    """How the command wants to become root, and what it says once it is."""

    tool: str
    prompt: str | None
    mark: str


@dataclass(frozen=True)
class Request:
    """One command as it came over ssh."""

    action: Action
    become: Become | None = None


def parse(command: str) -> Request:
    """What is wanted, and as whom."""
    text = _inner(command)
    words = _split(text)
    for number, word in enumerate(words):
        found = BECOME_MARK.fullmatch(word)
        # Only what is not quoted within another command.
        if found is not None and number >= 2:
            become = Become(words[0].rpartition("/")[2], _prompt(words), found[1])
            return Request(_action(found[2]), become)
    return Request(_action(text))


def _inner(command: str) -> str:
    """The command that ansible-core wrapped."""
    words = _split(command)
    text = words[2] if len(words) == 3 and _is_shell(words) else command
    return text.removesuffix(ENDING)


def _is_shell(words: t.Sequence[str]) -> bool:
    return len(words) > 2 and words[0] in SHELLS and words[1] == "-c"


def _split(text: str) -> list[str]:
    """The words, none where quotes are not closed."""
    try:
        return shlex.split(text)
    except ValueError:
        return []


def _prompt(words: t.Sequence[str]) -> str | None:
    """The prompt that sudo is told to use, or the one of doas; None if nothing may be asked."""
    if "-p" in words:
        return words[words.index("-p") + 1]
    if words[0].endswith("doas") and "-n" not in words:
        return "doas (user@host) password: "
    return None


def _action(text: str) -> Action:
    trigger = TRIGGER.fullmatch(text)
    if trigger is not None:
        script = _shell(_split(trigger[1]))
        return Run(text) if script is None else Leave(script, shlex.split(trigger[2])[0])
    words = _split(text)
    return _shell(words) or _ansible(text, words) or Run(text)


def _shell(words: t.Sequence[str]) -> Shell | None:
    """A script of this collection is one argument of a shell, and its name the next."""
    if not _is_shell(words) or len(words) < 4 or not words[3].endswith(".sh"):
        return None
    arguments = tuple(words[4:])
    positions = {name: int(number) for name, number in PARAMETER.findall(words[2])}
    named = {
        name: arguments[number - 1]
        for name, number in positions.items()
        if 0 < number <= len(arguments)
    }
    return Shell(words[3], arguments, named)


def _ansible(text: str, words: t.Sequence[str]) -> Action | None:
    """What ansible-core needs to run a module."""
    if text.startswith("echo ~"):
        return Home()
    temporary = TEMPORARY.search(text)
    if temporary is not None:
        return MakeTemporary(temporary[1], temporary[2])
    if words and re.search(r"/python[\d.]*$", words[0]):
        return RunPython(words[1] if len(words) > 1 else None)
    return Housekeeping(text.startswith("rm ")) if HOUSEKEEPING.match(text) else None
