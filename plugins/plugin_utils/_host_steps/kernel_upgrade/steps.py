# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""How the role kernel_upgrade goes on: each step takes what tasks have found, and tells what is next."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass, replace

from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Reason

from ..._fast_reboot import rescued
from ..._fast_reboot.boot import Boot, BootImage
from ..._fast_reboot.result import Pair
from ..._parsing import forms
from ..._step import StepError, handed
from ..._variables.speakers import Variables
from .. import asking
from ..asking import StepArguments, StepResult
from ..ending import SoFar
from ..foresight import Noted
from . import choice, packages, retreat
from .choice import Choice, UpgradeSeen, UpgradeWish
from .told import SlotsTold, TrialTold

# Between the end of the health and the deadline there must be time for the tasks in between.
SPARE_SECONDS = 60.0

# What becomes of a trial that an earlier run has left, by what kernel_trial says is next.
LEFT_BEHIND = {
    **dict.fromkeys(("judge", "prove", "commit", "finish"), "finish"),
    "settle": "go_back",
    "reboot": "boot_good",
}
NO_CANDIDATE = "The host was upgraded, and what apk has now is no kernel that could be tried."
NO_COLD_PROOF = (
    "The boot loader of this host cannot boot a kernel once, so the new one is not proven by a boot through "
    "firmware before it is the default."
)
NOT_PROVEN = "The host did not come up with the kernel that was to be tried, but through {method}."
NOT_ANSWERED = (
    "The host was well with the kernel that was tried, and did not answer when it was to keep it."
)
NOT_KEPT = "The kernel that was tried is not the default: the trial is {state}, and next is {next}."
TAKE_IT_BACK = (
    "See the text of the trial and the console of the host. When the build is mended, apk brings another one; "
    "kernel_upgrade_force=true has this one tried once more."
)


@dataclass(frozen=True)
class Rebooted:
    """As much as is of use of a result of fast_reboot."""

    method: str | None = None
    reason: Reason | None = None
    release: Pair | None = None

    @property
    def pair(self) -> Pair:
        """The kernels before and after it."""
        return self.release or Pair()


@dataclass(frozen=True)
class Upgraded:
    """What apk has changed."""

    upgraded: bool = False
    packages: tuple[str, ...] = ()


class KernelSteps:
    """What is decided of one host."""

    def __init__(self, variables: Variables, *, check_mode: bool) -> None:
        self._variables = variables
        self._check_mode = check_mode

    def earlier(self, given: StepArguments) -> StepResult:
        """What becomes of a trial that an earlier run has left, before anything else is done."""
        found = TrialTold.from_dict(given["found"])
        if found.state is None:
            # A host that may be on trial is not well, whatever apk has.
            raise StepError(retreat.TRIAL_UNKNOWN, asking.sentences(found.reasons))
        # One that is verified waits for its proof through firmware.
        is_proven = found.state == "verified" and found.next == "reboot"
        way = "finish" if is_proven else LEFT_BEHIND.get(found.next or "", "")
        over = way in ("go_back", "boot_good")
        # Where no slots are wanted any more, one that is on is taken back instead.
        back = way if over else ("go_back" if found.is_on else "")
        return {"way": way, "back": back, "cause": "" if over else "operator"}

    def choose(self, given: StepArguments) -> StepResult:
        """The least that is needed, for the steps that follow and for the result."""
        wish = _wish(given)
        upgraded = handed(
            Upgraded, given["upgraded"], option="upgraded", by="the step upgraded has"
        )
        slots = SlotsTold.from_dict(given["slots"])
        cold = packages.cold(upgraded.packages)
        if slots.candidate is None and not self._check_mode:
            raise StepError(NO_CANDIDATE, asking.sentences(slots.reasons))
        chosen = choice.choose(
            wish,
            UpgradeSeen(
                slots,
                tuple(cold),
                first_batch=is_first_batch(self._variables),
                check_mode=self._check_mode,
            ),
        )
        so_far = SoFar.from_dict(given["so_far"]).saying(**_of_choice(chosen, slots))
        return {**so_far.as_dict(), "words": _words(chosen)}

    def armed(self, given: StepArguments) -> StepResult:
        """Whether it is armed once more, without a proof that the boot loader cannot give."""
        wish = _wish(given)
        found, so_far = TrialTold.from_dict(given["found"]), SoFar.from_dict(given["so_far"])
        if not found.is_refused:
            return {**so_far.as_dict(), "again": False, "words": ""}
        if found.is_unproven and wish.cold_proof != "always":
            told = so_far.saying(cold_proof=False)
            return {**told.as_dict(), "again": True, "words": NO_COLD_PROOF}
        raise StepError(found.msg or "The trial could not be armed.", "")

    def jump(self, given: StepArguments) -> StepResult:
        """The boot of a trial, which may be away until its guard has taken it back."""
        found = TrialTold.from_dict(given["found"])
        wish = _wish(given)
        if found.image is None:
            raise StepError(
                f"No trial is armed, it is {found.state}: what apk has is not what it was a moment ago.",
                "See who else changes the packages of the host, and run the role again.",
            )
        boot = Boot("kexec", found.image, holds=True, more_seconds=float(wish.deadline))
        return {"boot": asdict(boot)}

    def tried(self, given: StepArguments) -> StepResult:
        """The host came up with the trial's kernel, and is well; that reboot is the one that is told of."""
        so_far = SoFar.from_dict(given["so_far"]).with_account(given["reboot"])
        method = _rebooted(given["reboot"]).method
        if method != "kexec" and not self._check_mode:
            raise StepError(NOT_PROVEN.format(method=method or "nothing"), TAKE_IT_BACK)
        return so_far.as_dict()

    def proof(self, given: StepArguments) -> StepResult:
        """The boot of a slot once through firmware, which may bring another release than that of the default.

        It may be away until its guard has taken it back, as the trial.
        """
        found, slots = TrialTold.from_dict(given["found"]), SlotsTold.from_dict(given["slots"])
        image = next(
            (
                BootImage(each.kernel, each.initramfs)
                for each in slots.slots
                if each.id == found.slot
            ),
            None,
        )
        if image is None:
            raise StepError(
                f"The slot {found.slot} is to be proven, and it is not there any more.",
                "See who else changes the slots of the host, and run the role again.",
            )
        boot = Boot(
            "firmware",
            image,
            follows=given["follows"],
            holds=True,
            more_seconds=float(_wish(given).deadline),
        )
        return {"boot": asdict(boot)}

    def committed(self, given: StepArguments) -> StepResult:
        """See that the slot is the default, and whether firmware must start the machine for something else."""
        found, so_far = TrialTold.from_dict(given["found"]), SoFar.from_dict(given["so_far"])
        if found.unreachable:
            raise StepError(NOT_ANSWERED, TAKE_IT_BACK)
        if found.state != "committed" and not self._check_mode:
            raise StepError(NOT_KEPT.format(state=found.state, next=found.next), TAKE_IT_BACK)
        told = so_far.told
        kept = so_far.saying(good=found.good, previous=told.get("good"))
        # A proof through firmware has started the machine as well.
        starts = told.get("cold_start") is True and told.get("cold_proof") is not True
        return {**kept.as_dict(), "starts_cold": starts}

    def take_back(self, given: StepArguments) -> StepResult:
        """Whether a trial is taken back after a failure, or its host is on its way back by itself.

        One that was up with the trial's kernel, and does not answer, is waited for once.
        """
        found, so_far = TrialTold.from_dict(given["found"]), SoFar.from_dict(given["so_far"])
        if found.unreachable and so_far.account and not given["waited"]:
            return {**so_far.as_dict(), "way": "", "cause": "", "waits": _seconds_away(given)}
        reason = _rebooted(given["reboot"]).reason
        made = retreat.retreat(found, so_far.code if reason is None else reason.code)
        failure = " ".join(filter(None, (so_far.failure, made.said)))
        return {
            **replace(so_far, failure=failure).as_dict(),
            "way": made.way,
            "cause": made.cause,
            "waits": 0,
        }

    def leave(self, given: StepArguments) -> StepResult:
        """Whether the host must leave what it runs; what has drained it is not run once more."""
        boots = retreat.is_left(TrialTold.from_dict(given["found"]))
        return {"boots": boots, "boot": asdict(Boot("firmware", follows=True))}

    def taken_back(self, given: StepArguments) -> StepResult:
        """How the trial has ended, for the result and as its reason."""
        found, so_far = TrialTold.from_dict(given["found"]), SoFar.from_dict(given["so_far"])
        told = so_far.saying(**retreat.words(found))
        release = _rebooted(given["reboot"]).pair.after
        if so_far.account and release:
            before = _rebooted(so_far.account).pair.before
            account = {**so_far.account, "release": {"before": before, "after": release}}
            told = replace(told, account=account)
        if found.cause in (None, "operator"):
            return told.as_dict()
        why = Reason("trial_failed", _of_trial(found, so_far.failure), TAKE_IT_BACK, "reboot")
        return replace(told.saying(reason=asdict(why)), failure=asking.sentences([why])).as_dict()

    def stuck(self, given: StepArguments) -> StepResult:
        """Taking the trial back has failed, too."""
        so_far, said = SoFar.from_dict(given["so_far"]), rescued.message(self._variables)
        found = TrialTold.from_dict(given["found"])
        told = so_far if found.is_refused else so_far.saying(**retreat.words(found))
        failure = (
            f"{so_far.failure} The way back from the kernel that was tried failed, too: {said}"
        )
        return replace(told, failure=failure).as_dict()

    def in_time(self, given: StepArguments) -> StepResult:
        """Refuse a deadline by which nobody could know whether the host is well."""
        wish = _wish(given)
        health = Noted.from_dict(given["noted"]).run.plan.arguments.health
        needed = SPARE_SECONDS
        if health is not None:
            needed += health.timeout + health.stable_seconds
        if wish.deadline < needed:
            raise StepError(
                f"The variable kernel_upgrade_deadline is {wish.deadline} and must be at least {needed:g}: the "
                "health of the host takes fast_reboot_health_timeout and fast_reboot_stable_seconds, and the guard "
                "on the host would take back a kernel that is well.",
                "Raise it, or lower those; nothing was done to the host.",
            )
        return {}


def _wish(given: StepArguments) -> UpgradeWish:
    return handed(UpgradeWish, given["wanted"], option="wanted", by="freeze_variables has")


def _seconds_away(given: StepArguments) -> int:
    """Until its guard has left the trial's kernel at the latest, and firmware has booted the other one."""
    timeout = Noted.from_dict(given["noted"]).run.plan.arguments.reboot_timeout
    return round(_wish(given).deadline + timeout)


def is_first_batch(variables: Variables) -> bool:
    """Whether the host is of the batch that the play begins with; so is each in a play without batches."""
    hosts = forms.items(variables.get("ansible_play_hosts_all")) or ()
    batch = forms.items(variables.get("ansible_play_batch")) or ()
    return not hosts or hosts[0] in batch


def _of_choice(chosen: Choice, slots: SlotsTold) -> dict[str, t.Any]:
    """What the result says of it; an account of a reboot may have a reason of its own."""
    told = {**asdict(chosen), "good": slots.good, "previous": slots.previous}
    return {name: value for name, value in told.items() if name != "reason" or value is not None}


def _words(chosen: Choice) -> str:
    """What people are told at once."""
    reason = "" if chosen.reason is None else asking.sentences([chosen.reason])
    return " ".join(filter(None, (*chosen.because, reason)))


def _rebooted(reboot: object) -> Rebooted:
    given = reboot if isinstance(reboot, t.Mapping) else {}
    return handed(Rebooted, given, option="reboot", by="the role fast_reboot has")


def _of_trial(found: TrialTold, failure: str) -> str:
    said = found.text or failure
    text = f" {said.rstrip('.')}." if said else ""
    return (
        f"The kernel {found.slot} was tried and is not kept ({found.cause}): firmware boots "
        f"{found.good}.{text}"
    )
