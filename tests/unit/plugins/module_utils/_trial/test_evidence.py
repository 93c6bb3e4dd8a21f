# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is left of a trial: what proves how it ended, what does not, and what is made of rubbish."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host import notes
from ansible_collections.alpinefleet.kexec.plugins.module_utils._trial import evidence, journal
from ansible_collections.alpinefleet.kexec.plugins.module_utils._trial.journal import Trial
from ansible_collections.alpinefleet.kexec.plugins.module_utils._trial.state import TrialEnd
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

NEW, GOOD = f"{fakes.RELEASE}-ba9876543210", f"{fakes.OLD_RELEASE}-0123456789ab"
TRIAL = Trial("run-7", "armed", NEW, GOOD, fakes.BOOT_ID, 600, 0)
JUMPED = f"{fakes.TOKEN} {fakes.BOOT_ID} {fakes.RELEASE} 1795671657\n"
BOOTSTATUS = "/sys/class/watchdog/watchdog0/bootstatus"
RECORD = f"{evidence.PSTORE}/dmesg-erst-7577863843062382593"
SAID = "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)"


def record(release: str = fakes.RELEASE, kind: str = "Panic", said: str = SAID) -> str:
    """What a kernel leaves, its words as busybox's dmesg -r shows them."""
    return f"""\
{kind}#1 Part1
<5>[    0.000000] Linux version {release} (buildozer@build-3-23-x86_64) (gcc)
<0>[    1.432100] {said}
<4>[    1.433000] CPU: 0 UID: 0 PID: 1 Comm: swapper/0 Not tainted {release} #1-Alpine PREEMPT
"""


PANIC = TrialEnd("panic", SAID)
UNKNOWN = TrialEnd("unknown", evidence.NOTHING_LEFT)
NEVER = TrialEnd("power", evidence.NO_JUMP)
RESET = TrialEnd("watchdog", "The watchdog has reset the host, and no panic is on record.")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({}, NEVER, id="nothing, and no jump"),
        pytest.param({notes.JUMP: fakes.JUMP}, NEVER, id="a jump of another boot"),
        pytest.param({notes.JUMP: JUMPED}, UNKNOWN, id="a jump"),
        pytest.param({notes.JUMP: b"\xff\0" * 40}, UNKNOWN, id="a jump that is not understood"),
        pytest.param({notes.JUMP: JUMPED, RECORD: record()}, PANIC, id="a panic"),
        pytest.param({RECORD: record()}, PANIC, id="a panic, after the jump was confirmed"),
        pytest.param(
            {notes.JUMP: JUMPED, RECORD: record(fakes.OLD_RELEASE)}, UNKNOWN, id="of another kernel"
        ),
        pytest.param(
            {notes.JUMP: JUMPED, RECORD: record(f"{fakes.RELEASE}2")}, UNKNOWN, id="of one like it"
        ),
        pytest.param({notes.JUMP: JUMPED, RECORD: record(kind="Oops")}, UNKNOWN, id="that went on"),
        pytest.param(
            {notes.JUMP: JUMPED, RECORD: record(said="what else there was")},
            TrialEnd("panic", "The kernel panicked."),
            id="a panic of few words",
        ),
        pytest.param(
            {notes.JUMP: JUMPED, f"{evidence.PSTORE}/console-ramoops-0": record()},
            UNKNOWN,
            id="another kind of record",
        ),
        pytest.param(
            {notes.JUMP: JUMPED, f"{RECORD}.enc.z": b"\x78\x9c" * 80}, UNKNOWN, id="packed"
        ),
        pytest.param({notes.JUMP: JUMPED, RECORD: os.urandom(1 << 16)}, UNKNOWN, id="rubbish"),
        pytest.param({notes.JUMP: JUMPED, BOOTSTATUS: "32\n"}, RESET, id="a watchdog"),
        pytest.param({notes.JUMP: JUMPED, BOOTSTATUS: "33\n"}, RESET, id="a watchdog, and more"),
        pytest.param({notes.JUMP: JUMPED, BOOTSTATUS: "1\n"}, UNKNOWN, id="not a watchdog"),
        pytest.param({notes.JUMP: JUMPED, BOOTSTATUS: "many\n"}, UNKNOWN, id="no number"),
        pytest.param({BOOTSTATUS: "32\n"}, NEVER, id="a watchdog, and no jump"),
        pytest.param({notes.JUMP: JUMPED, BOOTSTATUS: "32\n", RECORD: record()}, PANIC, id="both"),
        pytest.param(
            {notes.TRIAL_END: "run-7 required_check nginx is down\n", RECORD: record()},
            TrialEnd("required_check", "nginx is down"),
            id="the guard, and a panic as it left",
        ),
        pytest.param(
            {notes.TRIAL_END: "run-7 deadline\n"}, TrialEnd("deadline"), id="the guard, in a word"
        ),
        pytest.param(
            {notes.TRIAL_END: "run-7 unknown it ran\n"},
            TrialEnd("unknown", "it ran"),
            id="no cause",
        ),
        pytest.param({notes.TRIAL_END: "run-7 unknown\n"}, UNKNOWN, id="no cause, and no more"),
        pytest.param(
            {notes.TRIAL_END: "run-7 unknown it ran\n", BOOTSTATUS: "32\n"}, RESET, id="it began"
        ),
        pytest.param({notes.TRIAL_END: "run-7 failed badly\n"}, NEVER, id="words of others"),
        pytest.param({notes.TRIAL_END: b"\xff\xfe\0" * 80}, NEVER, id="binary words"),
        pytest.param({notes.TRIAL_END: ""}, NEVER, id="no words"),
        pytest.param({notes.TRIAL_END: "run-6 panic it was\n"}, NEVER, id="of an earlier run"),
        pytest.param({notes.TRIAL_END: "run-7\n"}, NEVER, id="a run alone"),
    ],
)
def test_ending(alpine: fakes.FakeHost, files: dict[str, str | bytes], expected: TrialEnd) -> None:
    for path, content in files.items():
        alpine.write(path, content)
    before = alpine.snapshot()
    assert evidence.ending(alpine.host, TRIAL) == expected
    assert evidence.ending(alpine.host, TRIAL) == expected
    assert alpine.snapshot() == before


def test_kernel_that_was_seen_to_run_has_begun(alpine: fakes.FakeHost) -> None:
    assert evidence.ending(alpine.host, replace(TRIAL, began=True)) == UNKNOWN


def test_panic_of_a_kernel_of_the_same_release_may_be_that_of_good(
    alpine: fakes.FakeHost,
) -> None:
    trial = replace(TRIAL, good=f"{fakes.RELEASE}-0123456789ab")
    alpine.write(RECORD, record())
    assert evidence.ending(alpine.host, trial) == NEVER
    alpine.write(notes.JUMP, JUMPED)
    assert evidence.ending(alpine.host, trial) == PANIC


def test_words_of_a_kernel_are_bounded(alpine: fakes.FakeHost) -> None:
    alpine.write(RECORD, record(said=f"Kernel panic - {'x' * 100_000} at the end"))
    text = evidence.ending(alpine.host, TRIAL).text
    assert len(text) == journal.MAX_TEXT
    assert text.endswith("at the end")


def test_words_of_the_guard_are_bounded(alpine: fakes.FakeHost) -> None:
    alpine.write(notes.TRIAL_END, "run-7 panic " + "y" * 1_000_000)
    assert len(evidence.ending(alpine.host, TRIAL).text) == journal.MAX_TEXT
    alpine.remove(notes.TRIAL_END)
    os.mkfifo(alpine.path(notes.TRIAL_END))
    assert evidence.last_words(alpine.host, "run-7") is None


def kept(alpine: fakes.FakeHost) -> dict[str, bytes]:
    """What was moved away, by its name behind the time."""
    folder = alpine.path(notes.RECORDS)
    return {path.name.partition("-")[2]: path.read_bytes() for path in sorted(folder.iterdir())}


def test_what_is_left_of_others_is_moved_away(alpine: fakes.FakeHost) -> None:
    alpine.write(RECORD, record())
    alpine.write(f"{evidence.PSTORE}/dmesg-efi_pstore-171", b"\xff\0")
    alpine.write(f"{evidence.PSTORE}/console-ramoops-0", "of somebody else")
    alpine.write(notes.TRIAL_END, "deadline\n")
    evidence.clear(alpine.host)
    assert kept(alpine) == {
        "dmesg-efi_pstore-171": b"\xff\0",
        "dmesg-erst-7577863843062382593": record().encode(),
    }
    assert alpine.host.names(evidence.PSTORE) == ("console-ramoops-0",)
    assert evidence.ending(alpine.host, TRIAL) == NEVER
    modes = {path.stat().st_mode & 0o777 for path in alpine.path(notes.RECORDS).iterdir()}
    assert (modes, alpine.path(notes.RECORDS).stat().st_mode & 0o777) == ({0o600}, 0o700)
    # Twice is as good as once.
    before = alpine.snapshot()
    evidence.clear(alpine.host)
    assert alpine.snapshot() == before


def test_nothing_is_made_where_nothing_is_left(alpine: fakes.FakeHost) -> None:
    before = alpine.snapshot()
    evidence.clear(alpine.host)
    assert alpine.snapshot() == before


def test_record_is_on_the_disk_before_the_kernel_forgets_it(
    alpine: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    alpine.write(RECORD, record())

    def fail(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space"):
        evidence.clear(alpine.host)
    assert alpine.path(RECORD).exists()


def test_oldest_records_are_forgotten(alpine: fakes.FakeHost) -> None:
    for number in range(evidence.MAX_RECORDS + 8):
        alpine.write(f"{notes.RECORDS}/20260101T000000-dmesg-erst-{number:03}", "old")
    alpine.write(RECORD, record())
    evidence.clear(alpine.host)
    assert len(kept(alpine)) == evidence.MAX_RECORDS
    assert kept(alpine)["dmesg-erst-7577863843062382593"] == record().encode()


@pytest.mark.parametrize(
    ("text", "stays"), [(JUMPED, False), ("rubbish!\n", False), (fakes.JUMP, True)]
)
def test_jump_of_the_trial_is_forgotten(alpine: fakes.FakeHost, text: str, stays: bool) -> None:
    alpine.write(notes.JUMP, text)
    for _twice in range(2):
        evidence.forget_jump(alpine.host, TRIAL)
        assert alpine.path(notes.JUMP).exists() is stays
