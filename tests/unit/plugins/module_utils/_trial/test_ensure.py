# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kernel_trial as a whole: what each wish makes of a host, and of a power cut at each of its steps."""

from __future__ import annotations

import contextlib
import typing as t
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots import once
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.look import look
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host import notes
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.lock import run_directory
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import (
    ReasonError,
    reason,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot import defaults, store
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot import ensure as slots
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot.plan import SlotWish
from ansible_collections.alpinefleet.kexec.plugins.module_utils._trial import (
    ensure,
    evidence,
    guard,
    journal,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._trial.ensure import TrialWish
from ansible_collections.alpinefleet.kexec.plugins.module_utils._write import files
from ansible_collections.alpinefleet.kexec.tests.unit import fakes, trials
from ansible_collections.alpinefleet.kexec.tests.unit import slots as parts
from ansible_collections.alpinefleet.kexec.tests.unit.slot_menus import Machine
from ansible_collections.alpinefleet.kexec.tests.unit.trials import TrialHost

RUN, OTHER_RUN = "run-7", "run-8"
DEADLINE = "alpinefleet_kexec.deadline=600"
NOW = 1_795_671_657
RECORD = f"{evidence.PSTORE}/dmesg-erst-1"
PANIC = f"Panic#1 Part1\n<0>[ 1.0] Kernel panic - not syncing: no init\n{trials.NEW_RELEASE} #1\n"
BROKEN = reason("boot_loader_not_understood", "It is not understood.", "Write plain text.")
UNABLE = reason("boot_loader_not_understood", "There is no boot for once.", "Do without.")


@pytest.fixture
def kernels(alpine: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch) -> TrialHost:
    return TrialHost(alpine, monkeypatch)


def trial(
    kernels: TrialHost, state: str | None = None, run: str | None = None, **options: t.Any
) -> dict[str, t.Any]:
    check_mode, sleep = options.pop("check_mode", False), options.pop("sleep", never)
    defaults = {name: each.get("default") for name, each in ensure.TRIAL_ARGUMENTS.items()}
    wish = ensure.wish_of({**defaults, "state": state, "run": run, **options})
    return ensure.ensure(
        kernels.host, wish, check_mode=check_mode, now=lambda: float(NOW), sleep=sleep
    )


def never(_seconds: float) -> None:
    raise AssertionError("nobody has to be waited for")


def arm(kernels: TrialHost, run: str = RUN, **options: t.Any) -> dict[str, t.Any]:
    return trial(kernels, "armed", run, **options)


def commit(kernels: TrialHost, run: str = RUN, **options: t.Any) -> dict[str, t.Any]:
    return trial(kernels, "committed", run, **options)


def roll_back(kernels: TrialHost, run: str | None = None, **options: t.Any) -> dict[str, t.Any]:
    return trial(kernels, "rolled_back", run, **options)


def refused(work: t.Callable[..., object], *arguments: t.Any, **options: t.Any) -> ReasonError:
    with pytest.raises(ReasonError) as caught:
        work(*arguments, **options)
    return caught.value


def how(told: t.Mapping[str, t.Any]) -> tuple[object, ...]:
    return (told["changed"], told["state"], told["next"], told["cause"])


def on_trial(kernels: TrialHost, checked: str = "passed", **options: t.Any) -> str:
    """Bring the host to where the kernel on trial runs; returns its slot."""
    told = arm(kernels, **options)
    kernels.jump(told["image"], checked=checked)
    return str(told["slot"])


# --- Facts ----------------------------------------------------------------------------------


def test_look_changes_nothing(kernels: TrialHost) -> None:
    before = kernels.alpine.snapshot()
    told = trial(kernels)
    assert how(told) == (False, "none", "arm", None)
    assert (told["good"], told["run"], told["refused"]) == (kernels.good, None, [])
    assert told["candidate"].startswith(trials.NEW_RELEASE)
    assert kernels.alpine.snapshot() == before


def test_look_at_a_journal_that_is_torn_does_not_say_none(kernels: TrialHost) -> None:
    kernels.alpine.write(notes.TRIAL, '{"version": 1, "tri')
    told = trial(kernels)
    assert (told["changed"], told["state"], told["next"]) == (False, None, None)
    assert [each["code"] for each in told["reasons"]] == ["trial_not_understood"]
    for state in ("armed", "committed", "rolled_back"):
        assert refused(trial, kernels, state, RUN).reason.code == "trial_not_understood"


def test_host_that_does_not_tell_its_boot_is_not_judged(kernels: TrialHost) -> None:
    kernels.alpine.write("/proc/sys/kernel/random/boot_id", "?\n")
    assert trial(kernels)["state"] is None
    assert "which boot" in refused(arm, kernels).reason.message


def test_boot_loader_that_is_not_understood_matters_only_where_it_was_changed(
    kernels: TrialHost,
) -> None:
    on_trial(kernels, cold_proof=True)
    kernels.menus.broken = BROKEN
    told = trial(kernels)
    assert how(told) == (False, "on_trial", "judge", None)
    assert [each["code"] for each in told["reasons"]] == [BROKEN.code]
    assert refused(commit, kernels).reason == BROKEN
    assert refused(arm, kernels, OTHER_RUN).reason == BROKEN
    kernels.menus.broken = None
    commit(kernels)
    kernels.menus.broken = BROKEN
    assert trial(kernels)["state"] is None
    assert refused(roll_back, kernels).reason == BROKEN


# --- Armed ----------------------------------------------------------------------------------


def test_arm(kernels: TrialHost) -> None:
    told = arm(kernels, deadline=900)
    assert how(told) == (True, "armed", "jump", None)
    slot = told["slot"]
    assert told["image"] == {
        "kernel": f"/boot/alpinefleet-kexec/{slot}/linux",
        "initramfs": [f"/boot/alpinefleet-kexec/{slot}/initrd"],
        "cmdline_source": "explicit",
        "cmdline": fakes.CONFIGURED,
        "cmdline_append": [
            f"alpinefleet_kexec.slot={slot}",
            f"alpinefleet_kexec.trial={RUN}",
            "alpinefleet_kexec.deadline=900",
        ],
    }
    assert store.look(kernels.host, slot).whole
    # What firmware boots stays, and so does its menu.
    assert (kernels.menus.default, kernels.menus.entries) == (kernels.good, (kernels.good,))


def test_arm_twice_is_to_arm_once(kernels: TrialHost) -> None:
    first = arm(kernels)
    before = kernels.alpine.snapshot()
    again = arm(kernels)
    assert (again["changed"], again["image"]) == (False, first["image"])
    assert {**again, "changed": True, "diff": first["diff"]} == first
    after = kernels.alpine.snapshot()
    assert {path for path in after if after[path] != before.get(path)} <= {
        str(kernels.alpine.path(notes.RUN)),
        str(kernels.alpine.path("/run")),
    }


def test_options_of_what_is_armed_can_change(kernels: TrialHost) -> None:
    arm(kernels)
    told = arm(kernels, deadline=60)
    assert (told["changed"], told["deadline"]) == (True, 60)


def test_arm_moves_away_what_is_left_of_others(kernels: TrialHost) -> None:
    kernels.alpine.write(RECORD, PANIC)
    kernels.alpine.write(notes.TRIAL_END, f"{RUN} panic of the last one\n")
    kernels.jump(arm(kernels)["image"], confirmed=False)
    kernels.firmware()
    assert trial(kernels)["cause"] == "unknown"
    assert len(kernels.host.names(notes.RECORDS)) == 1


def test_what_is_good_is_not_tried(kernels: TrialHost) -> None:
    kernels.install(fakes.RELEASE)
    before = kernels.alpine.snapshot()
    told = arm(kernels, check_mode=True)
    assert how(told) == (False, "none", "nothing", None)
    assert "image" not in told
    assert kernels.alpine.snapshot() == before


def test_what_is_not_in_boot_any_more_is_not_tried(kernels: TrialHost) -> None:
    arm(kernels)
    kernels.install(fakes.RELEASE)
    told = arm(kernels, OTHER_RUN)
    assert how(told) == (True, "rolled_back", "nothing", "operator")
    assert told["refused"] == []


@pytest.mark.parametrize("state", ["armed", "committed", "rolled_back"])
def test_check_mode_changes_nothing_and_foretells(kernels: TrialHost, state: str) -> None:
    if state != "armed":
        on_trial(kernels)
    before = kernels.alpine.snapshot()
    menu = vars(kernels.menus).copy()
    foretold = trial(kernels, state, RUN, check_mode=True)
    assert (kernels.alpine.snapshot(), vars(kernels.menus)) == (before, menu)
    assert trial(kernels, state, RUN) == foretold
    assert foretold["changed"]


def test_trial_needs_a_slot_to_fall_back_to(kernels: TrialHost) -> None:
    kernels.menus.default = None
    assert refused(arm, kernels).reason.code == "slots_missing"


def test_trial_needs_somebody_to_leave_it(kernels: TrialHost) -> None:
    kernels.alpine.remove("/etc/runlevels/sysinit/kexec-confirm")
    # The folder of the lock is made by whoever is first.
    assert refused(arm, kernels).reason.code == "slots_unguarded"
    before = kernels.alpine.snapshot()
    assert refused(arm, kernels).reason.code == "slots_unguarded"
    assert kernels.alpine.snapshot() == before


def test_trial_needs_a_slot_that_is_whole(kernels: TrialHost) -> None:
    kernels.alpine.cut(store.path_of(kernels.good, "linux"), 60)
    assert refused(arm, kernels).reason.code == "slot_damaged"
    assert journal.read(kernels.host).trial is None


def test_what_is_wrong_with_the_candidate_is_told_before_anything_is_touched(
    kernels: TrialHost,
) -> None:
    kernels.alpine.cut("/boot/initramfs-virt", 60)
    assert refused(arm, kernels).reason.code == "initramfs_truncated"
    kernels.alpine.remove("/boot/vmlinuz-virt")
    assert refused(arm, kernels).reason.code == "path_unreadable"
    assert kernels.host.names("/boot/alpinefleet-kexec") == (kernels.good,)
    assert journal.read(kernels.host).trial is None


def test_proof_that_the_boot_loader_cannot_give_is_refused_at_once(kernels: TrialHost) -> None:
    kernels.menus.unable = UNABLE
    assert refused(arm, kernels, cold_proof=True).reason == UNABLE
    assert arm(kernels)["changed"]


def test_later_run_takes_over_what_is_armed(kernels: TrialHost) -> None:
    old = arm(kernels)["image"]
    told = arm(kernels, OTHER_RUN)
    assert (told["changed"], told["run"]) == (True, OTHER_RUN)
    error = refused(commit, kernels, RUN)
    assert (error.reason.code, error.details["state"]) == ("trial_of_another", "armed")
    assert refused(roll_back, kernels, RUN).reason.code == "trial_of_another"
    # What the older run still does must not count for the later one.
    kernels.jump(old)
    assert how(trial(kernels)) == (False, "rolled_back", "settle", "operator")
    assert refused(commit, kernels, OTHER_RUN).reason.code == "trial_over"
    assert how(trial(kernels)) == (False, "rolled_back", "reboot", "operator")
    assert trial(kernels)["refused"] == []
    assert refused(arm, kernels, OTHER_RUN).reason.code == "trial_left_running"


@pytest.mark.parametrize("verified", [False, True])
def test_trial_of_another_that_is_on_is_left_to_whoever_looks_at_it(
    kernels: TrialHost, verified: bool
) -> None:
    on_trial(kernels, cold_proof=True)
    if verified:
        commit(kernels)
    error = refused(arm, kernels, OTHER_RUN)
    assert error.reason.code == "trial_of_another"
    assert error.details["next"] == ("reboot" if verified else "judge")
    assert RUN in error.reason.remedy
    # The same run only goes on.
    assert "image" not in arm(kernels)


def test_run_that_died_is_settled_by_the_next_one(kernels: TrialHost) -> None:
    kernels.jump(arm(kernels)["image"], confirmed=False)
    kernels.alpine.write(RECORD, PANIC)
    kernels.firmware()
    error = refused(arm, kernels, OTHER_RUN)
    assert error.reason.code == "build_refused"
    assert "no init" in error.reason.message
    assert not kernels.alpine.path(notes.JUMP).exists()
    told = trial(kernels)
    assert how(told) == (False, "rolled_back", "nothing", "panic")
    (refusal,) = told["refused"]
    assert (refusal["cause"], refusal["run"], refusal["time"]) == (
        "panic",
        RUN,
        journal.moment(NOW),
    )


def test_refused_build_is_tried_by_force_alone(kernels: TrialHost) -> None:
    on_trial(kernels)
    roll_back(kernels, cause="required_check", text="nginx is down")
    kernels.firmware()
    assert refused(arm, kernels, OTHER_RUN).reason.code == "build_refused"
    told = arm(kernels, OTHER_RUN, force=True)
    assert (told["state"], told["refused"]) == ("armed", [])


def test_mended_build_is_tried(kernels: TrialHost) -> None:
    on_trial(kernels)
    roll_back(kernels, cause="deadline")
    kernels.firmware()
    kernels.alpine.write("/boot/initramfs-virt", fakes.initramfs(trials.NEW_RELEASE) + b"\0" * 4)
    assert trial(kernels)["next"] == "arm"
    assert arm(kernels, OTHER_RUN)["state"] == "armed"


def test_boot_through_firmware_before_the_jump_is_no_fault_of_the_build(
    kernels: TrialHost,
) -> None:
    arm(kernels)
    kernels.firmware()
    assert how(trial(kernels)) == (False, "rolled_back", "settle", "power")
    assert arm(kernels, OTHER_RUN)["state"] == "armed"


# --- Committed ------------------------------------------------------------------------------


def test_commit(kernels: TrialHost) -> None:
    slot = on_trial(kernels)
    told = commit(kernels)
    assert how(told) == (True, "committed", "nothing", None)
    assert kernels.menus.default == told["good"] == slot
    assert kernels.menus.entries == (slot, kernels.good)
    assert kernels.alpine.path(notes.VERIFIED).read_text() == f"{RUN}\n"
    assert how(commit(kernels)) == (False, "committed", "nothing", None)
    assert kernels.firmware() == slot
    assert how(commit(kernels)) == (False, "committed", "nothing", None)


def test_commit_waits_for_the_checks_of_the_host(kernels: TrialHost) -> None:
    slot = on_trial(kernels, checked="")
    looks: list[float] = []

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            kernels.alpine.write(notes.CHECKED, f"{RUN} passed\n")

    assert how(commit(kernels, sleep=sleep)) == (True, "committed", "nothing", None)
    assert (looks, kernels.menus.default) == ([guard.LOOK_SECONDS] * 3, slot)


@pytest.mark.parametrize(
    ("checked", "said", "looks"),
    [
        ("", "its services have not all come up", 30),
        ("failed the required check 50-storage failed with status 1.", "50-storage failed", 0),
    ],
)
def test_kernel_with_which_the_checks_have_not_passed_is_not_committed(
    kernels: TrialHost, checked: str, said: str, looks: int
) -> None:
    on_trial(kernels, deadline=30, checked=checked)
    slept: list[float] = []
    error = refused(commit, kernels, sleep=slept.append)
    assert (error.reason.code, error.details["state"]) == ("trial_unchecked", "on_trial")
    assert said in error.reason.message
    assert len(slept) == looks
    assert kernels.menus.default == kernels.good
    assert not kernels.alpine.path(notes.VERIFIED).exists()
    assert how(trial(kernels)) == (False, "on_trial", "judge", None)


def test_roll_back_says_which_check_has_failed(kernels: TrialHost) -> None:
    slot = on_trial(kernels, checked="failed the required check 50-storage failed with status 1.")
    told = roll_back(kernels, RUN, cause="operator", text="It could not be committed.")
    assert (told["cause"], told["text"]) == (
        "required_check",
        "the required check 50-storage failed with status 1.",
    )
    assert [each["slot"] for each in told["refused"]] == [slot]


def test_commit_with_a_proof(kernels: TrialHost) -> None:
    slot = on_trial(kernels, cold_proof=True)
    assert how(commit(kernels)) == (True, "verified", "reboot", None)
    assert how(commit(kernels)) == (False, "verified", "reboot", None)
    assert (kernels.menus.default, kernels.menus.once) == (kernels.good, slot)
    assert kernels.firmware() == slot
    assert how(trial(kernels)) == (False, "verified", "commit", None)
    assert how(commit(kernels)) == (True, "committed", "nothing", None)
    assert kernels.menus.entries == (slot, kernels.good)


def test_commit_where_the_proof_failed(kernels: TrialHost) -> None:
    on_trial(kernels, cold_proof=True)
    commit(kernels)
    kernels.firmware()
    kernels.alpine.write(RECORD, PANIC)
    assert kernels.firmware() == kernels.good
    error = refused(commit, kernels)
    assert (error.reason.code, error.details["cause"]) == ("trial_over", "panic")
    assert kernels.menus.entries == (kernels.good,)
    assert trial(kernels)["refused"] != []


def test_commit_of_what_does_not_run(kernels: TrialHost) -> None:
    assert refused(commit, kernels).reason.code == "trial_over"
    arm(kernels)
    assert refused(commit, kernels).reason.code == "trial_not_running"
    assert journal.read(kernels.host).trial is not None


def test_commit_of_a_slot_that_is_not_whole(kernels: TrialHost) -> None:
    slot = on_trial(kernels)
    kernels.alpine.cut(store.path_of(slot, "initrd"), 60)
    assert refused(commit, kernels).reason.code == "slot_damaged"
    assert kernels.menus.default == kernels.good
    assert trial(kernels)["state"] == "verified"


def test_commit_of_what_was_rolled_back(kernels: TrialHost) -> None:
    on_trial(kernels)
    roll_back(kernels, RUN, cause="required_check", text="no nginx")
    error = refused(commit, kernels)
    assert error.reason.code == "trial_over"
    assert "required_check: no nginx" in error.reason.message


# --- Rolled back ----------------------------------------------------------------------------


@pytest.mark.parametrize("run", [RUN, None])
@pytest.mark.parametrize("cause", [None, *journal.CAUSES])
def test_roll_back(kernels: TrialHost, run: str | None, cause: journal.Cause | None) -> None:
    slot = on_trial(kernels)
    kernels.alpine.write(notes.JUMP, "rubbish\n")
    told = roll_back(kernels, run, cause=cause, text="why")
    expected = cause or "operator"
    assert how(told) == (True, "rolled_back", "reboot", expected)
    assert (told["text"], kernels.menus.default) == ("why", kernels.good)
    innocent = expected in ("operator", "power")
    assert [each["slot"] for each in told["refused"]] == ([] if innocent else [slot])
    assert not kernels.alpine.path(notes.JUMP).exists()
    assert how(roll_back(kernels, run, cause=cause)) == (False, *how(told)[1:])
    kernels.firmware()
    assert trial(kernels)["next"] == ("arm" if innocent else "nothing")


def test_roll_back_of_nothing(kernels: TrialHost) -> None:
    assert how(roll_back(kernels)) == (False, "none", "nothing", None)


def test_roll_back_of_what_was_committed(kernels: TrialHost) -> None:
    on_trial(kernels)
    commit(kernels)
    error = refused(roll_back, kernels, RUN)
    assert error.reason.code == "trial_over"
    assert f"good={kernels.good}" in error.reason.remedy


def test_roll_back_before_the_jump(kernels: TrialHost) -> None:
    arm(kernels)
    assert how(roll_back(kernels, RUN)) == (True, "rolled_back", "nothing", "operator")


def test_roll_back_takes_the_order_for_the_proof_back(kernels: TrialHost) -> None:
    on_trial(kernels, cold_proof=True)
    commit(kernels)
    told = roll_back(kernels, RUN, cause="required_check")
    assert how(told) == (True, "rolled_back", "reboot", "required_check")
    assert (kernels.menus.once, kernels.menus.entries) == (None, (kernels.good,))
    assert kernels.firmware() == kernels.good


def test_roll_back_keeps_what_is_proven(kernels: TrialHost) -> None:
    kernels.jump(arm(kernels)["image"], confirmed=False)
    kernels.alpine.write(RECORD, PANIC)
    kernels.firmware()
    told = roll_back(kernels, RUN, cause="unknown", text="It did not answer.")
    assert (told["cause"], told["text"]) == ("panic", "Kernel panic - not syncing: no init")


def test_roll_back_says_what_whoever_asks_knows_where_nothing_is_proven(
    kernels: TrialHost,
) -> None:
    kernels.jump(arm(kernels)["image"], confirmed=False)
    kernels.firmware()
    told = roll_back(kernels, RUN, cause="required_check", text="nginx is down")
    assert (told["cause"], told["text"]) == ("required_check", "nginx is down")


def test_roll_back_without_a_cause_takes_the_one_that_is_left(kernels: TrialHost) -> None:
    kernels.jump(arm(kernels)["image"], confirmed=False)
    kernels.alpine.write(notes.TRIAL_END, f"{RUN} deadline late\n")
    kernels.firmware()
    assert how(roll_back(kernels)) == (True, "rolled_back", "nothing", "deadline")


def test_roll_back_needs_no_boot_loader_that_is_understood(kernels: TrialHost) -> None:
    on_trial(kernels)
    kernels.menus.broken = BROKEN
    told = roll_back(kernels, RUN, cause="required_check")
    assert how(told)[:2] == (True, "rolled_back")


def test_roll_back_waits_for_no_lock(kernels: TrialHost) -> None:
    on_trial(kernels)
    with run_directory(kernels.host):
        assert refused(commit, kernels).reason.code == "boot_config_unwritable"
        assert how(roll_back(kernels, RUN))[:2] == (True, "rolled_back")


def test_default_by_hand_is_not_taken_back(kernels: TrialHost) -> None:
    slot = arm(kernels)["slot"]
    kernels.menus.entries, kernels.menus.default = (slot, kernels.good), slot
    kernels.firmware()
    assert how(trial(kernels)) == (False, "rolled_back", "settle", "operator")
    assert how(roll_back(kernels, RUN, cause="unknown")) == (
        True,
        "rolled_back",
        "nothing",
        "unknown",
    )
    assert kernels.menus.default == slot


# --- Options --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"run": "a b"}, "run is 'a b'"),
        ({"run": "a" * 65}, "at most 64"),
        ({"run": ""}, "run is ''"),
        ({"deadline": 0}, "deadline is 0"),
        ({"deadline": 65536}, "between 1 and 65535"),
        ({"keep": 0}, "keep is 0 and must be between 1 and 9"),
        ({"keep": 10}, "keep is 10"),
    ],
)
def test_options_that_cannot_be_meant(
    kernels: TrialHost, options: dict[str, t.Any], said: str
) -> None:
    error = refused(trial, kernels, "armed", **{"run": RUN, **options})
    assert error.reason.code == "parameter_invalid"
    assert said in error.reason.message


# --- A power cut at every step --------------------------------------------------------------


class PowerCut(BaseException):
    """Nothing runs after it."""


class Steps:
    """Everything that changes the host, of which one can be the last."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._left: int | None = None
        places = (
            (journal, "write"),
            (store, "make"),
            (evidence, "clear"),
            (evidence, "forget_jump"),
            (defaults, "ensure"),
            (once, "once"),
            (once, "clear_once"),
            (files.Writer, "write"),
        )
        for place, name in places:
            monkeypatch.setattr(place, name, self._watched(getattr(place, name)))

    def _watched(self, work: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
        def watched(*arguments: t.Any, **options: t.Any) -> t.Any:
            self._pass()
            done = work(*arguments, **options)
            self._pass()
            return done

        return watched

    def _pass(self) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise PowerCut

    @contextlib.contextmanager
    def cut_after(self, count: int) -> t.Iterator[list[bool]]:
        """Let so many ends and begins of steps pass."""
        self._left = count
        happened = [False]
        try:
            yield happened
        except PowerCut:
            happened[0] = True
        finally:
            self._left = None


@pytest.fixture
def steps(kernels: TrialHost, monkeypatch: pytest.MonkeyPatch) -> Steps:
    assert kernels.good
    return Steps(monkeypatch)


CUTS = range(18)


def settle_well(kernels: TrialHost) -> dict[str, t.Any]:
    """What the next run makes of it: a trial that is well is finished, another one rolled back."""
    for _step in range(8):
        told = trial(kernels)
        assert told["state"] is not None
        if told["next"] == "reboot":
            kernels.firmware()
        elif told["next"] == "settle":
            roll_back(kernels, told["run"])
        elif told["next"] in ("commit", "finish", "prove"):
            commit(kernels, told["run"])
        else:
            return told
    raise AssertionError("there is no end")


@pytest.mark.parametrize("cut", CUTS)
def test_power_cut_while_a_trial_is_armed(kernels: TrialHost, steps: Steps, cut: int) -> None:
    kernels.alpine.write(RECORD, "Panic#1 of others")
    with steps.cut_after(cut) as happened:
        arm(kernels)
    assert kernels.firmware() == kernels.good
    settle_well(kernels)
    # Nothing was tried, so that nothing is refused.
    told = arm(kernels, OTHER_RUN)
    assert (told["state"], told["run"], told["refused"]) == ("armed", OTHER_RUN, [])
    assert happened[0] or cut > 7


@pytest.mark.parametrize("cold_proof", [False, True])
@pytest.mark.parametrize("cut", CUTS)
def test_power_cut_while_a_trial_is_committed(
    kernels: TrialHost, steps: Steps, cut: int, cold_proof: bool
) -> None:
    slot = on_trial(kernels, cold_proof=cold_proof)
    with steps.cut_after(cut) as happened:
        commit(kernels)
    assert kernels.firmware() in (kernels.good, slot)
    told = settle_well(kernels)
    # What runs is what boots, or was it, and the journal says of it what the menu does.
    assert told["good"] == {"committed": slot, "rolled_back": kernels.good}[told["state"]]
    assert kernels.menus.once is None
    assert happened[0] or cut > 7
    if told["state"] == "rolled_back":
        # Cut before the build was verified: no jump is on record, and nothing is held against it.
        assert told["refused"] == []


@pytest.mark.parametrize("cut", CUTS)
def test_power_cut_in_the_commit_of_what_was_proven(
    kernels: TrialHost, steps: Steps, cut: int
) -> None:
    slot = on_trial(kernels, cold_proof=True)
    commit(kernels)
    assert kernels.firmware() == slot
    with steps.cut_after(cut):
        commit(kernels)
    kernels.firmware()
    told = settle_well(kernels)
    assert told["good"] == {"committed": slot, "rolled_back": kernels.good}[told["state"]]


@pytest.mark.parametrize("stage", ["armed", "on_trial", "proving", "made default"])
@pytest.mark.parametrize("cut", CUTS)
def test_power_cut_while_a_trial_is_rolled_back(
    kernels: TrialHost, steps: Steps, cut: int, stage: str
) -> None:
    image = arm(kernels, cold_proof=stage == "proving")["image"]
    slot = str(trial(kernels)["slot"])
    if stage != "armed":
        kernels.jump(image)
    if stage == "proving":
        commit(kernels)
    if stage == "made default":
        known = journal.read(kernels.host)
        assert known.trial is not None
        verified = replace(known, trial=replace(known.trial, step="verified"))
        journal.write(kernels.host, verified)
        kernels.menus.entries, kernels.menus.default = (slot, kernels.good), slot
    with steps.cut_after(cut) as happened:
        roll_back(kernels, RUN, cause="required_check", text="nginx is down")
    kernels.firmware()
    begun = journal.read(kernels.host).trial
    assert begun is not None
    told = settle_well(kernels)
    assert happened[0] or cut > 7
    if begun.step in ("rolling_back", "rolled_back"):
        # From the first word on record, nothing but the end of it comes.
        assert (told["state"], told["cause"]) == ("rolled_back", "required_check")
        assert [each["slot"] for each in told["refused"]] == [slot]
        assert (kernels.menus.default, kernels.menus.once) == (kernels.good, None)
        assert kernels.menus.entries == (kernels.good,)


# --- With the menus that the boot loaders' own tools make -------------------------------------


@pytest.fixture(params=["extlinux", "grub"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Machine:
    return parts.machine(tmp_path / "host", request.param)


def step(machine: Machine, **wish: t.Any) -> dict[str, t.Any]:
    return ensure.ensure(
        machine.host,
        TrialWish(run=RUN, **wish),
        check_mode=False,
        now=lambda: float(NOW),
        sleep=never,
    )


def present(machine: Machine) -> dict[str, t.Any]:
    return slots.ensure(machine.host, SlotWish("present"), check_mode=False, now=lambda: 0.0)


def boot(machine: Machine, number: int, words: t.Sequence[str]) -> None:
    """Boot it, which takes an order for one boot back."""
    once.clear_once(machine.host)
    machine.write("/proc/sys/kernel/random/boot_id", f"{uuid.UUID(int=number)}\n")
    machine.write("/proc/cmdline", " ".join((fakes.CONFIGURED, *words)) + "\n")
    machine.path(notes.VERIFIED).unlink(missing_ok=True)
    machine.write(notes.CHECKED, f"{RUN} passed\n")


def test_trial_with_a_proof(machine: Machine) -> None:
    good = present(machine)["good"]
    boot(machine, 1, [f"alpinefleet_kexec.slot={good}"])
    parts.install(machine.root, trials.NEW_RELEASE)
    told = step(machine, state="armed", cold_proof=True)
    assert (told["good"], look(machine.host).default) == (good, good)
    slot = told["slot"]
    machine.take_orders_for(slot)
    boot(machine, 2, told["image"]["cmdline_append"])
    assert how(step(machine, state="committed")) == (True, "verified", "reboot", None)
    assert (look(machine.host).default, look(machine.host).once) == (good, slot)
    # Whoever looks after slots meanwhile does not take the entry away, nor its guard.
    again = present(machine)
    assert (again["changed"], again["good"]) == (False, good)
    assert (look(machine.host).default, look(machine.host).once) == (good, slot)
    guard = f"alpinefleet_kexec.slot={slot} alpinefleet_kexec.proof={RUN} {DEADLINE}"
    assert guard in (machine.read(machine.menu) or "")
    assert how(step(machine)) == (False, "verified", "reboot", None)
    boot(machine, 3, guard.split())
    assert how(step(machine, state="committed")) == (True, "committed", "nothing", None)
    assert (machine.read(notes.VERIFIED) or "").strip() == RUN
    assert "alpinefleet_kexec.proof" not in (machine.read(machine.menu) or "")
    assert (look(machine.host).default, look(machine.host).once) == (slot, None)
    assert present(machine)["previous"] == good


def test_boot_loader_without_an_order_for_one_boot_proves_nothing(tmp_path: Path) -> None:
    machine = parts.machine(tmp_path / "host", "limine")
    good = present(machine)["good"]
    boot(machine, 1, [f"alpinefleet_kexec.slot={good}"])
    parts.install(machine.root, trials.NEW_RELEASE)
    before = machine.files()
    with pytest.raises(ReasonError) as caught:
        step(machine, state="armed", cold_proof=True)
    assert caught.value.reason.code == "cold_proof_unsupported"
    assert "limine has no order for one boot" in caught.value.reason.message
    assert machine.files() == before
    told = step(machine, state="armed")
    slot = told["slot"]
    assert machine.boots() == f"alpinefleet-kexec-{good}"
    boot(machine, 2, told["image"]["cmdline_append"])
    assert how(step(machine, state="committed")) == (True, "committed", "nothing", None)
    assert (machine.boots(), look(machine.host).default) == (f"alpinefleet-kexec-{slot}", slot)
    assert (present(machine)["previous"], present(machine)["changed"]) == (good, False)


@pytest.mark.parametrize("cold_proof", [False, True])
def test_commit_leaves_as_many_entries_as_are_kept(machine: Machine, cold_proof: bool) -> None:
    names = [present(machine)["good"]]
    boot(machine, 1, [f"alpinefleet_kexec.slot={names[0]}"])
    for number, release in enumerate((trials.NEW_RELEASE, "6.19.2-0-virt"), 1):
        parts.install(machine.root, release)
        told = step(machine, state="armed", cold_proof=cold_proof)
        names.append(told["slot"])
        machine.take_orders_for(told["slot"])
        boot(machine, 10 * number, told["image"]["cmdline_append"])
        step(machine, state="committed", keep=3)
        boot(machine, 10 * number + 1, [f"alpinefleet_kexec.slot={names[-1]}"])
        step(machine, state="committed", keep=3)
    menu = machine.read(machine.menu) or ""
    assert [name for name in names if name not in menu] == []
    again = slots.ensure(
        machine.host, SlotWish("present", keep=3), check_mode=False, now=lambda: 0.0
    )
    assert (again["changed"], again["good"]) == (False, names[-1])


def test_proof_that_is_given_up(machine: Machine) -> None:
    good = present(machine)["good"]
    parts.install(machine.root, trials.NEW_RELEASE)
    boot(machine, 1, [])
    told = step(machine, state="armed", cold_proof=True)
    machine.take_orders_for(told["slot"])
    boot(machine, 2, told["image"]["cmdline_append"])
    step(machine, state="committed")
    told = step(machine, state="rolled_back", cause="required_check", text="no nginx")
    assert how(told) == (True, "rolled_back", "reboot", "required_check")
    assert (look(machine.host).default, look(machine.host).once) == (good, None)
    assert told["slot"] not in (machine.read(machine.menu) or "")
