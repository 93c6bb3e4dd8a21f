# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a trial is judged by, as it is read on a host."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import (
    ReasonError,
    reason,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._trial import (
    evidence,
    journal,
    sight,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._trial.journal import Journal, Trial
from ansible_collections.alpinefleet.kexec.plugins.module_utils._trial.state import TrialEnd
from ansible_collections.alpinefleet.kexec.tests.unit import fakes, trials
from ansible_collections.alpinefleet.kexec.tests.unit.trials import TrialHost

BROKEN = reason("boot_loader_not_understood", "It is not understood.", "Write plain text.")


@pytest.fixture
def kernels(alpine: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch) -> TrialHost:
    return TrialHost(alpine, monkeypatch)


def see(kernels: TrialHost, **options: bool) -> sight.Sight:
    wish: dict[str, t.Any] = {"with_slots": True, "with_menus": True, **options}
    return sight.see(kernels.host, None, **wish)


def test_what_runs_is_told_by_its_command_line(kernels: TrialHost) -> None:
    found = see(kernels).seen
    assert (found.slot, found.run, found.by_kexec) == (kernels.good, None, False)
    append = ["alpinefleet_kexec.slot=6.1-0123456789ab", "alpinefleet_kexec.trial=run-7"]
    kernels.jump({"cmdline": "quiet", "cmdline_append": append})
    found = see(kernels).seen
    assert (found.slot, found.run, found.by_kexec) == ("6.1-0123456789ab", "run-7", True)


def test_what_firmware_boots_is_told_by_the_menus(kernels: TrialHost) -> None:
    kernels.menus.once = kernels.good
    for with_slots in (True, False):
        found = see(kernels, with_slots=with_slots)
        assert (found.seen.default, found.seen.once) == (kernels.good, kernels.good)
        assert found.named == {kernels.good}


def test_candidate_is_another_build_than_the_good_one(kernels: TrialHost) -> None:
    found = see(kernels)
    assert found.candidate is not None
    assert found.candidate.id == found.seen.candidate
    assert found.candidate.id.startswith(trials.NEW_RELEASE)
    # Nobody has looked.
    assert see(kernels, with_slots=False).candidate is None
    kernels.install(fakes.RELEASE)
    assert (see(kernels).candidate, see(kernels).seen.candidate) == (None, None)
    kernels.menus.default = None
    kernels.install(trials.NEW_RELEASE)
    assert see(kernels).seen.candidate is None


def test_candidate_that_cannot_be_read_is_told(kernels: TrialHost) -> None:
    kernels.alpine.remove("/boot/vmlinuz-virt")
    found = see(kernels)
    assert found.candidate is None
    assert len(found.reasons) == 1


def trial_of(step: journal.Step) -> Trial:
    return Trial("run-7", step, f"{trials.NEW_RELEASE}-0123456789ab", "1-ba9876543210", "x", 1, 0)


@pytest.mark.parametrize("step", [None, *journal.STEPS])
@pytest.mark.parametrize("with_menus", [True, False])
def test_boot_loader_must_be_understood_where_it_may_have_been_changed(
    kernels: TrialHost, step: journal.Step | None, with_menus: bool
) -> None:
    journal.write(kernels.host, Journal(trial_of(step) if step else None))
    kernels.menus.broken = BROKEN
    if with_menus or step in sight.OF_MENUS:
        with pytest.raises(ReasonError, match="not understood"):
            see(kernels, with_menus=with_menus)
    else:
        found = see(kernels, with_menus=with_menus)
        assert (found.reasons, found.named, found.seen.default) == ((BROKEN,), frozenset(), None)


@pytest.mark.parametrize("with_slots", [True, False])
def test_default_that_cannot_be_told_is_not_none(kernels: TrialHost, with_slots: bool) -> None:
    kernels.menus.unclear = "two entries are the default"
    with pytest.raises(ReasonError, match="two entries"):
        see(kernels, with_slots=with_slots)
    (found,) = see(kernels, with_slots=with_slots, with_menus=False).reasons
    assert found.code == "boot_loader_not_understood"


def test_what_is_left_is_looked_at_where_there_was_a_trial(
    kernels: TrialHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    panic = TrialEnd("panic", "no init")
    monkeypatch.setattr(evidence, "ending", lambda _host, _trial: panic)
    assert see(kernels).seen.ending == TrialEnd("unknown")
    journal.write(kernels.host, Journal(replace(trial_of("armed"), began=True)))
    assert see(kernels).seen.ending == panic
