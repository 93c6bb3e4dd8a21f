# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from tests.hosts.journal import Journal


@pytest.fixture
def journal() -> Journal:
    journal = Journal()
    journal.note("command", "observe.sh")
    journal.note("order", "kexec")
    journal.note("command", "whoami", as_root=True)
    return journal


def test_events_are_found_by_kind_and_text(journal: Journal) -> None:
    assert [event.text for event in journal.find("command")] == ["observe.sh", "whoami"]
    assert [event.as_root for event in journal.find("command", "who")] == [True]
    assert journal.count("command", "none") == 0


def test_events_before_the_first_of_a_kind(journal: Journal) -> None:
    assert [event.text for event in journal.before("order")] == ["observe.sh"]
    assert journal.before("down") == journal.events


def test_times_only_grow(journal: Journal) -> None:
    times = [event.time for event in journal.events]
    assert times == sorted(times)


def test_event_that_has_happened_is_not_waited_for(journal: Journal) -> None:
    assert journal.wait_for("order", seconds=0).text == "kexec"


def test_event_that_does_not_come_is_told_with_all_that_came(journal: Journal) -> None:
    with pytest.raises(TimeoutError, match=r"(?s)no up '' in 0 seconds: .*whoami"):
        journal.wait_for("up", seconds=0)
