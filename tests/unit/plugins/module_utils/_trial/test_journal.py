# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal of trials: what is written is read again, and what is not whole is not none."""

from __future__ import annotations

import dataclasses
import json
import os

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host import notes
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError
from ansible_collections.alpinefleet.kexec.plugins.module_utils._trial import journal
from ansible_collections.alpinefleet.kexec.plugins.module_utils._trial.journal import (
    Journal,
    Refusal,
    Trial,
)
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

OLD, NEW = f"{fakes.OLD_RELEASE}-0123456789ab", f"{fakes.RELEASE}-ba9876543210"
NOW = 1_795_671_657
TRIAL = Trial("run-7", "armed", NEW, OLD, fakes.BOOT_ID, 600, NOW)
ENDED = dataclasses.replace(
    TRIAL,
    step="rolled_back",
    cold_proof=True,
    proof_boot_id=fakes.BOOT_ID,
    began=True,
    cause="panic",
    text="VFS: Unable to mount root \udc80 fs",
)
REFUSED = Refusal(NEW, "required_check", "nginx is not there", NOW, "run-7")
FULL = Journal(ENDED, (REFUSED, Refusal(OLD, "operator", "", 0)))


@pytest.mark.parametrize("known", [Journal(), Journal(TRIAL), FULL])
def test_what_is_written_is_read_again(alpine: fakes.FakeHost, known: Journal) -> None:
    journal.write(alpine.host, known)
    assert journal.read(alpine.host) == known
    assert journal.parse(known.as_text()) == known


def test_journal_is_for_root_only(alpine: fakes.FakeHost) -> None:
    journal.write(alpine.host, FULL)
    journal.write(alpine.host, Journal(TRIAL))
    assert alpine.path(notes.TRIAL).stat().st_mode & 0o777 == 0o600
    assert alpine.path(notes.MEMORY).stat().st_mode & 0o777 == 0o700


def test_host_without_a_journal_has_an_empty_one(alpine: fakes.FakeHost) -> None:
    assert journal.read(alpine.host) == Journal()
    assert not alpine.path(notes.TRIAL).exists()


def edited(part: str, **changes: object) -> str:
    """The full journal with other values in one of its parts."""
    record = json.loads(FULL.as_text())
    place = {"trial": record["trial"], "refused": record["refused"][0], "all": record}[part]
    place.update(changes)
    return json.dumps(record)


HOSTILE = [
    "",
    "\0" * 80,
    "null",
    "7",
    "[]",
    "{}",
    "[" * 100_000,
    "1" * 10_000,
    FULL.as_text()[:-9],
    FULL.as_text().replace('"run-7"', "7"),
    edited("all", version=2),
    edited("all", version=True),
    edited("all", refused={}),
    edited("all", refused=[7]),
    edited("all", trial=[]),
    edited("trial", run="../run"),
    edited("trial", run="a\n"),
    edited("trial", step="on_trial"),
    edited("trial", step=None),
    edited("trial", step=[]),
    edited("trial", slot="../../etc-0123456789ab"),
    edited("trial", slot="6..1-0123456789ab"),
    edited("trial", good=f"{OLD}\n"),
    edited("trial", good=None),
    edited("trial", boot_id=7),
    edited("trial", deadline=True),
    edited("trial", deadline=-1),
    edited("trial", time=1e9),
    edited("trial", cold_proof=1),
    edited("trial", began="yes"),
    edited("trial", cause="a bad day"),
    edited("trial", text=None),
    edited("refused", time=1 << 60),
    edited("refused", slot="-0123456789ab"),
    edited("refused", cause=None),
    edited("refused", run=7),
]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_not_whole_is_not_none(alpine: fakes.FakeHost, text: str) -> None:
    assert journal.parse(text) is None
    alpine.write(notes.TRIAL, text)
    with pytest.raises(ReasonError) as caught:
        journal.read(alpine.host)
    assert caught.value.reason.code == "trial_not_understood"
    assert notes.TRIAL in caught.value.reason.message


def test_every_torn_journal_is_not_understood() -> None:
    text = FULL.as_text()
    # The last byte is the line feed.
    assert [size for size in range(len(text) - 1) if journal.parse(text[:size])] == []


def test_what_is_too_large_is_not_read(alpine: fakes.FakeHost) -> None:
    alpine.write(notes.TRIAL, FULL.as_text() + " " * journal.MAX_SIZE)
    with pytest.raises(ReasonError, match="not whole"):
        journal.read(alpine.host)


def test_bytes_that_are_no_text_are_not_understood(alpine: fakes.FakeHost) -> None:
    alpine.write(notes.TRIAL, b"\xff\xfe" * 40)
    with pytest.raises(ReasonError, match="not whole"):
        journal.read(alpine.host)


def test_what_is_no_file_is_not_none(alpine: fakes.FakeHost) -> None:
    alpine.path(notes.TRIAL).parent.mkdir(parents=True)
    os.mkfifo(alpine.path(notes.TRIAL))
    with pytest.raises(ReasonError, match="it is special"):
        journal.read(alpine.host)
    alpine.link(notes.TRIAL, "nowhere")
    with pytest.raises(ReasonError, match="it is missing"):
        journal.read(alpine.host)


def test_failure_of_the_disk_is_told(
    alpine: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> object:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(type(alpine.host), "open", fail)
    with pytest.raises(ReasonError, match="Input/output error"):
        journal.read(alpine.host)


@pytest.mark.parametrize("step", journal.STEPS)
def test_slots_of_a_trial_that_is_not_over_are_needed(step: journal.Step) -> None:
    named = Journal(dataclasses.replace(TRIAL, step=step)).named
    assert named == ({OLD, NEW} if step in journal.OPEN else set())


def test_last_refusal_of_a_build_counts() -> None:
    again = Refusal(NEW, "panic", "again", NOW + 60)
    found = FULL.refusing(again)
    assert (found.refusal_of(NEW), len(found.refused)) == (again, 2)
    assert found.allowing(NEW).refusal_of(NEW) is None
    assert found.allowing(NEW).refusal_of(OLD) == FULL.refused[1]
    assert Journal().refusal_of(NEW) is None
    assert Journal().named == frozenset()


def test_oldest_refusals_are_forgotten() -> None:
    found = Journal()
    for number in range(journal.MAX_REFUSED + 5):
        found = found.refusing(Refusal(f"6.1.{number}-0123456789ab", "panic", "", number))
    assert len(found.refused) == journal.MAX_REFUSED
    assert found.refused[0].time == 5


def test_words_of_others_are_bounded() -> None:
    long = "\u00e4" * 100_000 + "the fault"
    found = journal.parse(Journal(dataclasses.replace(TRIAL, text=long)).as_text())
    assert found is not None
    assert found.trial is not None
    assert len(found.trial.text) == journal.MAX_TEXT
    assert found.trial.text.endswith("the fault")
    assert journal.cut(found.trial.text) == found.trial.text


def test_largest_journal_of_ours_is_read() -> None:
    # Each letter of such a text takes six bytes.
    text = "\udc80" * journal.MAX_TEXT
    found = Journal(dataclasses.replace(TRIAL, text=text))
    for number in range(journal.MAX_REFUSED):
        found = found.refusing(Refusal(f"6.1.{number}-0123456789ab", "panic", text, number))
    assert len(found.as_text()) < journal.MAX_SIZE


def test_refusal_is_told_with_cause_and_time() -> None:
    message = journal.build_refused(REFUSED).reason.message
    assert f"{NEW} was refused" in message
    assert "required_check at 2026-11-26T" in message
    assert "nginx is not there" in message
    assert str(FULL.refused[1]) == "operator at 1970-01-01T00:00:00Z"
    assert REFUSED.as_dict()["time"] == journal.moment(NOW)
