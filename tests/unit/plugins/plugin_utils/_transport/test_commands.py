# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scripts become commands whose arguments cannot be taken for shell."""

from __future__ import annotations

import re
import shlex
import typing as t
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.health import Questions
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.ports import Departure
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._transport import commands

LEAVE = (commands.SHELL / "leave.sh").read_text(encoding="utf-8")
OBSERVE = (commands.SHELL / "observe.sh").read_text(encoding="utf-8")


def leave(token: str = "t0ken", boot_id: str = "b00t", limit: float = 120.0) -> str:
    return commands.leave(
        Departure("kexec", token, boot_id, 0.5, limit, 4020, "mark", "6.18", "/dev/watchdog0", 60)
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda: commands.observe("n0nce"),
        lambda: commands.test("true", "b00t", "mark"),
        lambda: commands.confirm("t0ken", "b00t", "mark"),
        lambda: commands.examine(Questions(True, True), "b00t", "mark", "n0nce", 5.0),
        lambda: commands.memory("take", "r1", "", "mark", "n0nce"),
    ],
    ids=["observe", "test", "confirm", "examine", "memory"],
)
def test_command_after_the_order_reads_no_file(
    make: t.Callable[[], str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = make()
    monkeypatch.setattr(commands, "SHELL", tmp_path)
    assert make() == before


def test_observe_passes_the_whole_script_and_its_nonce() -> None:
    words = shlex.split(commands.observe("n0nce"))
    assert words == ["sh", "-c", OBSERVE, "observe.sh", "n0nce"]


def test_confirm_passes_the_whole_script_and_whom_it_is_for() -> None:
    confirm = (commands.SHELL / "confirm.sh").read_text(encoding="utf-8")
    words = shlex.split(commands.confirm("t0ken", "b00t", "mark"))
    assert words == ["sh", "-c", confirm, "confirm.sh", "t0ken", "b00t", "mark"]


@pytest.mark.parametrize("yes", [True, False])
@pytest.mark.parametrize(("seconds", "word"), [(-1.0, "1"), (0.4, "1"), (60.6, "61")])
def test_examine_passes_the_whole_script_and_the_questions(
    yes: bool, seconds: float, word: str
) -> None:
    script = (commands.SHELL / "health.sh").read_text(encoding="utf-8")
    asked = Questions(services=yes, ports=not yes, commands=("true", "nginx -t"))
    words = shlex.split(commands.examine(asked, "b00t", "mark", "n0nce", seconds))
    both = ["yes", "no"] if yes else ["no", "yes"]
    told = ["b00t", "mark", "n0nce", *both, word, "true", "nginx -t"]
    assert words == ["sh", "-c", script, "health.sh", *told]


def test_memory_passes_the_whole_script_and_what_is_to_be_remembered() -> None:
    script = (commands.SHELL / "memory.sh").read_text(encoding="utf-8")
    words = shlex.split(commands.memory("keep", "r1", "down\n$(id)", "mark", "n0nce"))
    told = ["keep", "r1", "down\n$(id)", "-", "mark", "n0nce"]
    assert words == ["sh", "-c", script, "memory.sh", *told]
    known = commands.memory("tell", "-", "", "mark", "n0nce", controller_boot_id="3b2d")
    assert shlex.split(known)[-3:] == ["3b2d", "mark", "n0nce"]


def test_test_passes_the_whole_script_and_the_command() -> None:
    script = (commands.SHELL / "test.sh").read_text(encoding="utf-8")
    words = shlex.split(commands.test("rc-status -q", "b00t", "mark"))
    assert words == ["sh", "-c", script, "test.sh", "b00t", "mark", "rc-status -q"]


def test_leave_passes_the_whole_script_and_its_arguments() -> None:
    words = shlex.split(leave())
    script = words[words.index("setsid") + 1 : words.index("</dev/null")]
    assert script[:4] == ["sh", "-c", LEAVE, "leave.sh"]
    assert script[4:] == [
        "kexec",
        "0.500",
        "120.000",
        "t0ken",
        "b00t",
        "6.18",
        "/dev/watchdog0",
        "60",
        "4020",
        "mark",
    ]


@pytest.mark.parametrize("limit", [0.00001, 1e6, 1e15], ids=["tiny", "days", "for ever"])
def test_leave_writes_times_as_the_shell_of_alpine_reads_them(limit: float) -> None:
    # Its sleep knows no exponents, and a guard that does not sleep would end the shutdown at once.
    words = shlex.split(leave(limit=limit))
    assert re.fullmatch(r"\d+\.\d+", words[words.index("t0ken") - 1])


def test_leave_ignores_the_hang_up_before_it_forks() -> None:
    assert leave().startswith("trap '' HUP; setsid sh -c ")


def test_leave_holds_nothing_of_the_connection() -> None:
    assert " </dev/null >/dev/null 2>&1 & " in leave()


def test_leave_ends_with_a_command_that_succeeds_at_once() -> None:
    # Ansible appends to it, and nothing may follow an "&".
    assert leave().endswith(r"& printf '\n%s\n' mark")


@pytest.mark.parametrize("text", ["$(reboot -f)", "'; reboot -f; '", "a b"])
def test_arguments_are_quoted(text: str) -> None:
    words = shlex.split(leave(token=text, boot_id=text))
    assert words.count(text) == 2
    assert shlex.split(commands.observe(text))[-1] == text
    assert shlex.split(commands.confirm(text, text, text))[-3:] == [text] * 3
    assert shlex.split(commands.test(text, text, text))[-3:] == [text] * 3
    asked = Questions(services=True, ports=True, commands=(text,))
    words = shlex.split(commands.examine(asked, text, text, text, 1.0))
    assert words[-7:] == [text, text, text, "yes", "yes", "1", text]
