# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kernel_trial as Ansible runs it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host import notes
from ansible_collections.alpinefleet.kexec.plugins.module_utils._trial import ensure, journal, state
from ansible_collections.alpinefleet.kexec.plugins.modules import kernel_trial
from ansible_collections.alpinefleet.kexec.tests.unit import documentation
from ansible_collections.alpinefleet.kexec.tests.unit.trials import TrialHost

if t.TYPE_CHECKING:
    from ansible_collections.alpinefleet.kexec.tests.unit.plugins.modules.conftest import (
        Documented,
        Machine,
        Own,
    )

main = kernel_trial.main
DOCS = documentation.of("kernel_trial")
IN_THE_WAY = "success, or where a trial is in the way"
TO_BE_TRIED = "with O(state=armed), if there is a kernel to be tried"
RUN = "run-7"


@pytest.fixture
def returned(documented: type[Documented]) -> Documented:
    return documented(DOCS.returns)


@pytest.fixture
def kernels(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> TrialHost:
    return TrialHost(machine.alpine, monkeypatch)


def test_result_is_the_documented_one(
    machine: Machine, kernels: TrialHost, returned: Documented, own: Own
) -> None:
    always = returned.names("always", "success", IN_THE_WAY)
    armed = returned.names(TO_BE_TRIED)
    assert own(machine.run(main)) == always
    foretold = machine.run(main, check_mode=True, state="armed", run=RUN)
    result = machine.run(main, state="armed", run=RUN)
    assert own(result) == own(foretold) == always | armed
    assert set(result["image"]) == returned.within("image")
    assert (result["changed"], foretold["changed"]) == (True, True)
    kernels.jump(result["image"])
    assert own(machine.run(main, state="armed", run=RUN)) == always
    result = machine.run(main, state="rolled_back", cause="required_check", text="no nginx")
    assert own(result) == always
    assert set(result["refused"][0]) == returned.within("refused")
    assert '"required_check"' in result["diff"]["after"]


def test_trial_is_committed(machine: Machine, kernels: TrialHost) -> None:
    kernels.jump(machine.run(main, state="armed", run=RUN, deadline=900)["image"])
    result = machine.run(main, state="committed", run=RUN)
    assert (result["changed"], result["state"], result["good"]) == (
        True,
        "committed",
        result["slot"],
    )
    assert machine.run(main, state="committed", run=RUN)["changed"] is False


def test_look_fails_for_nothing(
    machine: Machine, kernels: TrialHost, returned: Documented, own: Own
) -> None:
    kernels.alpine.write(notes.TRIAL, "half of i")
    result = machine.run(main)
    assert own(result) == returned.names("always", "success", IN_THE_WAY)
    assert (result["state"], result["reasons"][0]["code"]) == (None, "trial_not_understood")


def test_failure_is_the_documented_one(
    machine: Machine, kernels: TrialHost, returned: Documented, own: Own
) -> None:
    result = machine.run(main, state="committed", run=RUN)
    assert result["failed"]
    assert own(result) == returned.names("always", "failure")
    machine.run(main, state="armed", run=RUN)
    result = machine.run(main, state="committed", run="run-8")
    assert own(result) == returned.names("always", "failure", IN_THE_WAY)
    assert (result["reasons"][0]["code"], result["state"]) == ("trial_of_another", "armed")


@pytest.mark.parametrize("wish", ["armed", "committed"])
def test_run_is_needed(machine: Machine, wish: str) -> None:
    assert "run" in machine.run(main, state=wish)["msg"]


def test_documentation_has_all_values_and_bounds() -> None:
    text = {name: str(DOCS.returns[name]["description"]) for name in ("state", "next")}
    assert [
        each for each in t.get_args(state.TrialState) if f"V({each})" not in text["state"]
    ] == []
    assert [each for each in t.get_args(state.NextStep) if f"V({each})" not in text["next"]] == []
    options = DOCS.module["options"]
    assert str(ensure.MAX_DEADLINE) in options["deadline"]["description"]
    assert str(journal.MAX_TEXT) in options["text"]["description"]
    assert str(journal.MAX_REFUSED) in DOCS.returns["refused"]["description"]
