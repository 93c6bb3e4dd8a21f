# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The shell that runs on hosts, as commands: constant scripts with quoted arguments."""

from __future__ import annotations

import pathlib
import shlex

from .._reboot.health import Questions
from .._reboot.ports import Departure

SHELL = pathlib.Path(__file__).parent / "shell"
# Read before anything is ordered: afterwards a file may be that of another version, or no
# descriptor left to read it with, while the host is awaited.
_TEXTS = {path.name: path.read_text(encoding="utf-8") for path in SHELL.glob("*.sh")}


def observe(nonce: str) -> str:
    """The command that tells which boot runs."""
    return _command("observe.sh", nonce)


def confirm(token: str, boot_id: str, mark: str) -> str:
    """The command that tells a new system that it works, and acknowledges with the token."""
    return _command("confirm.sh", token, boot_id, mark)


def test(command: str, boot_id: str, mark: str) -> str:
    """The user's command, in a shell of its own: Ansible puts words behind what it is given."""
    return _command("test.sh", boot_id, mark, command)


def examine(questions: Questions, boot_id: str, mark: str, nonce: str, seconds: float) -> str:
    """The command that tells what works; each of its own commands has so many seconds."""
    return _command(
        "health.sh",
        boot_id,
        mark,
        nonce,
        _yes_or_no(questions.services),
        _yes_or_no(questions.ports),
        str(max(1, round(seconds))),
        *questions.commands,
    )


def memory(
    what: str, run: str, note: str, mark: str, nonce: str, *, controller_boot_id: str | None = None
) -> str:
    """The command that takes a host over, has it remember a note, or tells what it remembers."""
    return _command("memory.sh", what, run, note, controller_boot_id or "-", mark, nonce)


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "no"


def leave(departure: Departure) -> str:
    """The command that starts leaving, detached, and acknowledges with the mark.

    The hang-up of the connection is ignored before the fork: a child that does it for itself may
    lose the race against the end of its connection. The shell is the only place in which
    something is started in the background, because the host must be left after ssh has ended.
    """
    script = _command(
        "leave.sh",
        departure.method,
        f"{departure.delay:.3f}",
        f"{departure.limit:.3f}",
        departure.token,
        departure.boot_id,
        departure.release,
        departure.watchdog,
        str(departure.watchdog_limit),
        str(departure.expires),
        departure.mark,
    )
    # On a line of its own, whatever a login has printed before.
    acknowledge = rf"printf '\n%s\n' {shlex.quote(departure.mark)}"
    return f"trap '' HUP; setsid {script} </dev/null >/dev/null 2>&1 & {acknowledge}"


def _command(name: str, *arguments: str) -> str:
    return shlex.join(["sh", "-c", _TEXTS[name], name, *arguments])
