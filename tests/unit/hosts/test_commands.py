# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import shlex

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot import ports
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._transport import commands

from tests.hosts.commands import (
    Action,
    Become,
    Home,
    Housekeeping,
    Leave,
    MakeTemporary,
    Request,
    Run,
    RunPython,
    Shell,
    parse,
)

FOLDER = "/root/.ansible/tmp/ansible-tmp-1-2-3"
MARK = "BECOME-SUCCESS-abcdefgh"


def wrapped(text: str) -> str:
    """A command as ansible-core 2.19 sends it."""
    return shlex.join(["/bin/sh", "-c", f"{text} && sleep 0"])


def as_root(start: str, text: str) -> str:
    return f"{start} /bin/sh -c {shlex.quote(f'echo {MARK} ; {text}')}"


MADE = (
    '( umask 77 && mkdir -p "` echo /root/.ansible/tmp `"&& '
    f'mkdir "` echo {FOLDER} `" && echo ansible-tmp-1-2-3="` echo {FOLDER} `" )'
)
OF_CORE = [
    pytest.param("echo ~", Home(), id="home"),
    pytest.param("echo ~root", Home(), id="home of a user"),
    pytest.param(MADE, MakeTemporary(FOLDER, "ansible-tmp-1-2-3"), id="folder"),
    pytest.param(f"chmod u+x {FOLDER}/ {FOLDER}/x.py", Housekeeping(), id="mode"),
    pytest.param(f"rm -f -r {FOLDER}/ > /dev/null 2>&1", Housekeeping(removes=True), id="removal"),
    pytest.param("/usr/bin/python3", RunPython(None), id="module over input"),
    pytest.param(f"/usr/bin/python3 {FOLDER}/x.py", RunPython(f"{FOLDER}/x.py"), id="module"),
    pytest.param("/usr/bin/python3.12 x.py", RunPython("x.py"), id="python with a version"),
    pytest.param("cat /proc/sys/kernel/random/boot_id", None, id="boot id"),
    pytest.param("/sbin/reboot ", None, id="reboot"),
    pytest.param("echo 'not closed", None, id="quote that is not closed"),
]


@pytest.mark.parametrize(("text", "action"), OF_CORE)
def test_commands_of_core(text: str, action: Action | None) -> None:
    assert parse(wrapped(text)) == Request(action or Run(text))


@pytest.mark.parametrize("command", ["true", "uptime -p", ""])
def test_command_that_nobody_wrapped(command: str) -> None:
    assert parse(command) == Request(Run(command))


@pytest.mark.parametrize(
    ("start", "become"),
    [
        pytest.param("sudo -H -S -n  -u root", Become("sudo", None, MARK), id="sudo"),
        pytest.param(
            'sudo -H -S  -p "[sudo via ansible, key=abc] password:" -u root',
            Become("sudo", "[sudo via ansible, key=abc] password:", MARK),
            id="sudo with a password",
        ),
        pytest.param("doas  -n -u root", Become("doas", None, MARK), id="doas"),
        pytest.param(
            "/usr/bin/doas  -u root",
            Become("doas", "doas (user@host) password: ", MARK),
            id="doas with a password",
        ),
    ],
)
def test_way_to_become_root_is_peeled_off(start: str, become: Become) -> None:
    text = as_root(start, "/usr/bin/python3")
    assert parse(wrapped(text)) == Request(RunPython(None), become)


# --- This collection's own -----------------------------------------------------------------

DEPARTURE = ports.Departure(
    method="kexec",
    delay=0.5,
    limit=120.0,
    expires=4020,
    mark="mark",
    token="token",
    boot_id="boot",
    release="6.1",
)


@pytest.mark.parametrize("start", [None, "sudo -H -S -n  -u root"], ids=["root", "user"])
def test_order_to_leave(start: str | None) -> None:
    text = commands.leave(DEPARTURE)
    request = parse(wrapped(text if start is None else as_root(start, text)))
    assert (request.become is None) == (start is None)
    assert isinstance(request.action, Leave)
    assert request.action.acknowledgement == "mark"
    named = request.action.script.named
    assert (named["method"], named["delay"], named["token"]) == ("kexec", "0.500", "token")
    assert (named["limit"], named["boot"]) == ("120.000", "boot")


def test_question_which_boot_runs() -> None:
    request = parse(wrapped(commands.observe("nonce")))
    assert request == Request(Shell("observe.sh", ("nonce",), {}))


def test_confirmation() -> None:
    request = parse(wrapped(commands.confirm("token", "boot", "mark")))
    named = {"token": "token", "boot": "boot", "mark": "mark"}
    assert request == Request(Shell("confirm.sh", ("token", "boot", "mark"), named))


@pytest.mark.parametrize("command", ["whoami", "test -e '/a b' && true", "sh -c 'exit 3'"])
def test_command_of_the_user(command: str) -> None:
    request = parse(wrapped(commands.test(command, "boot", "mark")))
    named = {"boot": "boot", "mark": "mark", "command": command}
    assert request == Request(Shell("test.sh", ("boot", "mark", command), named))
