# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a host is well: what it says of itself against what is wanted of it."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot import health
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.health import (
    Examination,
    Health,
    Questions,
)

NONCE = "a1b2c3d4e5f60718"
NOTHING_WANTED = Health(
    services=False,
    required_services=(),
    ignore_services=(),
    commands=(),
    ports=(),
    timeout=120.0,
    stable_seconds=0.0,
)
WELL = Examination(
    rc_status=0, started=frozenset({"sshd", "nginx"}), ports=frozenset({22, 80}), commands=()
)


def wanted(**given: t.Any) -> Health:
    return replace(NOTHING_WANTED, **given)


def well(**given: t.Any) -> Examination:
    return replace(WELL, **given)


# --- What is wrong --------------------------------------------------------------------------

BEFORE = ("nginx", "sshd")
TRUE, NGINX = ("true",), ("nginx", "-t", "-c", "/etc/a b")


@pytest.mark.parametrize(
    ("asked", "before", "found", "expected"),
    [
        pytest.param(wanted(), BEFORE, well(), [], id="nothing is wanted"),
        pytest.param(wanted(services=True), BEFORE, well(), [], id="all run again"),
        pytest.param(
            wanted(services=True),
            (*BEFORE, "dbus", "acpid"),
            well(),
            ["service dbus", "service acpid"],
            id="two are missing",
        ),
        pytest.param(wanted(), ("dbus",), well(), [], id="nobody asks what ran before"),
        pytest.param(
            wanted(services=True, ignore_services=("dbus",)),
            ("dbus", "acpid"),
            well(),
            ["service acpid"],
            id="one need not run",
        ),
        pytest.param(
            wanted(services=True, ignore_services=("dbus,acpid", "db")),
            ("dbus",),
            well(),
            ["service dbus"],
            id="a part of a name is none",
        ),
        pytest.param(
            wanted(required_services=("postgresql",)),
            (),
            well(),
            ["service postgresql"],
            id="one that did not run before",
        ),
        pytest.param(
            wanted(services=True, required_services=("dbus",)),
            ("dbus",),
            well(),
            ["service dbus"],
            id="wanted twice",
        ),
        pytest.param(
            wanted(services=True),
            BEFORE,
            well(rc_status=1, started=frozenset()),
            ["services: rc-status ended with 1"],
            id="it cannot tell which run",
        ),
        pytest.param(
            wanted(services=True),
            BEFORE,
            well(rc_status=127, rc_said="rc-status: not found"),
            ["services: rc-status ended with 127: rc-status: not found"],
            id="it says why it cannot",
        ),
        pytest.param(
            wanted(services=True),
            BEFORE,
            well(rc_status=None),
            ["services: rc-status ended with None"],
            id="it does not tell which run",
        ),
        pytest.param(wanted(ports=(22, 80)), (), well(), [], id="ports"),
        pytest.param(wanted(ports=(443, 22)), (), well(), ["port 443"], id="a port is closed"),
        pytest.param(wanted(commands=(TRUE,)), (), well(commands=(0,)), [], id="a command"),
        pytest.param(
            wanted(commands=(TRUE, NGINX)),
            (),
            well(commands=(0, 143)),
            ["command nginx -t -c '/etc/a b': exit status 143"],
            id="a command fails",
        ),
        pytest.param(
            wanted(commands=(TRUE, NGINX)),
            (),
            well(commands=(1, 2), said={1: "no such file"}),
            [
                "command true: exit status 1",
                "command nginx -t -c '/etc/a b': exit status 2: no such file",
            ],
            id="one of two says why",
        ),
        pytest.param(
            wanted(services=True, commands=(TRUE,), ports=(81,)),
            ("dbus",),
            well(commands=(1,)),
            ["service dbus", "command true: exit status 1", "port 81"],
            id="all at once",
        ),
    ],
)
def test_findings(
    asked: Health, before: tuple[str, ...], found: Examination, expected: list[str]
) -> None:
    assert health.findings(asked, before, found) == expected


@pytest.mark.parametrize(
    ("asked", "before", "expected"),
    [
        pytest.param(wanted(), BEFORE, Questions(False, False), id="nothing"),
        pytest.param(wanted(services=True), BEFORE, Questions(True, False), id="services"),
        pytest.param(wanted(services=True), (), Questions(False, False), id="none ran before"),
        pytest.param(
            wanted(required_services=("a",)), (), Questions(True, False), id="one that must run"
        ),
        pytest.param(
            wanted(ports=(22,), commands=(NGINX,)),
            (),
            Questions(False, True, ("nginx -t -c '/etc/a b'",)),
            id="ports and commands",
        ),
    ],
)
def test_only_what_is_wanted_is_asked(
    asked: Health, before: tuple[str, ...], expected: Questions
) -> None:
    assert health.questions(asked, before) == expected


# --- What the host says ---------------------------------------------------------------------


def answer(*lines: str, before: str = "", end: str = f"END {NONCE}") -> str:
    return "\n".join([f"{before}\nBEGIN {NONCE}", *lines, end, ""])


NOTHING = Examination(None, frozenset(), frozenset(), ())


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param((), NOTHING, id="nothing"),
        pytest.param(("rc-status 0",), replace(NOTHING, rc_status=0), id="no service"),
        pytest.param(
            (
                "rc-status 0",
                "service [default]",
                "service sshd =  started",
                "service nginx =  crashed ",
                "service ntpd =  started 00:10:02 (0)",
                "service crond = stopped",
                "service started-not =  starting",
                "service a b =  started",
                "service ",
                "",
            ),
            replace(NOTHING, rc_status=0, started=frozenset({"sshd", "ntpd"})),
            id="services",
        ),
        pytest.param(
            ("service a\x1b[2J =  started",),
            replace(NOTHING, started=frozenset({r"a\x1b[2J"})),
            id="a name that cannot be shown",
        ),
        pytest.param(
            ("rc-status x", "service a =  started"),
            replace(NOTHING, rc_status=-1, started=frozenset({"a"}), rc_said="a = started"),
            id="a status that is none",
        ),
        pytest.param(
            ("rc-status 1", "service first", "service  * it\x1b[2J is locked", "service "),
            replace(NOTHING, rc_status=1, rc_said="* it [2J is locked"),
            id="why it failed",
        ),
        pytest.param(
            (f"rc-status 1\nservice {'x' * 300}",),
            replace(NOTHING, rc_status=1, rc_said=f"{'x' * 197}..."),
            id="a long line",
        ),
        pytest.param(
            ("rc-status 1",), replace(NOTHING, rc_status=1), id="a failure without a word"
        ),
        pytest.param(
            ("port 0016", "port 01BB", "port 1bb", "port", "port 00160", "port -001"),
            replace(NOTHING, ports=frozenset({22, 443, -1})),
            id="ports",
        ),
        pytest.param(("saying 1", "more"), NOTHING, id="something else"),
    ],
)
def test_answer_is_read(lines: tuple[str, ...], expected: Examination) -> None:
    assert health.parse(answer(*lines), NONCE, 0) == expected


def test_statuses_of_commands_are_read_by_their_numbers() -> None:
    found = health.parse(answer("command 1 0", "command 0 127"), NONCE, 2)
    assert found == replace(NOTHING, commands=(127, 0))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("said 0 no such file", {0: "no such file"}, id="words"),
        pytest.param("said 0 \tred\x1b[31m\u202e \n", {0: "red [31m"}, id="what a terminal obeys"),
        pytest.param(f"said 0 {'x' * 300}", {0: f"{'x' * 197}..."}, id="too many words"),
        pytest.param("said x no number", {-1: "no number"}, id="of no command"),
    ],
)
def test_last_line_of_a_command_is_one_that_can_be_shown(
    line: str, expected: dict[int, str]
) -> None:
    found = health.parse(answer("command 0 1", line), NONCE, 1)
    assert found == replace(NOTHING, commands=(1,), said=expected)


@pytest.mark.parametrize("noise", ["Welcome!", "BEGIN other\ncommand 0 0\nEND other"])
def test_what_a_login_prints_is_no_answer(noise: str) -> None:
    text = answer("command 0 1", before=noise).replace("\n", "\r\n")
    assert health.parse(text, NONCE, 1) == replace(NOTHING, commands=(1,))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param(answer("command 0 0", end=""), id="cut"),
        pytest.param(answer("command 0 0").replace(NONCE, "0" * 16), id="that of another call"),
        pytest.param(answer(), id="a command is missing"),
        pytest.param(answer("command 0 0", "command 1 0"), id="a command too many"),
        pytest.param(answer("command x 0"), id="a number that is none"),
    ],
)
def test_answer_that_is_not_whole_is_none(text: str) -> None:
    assert health.parse(text, NONCE, 1) is None
