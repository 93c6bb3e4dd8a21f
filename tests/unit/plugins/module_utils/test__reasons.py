# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reasons: the vocabulary is sound, and what a user may ignore becomes advice."""

from __future__ import annotations

import re
import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils import _reasons
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import (
    Blocks,
    Reason,
    ReasonError,
    reason,
)
from hypothesis import given
from hypothesis import strategies as st

LOCKED = Reason("kexec_locked", "It is locked.", "Unlock it.", "kexec")
MEMORY = Reason("memory_low", "There is too little.", "Stop services.", "kexec")
MISSING = Reason("kernel_missing", "It is gone.", "Install it.", "reboot")
DRIFT = Reason("cmdline_drift", "It differs.", "Nothing.", "nothing")
ALL = (LOCKED, MEMORY, MISSING, DRIFT)

LEVELS: dict[str, tuple[tuple[Blocks, ...], tuple[Reason, ...]]] = {
    "no level": ((), ()),
    "kexec": (("kexec",), (LOCKED, MEMORY)),
    "reboot": (("reboot",), (MISSING,)),
    "any obstacle": (("kexec", "reboot"), (LOCKED, MEMORY, MISSING)),
    "advice": (("nothing",), (DRIFT,)),
}

IGNORABLE = (
    "initramfs_mismatch",
    "kexec_hung",
    "memory_low",
    "modules_missing",
    "platform_denied",
    "starts_no_linux",
)

CODES = st.lists(st.sampled_from(sorted(_reasons.VOCABULARY)))


@pytest.mark.parametrize("code", _reasons.VOCABULARY)
def test_code_is_words(code: str) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", code)


@pytest.mark.parametrize("code", _reasons.VOCABULARY)
def test_code_blocks_at_a_known_level(code: str) -> None:
    assert _reasons.VOCABULARY[code] in t.get_args(Blocks)


def test_what_only_advises_need_not_be_ignored() -> None:
    assert [code for code in IGNORABLE if _reasons.VOCABULARY[code] == "nothing"] == []


def test_ignorable_codes_are_few_and_sorted() -> None:
    assert _reasons.IGNORABLE == IGNORABLE


@pytest.mark.parametrize("code", ["kexec_locked", "kernel_missing", "cmdline_drift"])
def test_reason_blocks_as_its_code_says(code: str) -> None:
    assert reason(code, "M.", "R.") == Reason(code, "M.", "R.", _reasons.VOCABULARY[code])


@pytest.mark.parametrize("level", t.get_args(Blocks))
def test_reason_blocks_as_the_caller_says(level: Blocks) -> None:
    assert reason("kernel_missing", "M.", "R.", level).blocks == level


def test_reason_refuses_an_unknown_code() -> None:
    with pytest.raises(KeyError, match="kexec_tired"):
        reason("kexec_tired", "M.", "R.")


def test_as_dict_has_what_a_result_shows() -> None:
    assert LOCKED.as_dict() == {
        "code": "kexec_locked",
        "message": "It is locked.",
        "remedy": "Unlock it.",
        "blocks": "kexec",
    }


def test_sentence_is_message_and_remedy() -> None:
    assert _reasons.sentence(LOCKED) == "It is locked. Unlock it."


def test_error_carries_reason_and_details() -> None:
    error = ReasonError(LOCKED, rc=1, stderr="refused")
    assert str(error) == "It is locked. Unlock it."
    assert error.reason == LOCKED
    assert error.details == {"rc": 1, "stderr": "refused"}


@pytest.mark.parametrize(("levels", "found"), LEVELS.values(), ids=LEVELS)
def test_blocking(levels: tuple[Blocks, ...], found: tuple[Reason, ...]) -> None:
    assert _reasons.blocking(ALL, *levels) == found


def test_ignore_turns_a_reason_into_advice() -> None:
    advice = Reason("memory_low", "There is too little.", "Stop services.", "nothing")
    assert _reasons.ignore(ALL, ["memory_low"]) == (LOCKED, advice, MISSING, DRIFT)


@pytest.mark.parametrize("codes", [[], ["kexec_locked"], ["kernel_missing", "unknown"]])
def test_ignore_leaves_what_may_not_be_ignored(codes: list[str]) -> None:
    assert _reasons.ignore(ALL, codes) == ALL


@given(CODES, CODES)
def test_ignore_loses_no_reason(found: list[str], ignored: list[str]) -> None:
    reasons = [reason(code, "M.", "R.") for code in found]
    left = _reasons.ignore(reasons, ignored)
    assert [each.code for each in left] == found
    assert _reasons.ignore(left, ignored) == left


@given(CODES)
def test_ignore_of_everything_leaves_what_is_serious(found: list[str]) -> None:
    left = _reasons.ignore([reason(code, "M.", "R.") for code in found], list(_reasons.VOCABULARY))
    serious = _reasons.blocking(left, "kexec", "reboot")
    assert not {each.code for each in serious} & set(IGNORABLE)
