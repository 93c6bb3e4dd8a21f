# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host says is taken where it has its form, and nothing else of it, whoever asks."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._preflight.state import Sysctl
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Reason
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fleet import audit
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._parsing.answer import (
    Answer,
    Watchdog,
    parse,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot import orders
from hypothesis import given
from hypothesis import strategies as st

BOOT_ID = "3b2d1f60-6f5c-4a0e-9f0d-6a1f0f3c9a77"
LOCKED = {"code": "kexec_locked", "message": "It is.", "remedy": "Unlock.", "blocks": "kexec"}
FACTS = {
    "firmware_kernel": "/boot/vmlinuz-lts",
    "hardware_id": "dmi:4C4C",
    "running_release": "6.18.38-0-virt",
    "running_cmdline": "quiet",
    "boot_loader": "extlinux",
    "reboot_needed": True,
    "reboot_needed_because": ["Another kernel."],
    "kexec_load_disabled": True,
    "lock_settings": [{"path": "/etc/sysctl.conf", "line": 3, "value": "1", "more": 1}],
    "platform": {"sys_vendor": "QEMU"},
    "hung": {"release": "6.18.56-0-virt", "time": None, "more": 1},
}
SAID: dict[str, t.Any] = {
    "failed": True,
    "changed": True,
    "stage": "load",
    "msg": "It is locked.",
    "able": False,
    "reasons": [LOCKED],
    "boot_id": BOOT_ID.upper(),
    "uptime": 12.5,
    "token": "t0ken",
    "watchdog": {"device": "/dev/watchdog0", "timeout": 60, "driver": "i6300esb"},
    "kernel": "/boot/vmlinuz-virt",
    "release": "6.18.56-0-virt",
    "diff": {"before": "", "after": "x"},
    "facts": FACTS,
}


def test_whole_answer() -> None:
    assert parse(SAID) == Answer(
        failed=True,
        changed=True,
        loading=True,
        said="It is locked.",
        reasons=(Reason("kexec_locked", "It is.", "Unlock.", "kexec"),),
        able=False,
        boot_id=BOOT_ID,
        uptime=12.5,
        hardware_id="dmi:4c4c",
        token="t0ken",
        watchdog=Watchdog("/dev/watchdog0", 60),
        kernel="/boot/vmlinuz-virt",
        release="6.18.56-0-virt",
        firmware_kernel="/boot/vmlinuz-lts",
        running_release="6.18.38-0-virt",
        running_cmdline="quiet",
        boot_loader="extlinux",
        reboot_needed=True,
        reboot_needed_because=("Another kernel.",),
        load_disabled=True,
        lock_settings=(Sysctl("/etc/sysctl.conf", 3, "1"),),
        platform={"sys_vendor": "QEMU"},
        hung={"release": "6.18.56-0-virt", "time": None},
        diff={"before": "", "after": "x"},
    )


@pytest.mark.parametrize(
    ("by_kexec", "cmdline", "ends_in_kexec"),
    [
        pytest.param(True, "quiet", True, id="no token"),
        pytest.param(True, "quiet alpinefleet_kexec.token=t0ken", False, id="token"),
        pytest.param(True, "quiet -- alpinefleet_kexec.token=t0ken", True, id="token of init"),
        pytest.param(False, "quiet", False, id="by firmware"),
        pytest.param(None, "quiet", False, id="not reported"),
        pytest.param("yes", "quiet", False, id="of another type"),
    ],
)
def test_boot_loader_that_ends_in_a_kexec_leaves_no_token(
    by_kexec: t.Any, cmdline: str, ends_in_kexec: bool
) -> None:
    facts = {**FACTS, "started_by_kexec": by_kexec, "running_cmdline": cmdline}
    found = parse({**SAID, "facts": facts})
    assert found.started_by_kexec is (by_kexec is True)
    assert found.loader_ends_in_kexec is ends_in_kexec


@pytest.mark.parametrize(
    ("said", "words"),
    [
        pytest.param({}, "", id="nothing"),
        pytest.param({"msg": " \n", "module_stderr": "\n"}, "", id="blanks"),
        pytest.param({"msg": 3, "module_stderr": ["x"]}, "", id="no texts"),
        pytest.param({"msg": " MODULE FAILURE "}, "MODULE FAILURE", id="message"),
        pytest.param(
            {"module_stderr": "sh: python3: not found\n"}, "sh: python3: not found", id="line"
        ),
        pytest.param(
            {"msg": "MODULE FAILURE", "module_stderr": "Traceback\n  File\nOSError: full\n"},
            "MODULE FAILURE OSError: full",
            id="message and last line",
        ),
        pytest.param({"module_stderr": "x" * 10**6}, "x" * 1000, id="huge"),
    ],
)
def test_words_of_a_module_that_did_not_run(said: dict[str, t.Any], words: str) -> None:
    found = parse(said)
    assert (found.reasons, found.said) == (None, words)


def test_whole_answer_has_no_defect_for_anybody() -> None:
    assert by_whom(SAID) == ([], [])


LINE = {"path": "/etc/sysctl.conf", "line": 3, "value": "1"}


@pytest.mark.parametrize(
    "wrong",
    [
        *({"line": each} for each in (0, -1, "3", 1.0, True, None, 10**9)),
        *({name: each} for name in ("path", "value") for each in (None, 1, ["x"])),
    ],
)
def test_lines_of_files_are_known_all_or_none(wrong: dict[str, t.Any]) -> None:
    found = parse({"facts": {"lock_settings": [LINE, {**LINE, **wrong}]}})
    assert (found.lock_settings, "lock_settings" in found.odd) == ((), True)
    assert parse({"facts": {"lock_settings": "said"}}).lock_settings == ()


@pytest.mark.parametrize("because", ["said", [1], {"a": 1}, ["x", None]])
def test_sentences_of_another_form_are_none(because: t.Any) -> None:
    assert parse({"facts": {"reboot_needed_because": because}}).reboot_needed_because == ()


# --- Garbage, as a host could send it ------------------------------------------------------


def by_whom(said: object) -> tuple[list[str], list[str]]:
    """The defects of an answer for the reboot, and for the audit."""
    found = parse(said)
    return found.defects(orders.ORDER_NEEDS), found.defects(audit.VERDICT_NEEDS, audit.VERDICT_USES)


def with_facts(**odd: t.Any) -> dict[str, t.Any]:
    return {"facts": {**FACTS, **odd}}


def with_reason(**odd: t.Any) -> dict[str, t.Any]:
    return {"reasons": [LOCKED, {**LOCKED, **odd}]}


REBOOT, AUDIT, BOTH, NOBODY = (True, False), (False, True), (True, True), (False, False)
STEERING = "\x1b[2J\x1b]0;web1\x07\u202e"

GARBAGE = [
    # Needed by somebody, and missing.
    pytest.param({"boot_id": None}, "boot_id", "its boot_id is None", REBOOT, id="no boot_id"),
    pytest.param({"uptime": None}, "uptime", "its uptime is None", REBOOT, id="no uptime"),
    pytest.param({"able": None}, "able", "its able is None", AUDIT, id="not able or unable"),
    pytest.param({"reasons": None}, "reasons", "its reasons is None", BOTH, id="no reasons"),
    pytest.param(
        with_facts(running_cmdline=None),
        "running_cmdline",
        "its running_cmdline is None",
        REBOOT,
        id="no command line",
    ),
    pytest.param(
        with_facts(reboot_needed=None),
        "reboot_needed",
        "its reboot_needed is None",
        AUDIT,
        id="need",
    ),
    pytest.param({"facts": None}, "boot_loader", "its reboot_needed is None", AUDIT, id="no facts"),
    # Of another type.
    pytest.param(
        {"facts": "x"}, "boot_loader", "its facts is 'x'", AUDIT, id="facts that are text"
    ),
    pytest.param(
        {"facts": {1: "x"}}, "boot_loader", "its facts is {1: 'x'}", AUDIT, id="number as a name"
    ),
    pytest.param({"able": "yes"}, "able", "its able is 'yes'", AUDIT, id="able in words"),
    pytest.param({"able": 1}, "able", "its able is 1", AUDIT, id="able as a number"),
    pytest.param(
        with_facts(reboot_needed=0),
        "reboot_needed",
        "its reboot_needed is 0",
        AUDIT,
        id="need as a number",
    ),
    pytest.param(
        with_facts(running_release=6),
        "running_release",
        "its running_release is 6",
        BOTH,
        id="release as a number",
    ),
    pytest.param(
        with_facts(boot_loader=["x"]),
        "boot_loader",
        "its boot_loader is ['x']",
        AUDIT,
        id="loader in a list",
    ),
    pytest.param(
        with_facts(platform="x"),
        "platform",
        "its platform is 'x'",
        AUDIT,
        id="platform that is text",
    ),
    pytest.param(
        with_facts(platform={"model": 1}),
        "platform",
        "its platform is {'model': 1}",
        AUDIT,
        id="model as a number",
    ),
    pytest.param(with_facts(hung=True), "hung", "its hung is True", AUDIT, id="jump that is true"),
    pytest.param(
        with_facts(hung={"time": 1}),
        "hung",
        "its hung is {'time': 1}",
        AUDIT,
        id="time as a number",
    ),
    pytest.param(
        {"reasons": {}}, "reasons", "its reasons is {}", BOTH, id="reasons in a dictionary"
    ),
    # Of its type and of another form.
    pytest.param({"boot_id": "b00t"}, "boot_id", "its boot_id is 'b00t'", REBOOT, id="boot_id"),
    pytest.param({"uptime": -1}, "uptime", "its uptime is -1", REBOOT, id="uptime below zero"),
    pytest.param(
        {"uptime": True}, "uptime", "its uptime is True", REBOOT, id="uptime that is true"
    ),
    pytest.param({"uptime": float("nan")}, "uptime", "its uptime is nan", REBOOT, id="no number"),
    pytest.param(
        {"uptime": 10**400},
        "uptime",
        f"its uptime is 1{'0' * 96}...",
        REBOOT,
        id="uptime without end",
    ),
    pytest.param(
        {"boot_id": STEERING},
        "boot_id",
        f"its boot_id is {STEERING!r}",
        REBOOT,
        id="what steers a terminal",
    ),
    pytest.param(
        {"boot_id": "b" * 10**6},
        "boot_id",
        f"its boot_id is '{'b' * 96}...",
        REBOOT,
        id="huge boot_id",
    ),
    pytest.param(
        {"reasons": [LOCKED] * 101},
        "reasons",
        "its reasons is [{'code'",
        BOTH,
        id="too many reasons",
    ),
    # Nobody needs them.
    pytest.param({"token": "a b"}, "token", "", NOBODY, id="token with a space"),
    pytest.param({"token": ["t0ken"]}, "token", "", NOBODY, id="token in a list"),
    pytest.param({"token": "t" * 65}, "token", "", NOBODY, id="token too long"),
    pytest.param(
        {"watchdog": "/dev/watchdog0"}, "watchdog", "", NOBODY, id="watchdog that is text"
    ),
    pytest.param(
        {"watchdog": {"device": 1, "timeout": 1}}, "watchdog", "", NOBODY, id="device as a number"
    ),
    pytest.param(
        {"watchdog": {"device": "x", "timeout": "1"}}, "watchdog", "", NOBODY, id="timeout in words"
    ),
    pytest.param(
        {"watchdog": {"device": "x", "timeout": True}},
        "watchdog",
        "",
        NOBODY,
        id="timeout that is true",
    ),
    pytest.param({"kernel": 7}, "kernel", "", NOBODY, id="kernel as a number"),
    pytest.param({"release": {}}, "release", "", NOBODY, id="release in a dictionary"),
    pytest.param(
        with_facts(firmware_kernel=[]), "firmware_kernel", "", NOBODY, id="default in a list"
    ),
    pytest.param(with_facts(hardware_id=1), "hardware_id", "", NOBODY, id="hardware number"),
    pytest.param(with_facts(hardware_id="4c4c"), "hardware_id", "", NOBODY, id="number of no kind"),
]


@pytest.mark.parametrize(("odd", "name", "defect", "whose"), GARBAGE)
def test_what_has_another_form_is_not_known_and_told_to_who_needs_it(
    odd: dict[str, t.Any], name: str, defect: str, whose: tuple[bool, bool]
) -> None:
    said = {**SAID, **odd}
    assert getattr(parse(said), name) is None
    found = by_whom(said)
    told = [[each for each in defects if each.startswith(defect)] for defects in found]
    assert tuple(map(bool, told)) == whose
    assert all(text.isprintable() and len(text) < 150 for defects in found for text in defects)


@pytest.mark.parametrize(
    ("odd", "shown"),
    [
        pytest.param({"reasons": ["x"]}, "'x'", id="text"),
        pytest.param({"reasons": [None]}, "None", id="null"),
        pytest.param({"reasons": [{"code": "a"}]}, "{'code': 'a'}", id="no message"),
        pytest.param(with_reason(code="Kexec locked"), "{'code': 'Kexec locked'", id="code"),
        pytest.param(with_reason(code="a" * 65), "{'code': 'aaa", id="long code"),
        pytest.param(with_reason(code=STEERING), "{'code': '\\x1b[2J", id="steering code"),
        pytest.param(with_reason(message=None), "{'code': 'kexec_locked'", id="message"),
        pytest.param(with_reason(remedy=["x"]), "{'code': 'kexec_locked'", id="remedy"),
        pytest.param(with_reason(blocks="all"), "{'code': 'kexec_locked'", id="level"),
        pytest.param(
            with_reason(blocks=["kexec"]), "{'code': 'kexec_locked'", id="level in a list"
        ),
    ],
)
def test_reason_that_is_none_is_told_to_everybody(odd: dict[str, t.Any], shown: str) -> None:
    for defects in by_whom({**SAID, **odd}):
        (defect,) = defects
        assert defect.startswith(f"a reason is {shown}")
        assert defect.isprintable()
        assert len(defect) < 150


@pytest.mark.parametrize("said", [None, [], "x", 3, {1: 2}])
def test_what_is_no_answer_says_nothing(said: object) -> None:
    assert parse(said) == Answer()


ODD: list[t.Any] = [
    None,
    True,
    0,
    1.5,
    float("nan"),
    "",
    "x",
    STEERING,
    [],
    ["x"],
    [None],
    {},
    {"code": 1},
    {"x": {}},
]


@given(
    st.dictionaries(st.sampled_from(sorted(SAID)), st.sampled_from(ODD)),
    st.dictionaries(st.sampled_from(sorted(FACTS)), st.sampled_from(ODD)),
)
def test_any_answer_is_parsed(odd: dict[str, t.Any], facts: dict[str, t.Any]) -> None:
    said = {**SAID, **with_facts(**facts), **odd}
    found = parse(said)
    assert found.reasons is None or all(isinstance(each, Reason) for each in found.reasons)
    assert all(text.isprintable() for defects in by_whom(said) for text in defects)
