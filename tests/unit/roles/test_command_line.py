# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two programs take the running command line apart: the service and the modules, to one result."""

from __future__ import annotations

import random

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils import _cmdline
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError
from ansible_collections.alpinefleet.kexec.tests.unit.roles.service_host import UUID, ServiceHost

TOKEN, ADDED = _cmdline.TOKEN_PARAMETER, _cmdline.ADDED_PARAMETER

LINES: dict[str, str] = {
    "nothing": "",
    "white space": " \t ",
    "one word": "quiet",
    "spaces around and between": "  root=/dev/vda1   quiet ",
    "tabs": "root=/dev/vda1\tquiet\t\tro",
    "a space inside quotes": 'root=/dev/vda1 dyndbg="file a.c +p" quiet',
    "a tab inside quotes": 'a="b\tc" d',
    "quotes around a parameter": '"a=b c" d',
    "quotes around a word": '"quiet" ro',
    "quotes inside a word": 'a=b" "c d',
    "quotes around nothing": 'a="" ""',
    "what is for init": "root=/dev/vda1 -- single",
    "what is for init, twice": "a -- b -- c",
    "nothing for init": "quiet --",
    "what is for init, with quotes": 'a "--" b initrd=c',
    "only for init": "-- single",
    "a word that begins with dashes": "--x a",
    "what the boot loader puts there": "BOOT_IMAGE=vmlinuz-virt root=/dev/vda1 initrd=a initrd=b",
    "what the boot loader puts behind": "root=/dev/vda1 -- single initrd=a",
    "names that only begin so": "initrds=1 BOOT_IMAGE2=a boot_image=b",
    "a name with a dash for an underscore": "BOOT-IMAGE=a kexec-jump-back-entry=1 quiet",
    "a name without a value": "initrd quiet",
    "a name in quotes": '"initrd=a b" "BOOT_IMAGE" quiet',
    "a value in quotes": 'initrd="a b" quiet',
    "what was there for one boot": f"{TOKEN}=a quiet alpinefleet_kexec.confirm=9 {ADDED}=",
    "what a slot is booted with": "alpinefleet_kexec.slot=a-b alpinefleet_kexec.trial=r quiet "
    "alpinefleet_kexec.deadline=9 alpinefleet_kexec.slots=1",
    "the same with a dash": f"{TOKEN.replace('_', '-')}=a quiet",
    "what was added": f"quiet panic=10 oops=panic {ADDED}=panic=10,oops=panic",
    "what was added before it is named": f"{ADDED}=panic=10 quiet panic=10 panic=20",
    "what was added, with quotes": f'quiet panic=10 {ADDED}="panic=10"',
    "what was added, and is for init, too": f"panic=10 {ADDED}=panic=10 -- panic=10",
    "what was added, by what is for init": f"b=c -- single {ADDED}=b=c",
    "what was added, said twice": f"a=1 b=2 {ADDED}=a=1 {ADDED}=b=2",
    "what was added, and nothing": f"a=1 quiet {ADDED}=a=1 {ADDED}",
    "what was added, and has no value": f"quiet {ADDED}=quiet",
    "what was added, and more is for init in quotes": f'a "--" b=c {ADDED}=b=c',
    "what was added behind what is for init in quotes": f'{ADDED}=b=c a "--" b=c',
    "an equals sign in a value": "root=UUID=1-2 a==b",
    "what the shell would read": "a=$HOME `id` $(id) 'b c' \\ * ; # d",
    "letters of many bytes": "a=Grüße quiet",
    "vertical tabs": "a\vinitrd=b\v\vquiet",
    "form feeds": "a\finitrd=b\f quiet\f",
    "carriage returns": "a\rinitrd=b\rquiet",
    "line feeds": "a\ninitrd=b\n\nquiet",
    "white space of all kinds inside quotes": 'a="b\v\f\r\nc" initrd="\f" quiet',
    "a quote that is open": 'quiet "initrd=a b',
    "a value in a quote that is open": 'a=1 b="c d',
    "a quote that is open behind a word": 'a b" c',
    "nothing in a quote that is open": 'a "',
    "for init in a quote that is open": 'a -- "b initrd=c',
    "what was added, in a quote that is open": f'quiet panic=10 "{ADDED}=panic=10',
    "quotes in a name": '"initrd"=a in"it"rd=b "BOOT_IMAGE"',
    "quotes that look like those for init": '--"" "-"- "--"" initrd=a',
    "more quotes around": '""initrd=a"" initrd=""b""',
}


def taken_apart(line: str) -> str:
    return _cmdline.join(_cmdline.strip_transient(_cmdline.running_words(line)))


def inherited(host: ServiceHost, lines: list[str]) -> list[str]:
    """What the service makes of each line, all in one run of it."""
    for number, line in enumerate(lines):
        host.write(f"lines/{number:04}", f"{line}\n")
    host.script(
        "kexec-load.initd",
        after='for each in "$root"/lines/*; do\n'
        'cat "$each" >"$root/proc/cmdline"; inherited_cmdline >"$each.out"\n'
        "done\n",
    )
    outputs = [host.root / f"lines/{number:04}.out" for number in range(len(lines))]
    return [output.read_bytes().decode().removesuffix("\n") for output in outputs]


def test_service_and_modules_take_the_same_line_apart_alike(host: ServiceHost) -> None:
    found = inherited(host, list(LINES.values()))
    assert dict(zip(LINES, found, strict=True)) == {
        name: taken_apart(line) for name, line in LINES.items()
    }


@pytest.mark.parametrize("seed", range(2))
def test_service_and_modules_agree_on_any_line(host: ServiceHost, seed: int) -> None:
    chance = random.Random(seed)
    pieces = [
        *'  \t\n\v\f\r"=a-_',
        "b=c",
        "--",
        ' "--" ',
        " -- ",
        "initrd=",
        "quiet",
        "BOOT_IMAGE=k",
    ]
    pieces += [f" {ADDED}=b=c ", f" {ADDED}=quiet,b=c ", f" {ADDED} ", f' {ADDED}="b=c"']
    lines = ["".join(chance.choices(pieces, k=chance.randrange(12))) for _number in range(200)]
    found = zip(lines, inherited(host, lines), strict=True)
    assert {line: mine for line, mine in found if mine != taken_apart(line)} == {}


ARCHITECTURES = [*_cmdline.LIMITS, "x86_64", "aarch64"]


@pytest.mark.parametrize("over", [0, 1], ids=["fits", "does not"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_service_and_modules_take_a_line_of_the_same_length(
    host: ServiceHost, architecture: str, over: int
) -> None:
    host.write("machine", f"{architecture}\n")
    limit = _cmdline.LIMITS.get(architecture, _cmdline.DEFAULT_LIMIT)
    # One byte is the end, and the token comes first.
    rest = "x" * (limit - 1 - len(f"{TOKEN}={UUID} ") + over)
    log = host.service("kexec-load", 'choose_image && log "taken"', kexec_cmdline=rest)
    assert (log == ["taken"]) is not bool(over)
    line = f"{TOKEN}={UUID} {rest}"
    if over:
        with pytest.raises(ReasonError):
            _cmdline.check(line, architecture)
    else:
        _cmdline.check(line, architecture)
