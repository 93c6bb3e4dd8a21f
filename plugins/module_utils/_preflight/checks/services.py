# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.
"""Services of somebody else that load an image, or jump into one, while the host goes down."""

from __future__ import annotations

import re
import typing as t

from ..._host.port import Host
from ..._reasons import Reason, reason
from .check import Check

RUNLEVELS = "/etc/runlevels"
SCRIPTS = "/etc/init.d"

# The command where a command stands, or in the settings of a service that OpenRC starts itself.
_KEXEC = re.compile(
    r"(?:^|[;&|({]|\b(?:then|do|else|if|exec|ewaitfile)\b)[ \t!]*(?:/[^ \t]*/)?kexec((?:[ \t]+[^ \t;&|)]+)+)"
)
_COMMAND = re.compile(r"^[ \t]*command=[\"']?(?:/[^ \t\"']*/)?kexec[\"']?[ \t]*$", re.MULTILINE)
_ARGUMENTS = re.compile(r"^[ \t]*command_args=[\"']?([^\"'\n]*)", re.MULTILINE)
# Loading for a crash (-p) is another matter.
_USES = ("--exec", "--load", "--force")
_FOR_A_CRASH = ("--load-panic", "--panic")
# No line of a script that means something is longer.
LINE = 4096
# What this collection's own services say of themselves.
_OURS = "/run/alpinefleet-kexec"


def read(host: Host) -> tuple[str, ...]:
    """The services of all runlevels that use kexec and are not ours."""
    levels = host.names(RUNLEVELS)
    enabled = {name for level in levels for name in host.names(f"{RUNLEVELS}/{level}")}
    scripts = {name: host.text(f"{SCRIPTS}/{name}") or "" for name in sorted(enabled)}
    return tuple(name for name, text in scripts.items() if _OURS not in text and uses(text))


def uses(script: str) -> bool:
    """Tell whether a script loads an image, or jumps into one."""
    commands = [
        words
        for line in script.replace("\\\n", " ").split("\n")
        for words in _KEXEC.findall(line.partition("#")[0][:LINE])
    ]
    if _COMMAND.search(script):
        commands += _ARGUMENTS.findall(script)
    return any(_is_for_a_boot(words.split()) for words in commands)


def _is_for_a_boot(words: list[str]) -> bool:
    short = "".join(word[1:] for word in words if re.fullmatch("-[a-z]+", word))
    for_a_crash = "p" in short or any(word.startswith(_FOR_A_CRASH) for word in words)
    return not for_a_crash and (bool(set(short) & set("elf")) or bool(set(words) & set(_USES)))


def judge(names: tuple[str, ...]) -> t.Iterator[Reason]:
    if names:
        yield reason(
            "kexec_services",
            f"The services {', '.join(names)} use kexec while the host goes down: they would replace "
            "the image, or jump where firmware was wanted.",
            "Take them out of their runlevels (rc-update del) and stop them, or let the role "
            "kexec_host do so.",
        )


SERVICES = Check("services", read, judge)
