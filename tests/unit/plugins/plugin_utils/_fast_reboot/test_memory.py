# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host remembers: written and read, and read from whatever it says."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot import memory
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot.memory import Memory
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._parsing import values
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._transport import commands
from ansible_collections.alpinefleet.kexec.tests.unit import reboots

RUN = "5f2b6c0e9d1a4f3b8c7d6e5f4a3b2c1d"
ORDER = reboots.order(services=["sshd"])


@pytest.mark.parametrize(
    "told",
    [
        Memory(RUN, "begun"),
        Memory(RUN, "begun", drained=("a", "b b", 'c"')),
        Memory(RUN, "begun", findings=("service nginx", "Grüße")),
        Memory(RUN, "begun", drained=("a",), order=ORDER, services=("crond", "sshd")),
    ],
    ids=["nothing", "hooks", "findings", "all"],
)
@pytest.mark.parametrize("progress", memory.PROGRESS)
def test_host_remembers_what_it_is_told(progress: memory.Progress, told: Memory) -> None:
    told = replace(told, progress=progress)
    assert memory.parse(f"{RUN} {told.as_text()}\n") == told
    assert values.parse(Memory, json.loads(json.dumps(asdict(told)))) == told


def test_what_was_found_leaves_room_for_what_was_ordered() -> None:
    told = Memory(RUN, "unhealthy", ("a",), ("\U0001f600" * 9000,) * 99, ORDER, ("crond",))
    assert len(f"{RUN} {told.as_text()}".encode()) <= memory.BYTES
    found = memory.parse(f"{RUN} {told.as_text()}")
    assert found is not None
    assert (found.drained, found.order, found.services) == (("a",), ORDER, ("crond",))
    assert found.findings
    assert set(map(len, found.findings)) == {memory.FINDING}


def test_note_is_cut_between_lines_where_the_host_would_cut_it() -> None:
    many = tuple(f"{'x' * 200}{number}" for number in range(150))
    told = Memory(RUN, "down", ("a",), order=ORDER, services=many)
    note = f"{RUN} {told.as_text()}\n"
    assert memory.BYTES - 250 < len(note.encode()) <= memory.BYTES
    found = memory.parse(note)
    assert found is not None
    assert (found.drained, found.order) == (("a",), ORDER)
    assert found.services == many[: len(found.services)]


def test_order_with_hundreds_of_services_is_kept_beside_as_many_hooks_as_there_may_be() -> None:
    services = [f"service-{number}" for number in range(450)]
    names = tuple(f"hook {number}" for number in range(memory.HOOKS_LINES))
    assert memory.hooks_that_fit(names) == len(names)
    told = Memory(RUN, "down", names, order={**ORDER, "services": [*services]})
    found = memory.parse(f"{RUN} {told.as_text()}")
    assert found is not None
    assert (found.drained, found.order is not None) == (names, True)
    assert sorted(found.required) == sorted(services)


def test_note_has_no_more_lines_than_are_looked_at() -> None:
    told = Memory(RUN, "down", services=tuple(map(str, range(300))), findings=("port 1",))
    note = f"{RUN} {told.as_text()}"
    assert len(note.splitlines()) == memory.LINES
    found = memory.parse(note)
    assert found is not None
    assert len(found.services) == memory.LINES - 1


def test_host_keeps_as_much_of_a_note_as_a_run_leaves_and_in_its_place() -> None:
    script = (commands.SHELL / "memory.sh").read_text(encoding="utf-8")
    assert re.findall(r"head -c (\d+)", script) == [str(memory.BYTES)]
    folder, name = (
        re.search(rf"^{each}=(.+)$", script, re.MULTILINE) for each in ("state", "place")
    )
    assert folder is not None
    assert name is not None
    assert name[1].replace("$state", folder[1]) == memory.PLACE


def test_services_that_must_run_are_those_of_all_reboots_since_it_was_well() -> None:
    found = Memory(RUN, "ended", order=ORDER, services=("crond", "sshd"))
    assert found.required == ("crond", "sshd")
    assert Memory(RUN, "ended", order={**ORDER, "services": None}).required == ()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("\n\n", id="empty lines"),
        pytest.param('drained "a"', id="no head"),
        pytest.param(RUN[:-1], id="half a name"),
        pytest.param(f"{RUN} down more", id="more in the head"),
        pytest.param("\0" * 512, id="zeros"),
        pytest.param(f"{RUN.upper()} down", id="capitals"),
    ],
)
def test_what_is_no_note_is_none(text: str) -> None:
    assert memory.parse(text) is None


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([], Memory(RUN, "drain"), id="nothing"),
        pytest.param(['drained "a"', 'drained "a"'], Memory(RUN, "drain", ("a",)), id="twice"),
        pytest.param(
            ["drained a", "drained 7", 'drained ["b"]', "drained", 'drain "c"'],
            Memory(RUN, "drain"),
            id="no texts",
        ),
        pytest.param(["order []", "order 7", "order {"], Memory(RUN, "drain"), id="no orders"),
        pytest.param(
            ['order {"a": 1}', 'order {"a": 2}'],
            Memory(RUN, "drain", order={"a": 1}),
            id="two orders",
        ),
        pytest.param(["order " + "[" * 5000], Memory(RUN, "drain"), id="deep"),
        pytest.param(['order {"a": [["b"]]}'], Memory(RUN, "drain"), id="lists in lists"),
        pytest.param(['order {"a": Infinity}'], Memory(RUN, "drain"), id="no end"),
        pytest.param(['order {"a": 1e999}'], Memory(RUN, "drain"), id="no end, in digits"),
        pytest.param(['order {"a": 1.5}'], Memory(RUN, "drain"), id="no whole number"),
        pytest.param([f'order {{"a": {10**400}}}'], Memory(RUN, "drain"), id="too large"),
        pytest.param(
            ['finding "\\u001b[2J"'], Memory(RUN, "drain", findings=(r"\x1b[2J",)), id="escapes"
        ),
    ],
)
def test_what_a_host_says_is_read_as_far_as_it_has_its_form(
    lines: list[str], expected: Memory
) -> None:
    assert memory.parse("\n".join([f"{RUN} drain", *lines])) == expected


def test_progress_that_is_not_known_is_the_first_one() -> None:
    assert memory.parse(f"{RUN} later") == Memory(RUN, "begun")
    assert memory.parse(RUN) == Memory(RUN, "begun")


def test_more_lines_than_any_run_leaves_are_not_looked_at() -> None:
    many = [f'drained "{number}"' for number in range(10000)]
    found = memory.parse("\n".join([f"{RUN} drain", *many]))
    assert found is not None
    assert len(found.drained) < memory.LINES
