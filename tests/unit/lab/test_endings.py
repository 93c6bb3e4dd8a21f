# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a boot ended is told from the process, the console and the kernel's word."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from tests.lab import endings, machine, records
from tests.lab.errors import LabError
from tests.lab.records import Record

BEFORE, AFTER = "boot-1", "boot-2"


@pytest.fixture
def record(tmp_path: Path) -> Record:
    (tmp_path / "serial.log").write_text("reboot: System halted\n")
    return Record(
        name="web1",
        folder=str(tmp_path),
        port=1,
        memory=1,
        repository="/",
        watchdog=False,
        phase="ready",
    )


def arrange(
    monkeypatch: pytest.MonkeyPatch,
    *,
    runs: bool = True,
    greets: bool = True,
    boots: t.Iterable[tuple[str, str]] = (),
) -> None:
    """Put a machine in the place of the real one: its process, its sshd and its boots in turn."""
    answers = iter(boots)
    monkeypatch.setattr(records, "read_pid", lambda _folder: 1 if runs else None)
    monkeypatch.setattr(machine, "banner", lambda _port: greets)
    monkeypatch.setattr(endings, "boot_of", lambda _record: next(answers, ("", "")))


@pytest.mark.parametrize(
    ("boots", "expected"),
    [
        pytest.param([(BEFORE, "48"), (AFTER, "208")], "kexec", id="kexec"),
        pytest.param([(BEFORE, "208"), (AFTER, "48")], "firmware", id="extlinux"),
        pytest.param([(BEFORE, "208"), (AFTER, "114")], "firmware", id="GRUB"),
        pytest.param([(BEFORE, "48"), (BEFORE, "48"), (AFTER, "208")], "kexec", id="a while later"),
        pytest.param([(BEFORE, "48"), ("", ""), (AFTER, "48")], "firmware", id="no answer between"),
    ],
)
def test_ending_in_another_boot(
    monkeypatch: pytest.MonkeyPatch,
    record: Record,
    boots: list[tuple[str, str]],
    expected: str,
) -> None:
    arrange(monkeypatch, boots=boots)
    assert endings.ending(record, lambda: None) == expected


def test_ending_of_a_process_is_power_off(monkeypatch: pytest.MonkeyPatch, record: Record) -> None:
    arrange(monkeypatch, runs=False)
    assert endings.ending(record, lambda: None) == "off"


def test_ending_sees_only_what_the_console_says_afterwards(
    monkeypatch: pytest.MonkeyPatch, record: Record
) -> None:
    arrange(monkeypatch, greets=False)

    def halt() -> None:
        with record.serial_log.open("a") as log:
            log.write("reboot: System halted\n")

    assert endings.ending(record, halt) == "halted"


def test_ending_that_does_not_come_is_an_error(
    monkeypatch: pytest.MonkeyPatch, record: Record
) -> None:
    arrange(monkeypatch, greets=False, boots=[("old", "48"), ("old", "48")])
    record.serial_log.write_text("the last line\n")
    with pytest.raises(LabError, match="neither left its boot nor came back") as caught:
        endings.ending(record, lambda: None, within=0.1)
    assert "it answers as boot 'old', and was 'old'" in caught.value.found
    assert caught.value.found.endswith("the last line")
