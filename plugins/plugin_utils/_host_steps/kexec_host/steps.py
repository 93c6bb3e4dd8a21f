# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The steps of the role kexec_host: each takes what tasks have found, and tells the next ones what to do."""

from __future__ import annotations

from dataclasses import replace

from ..._parsing import forms
from .. import asking
from ..asking import Asking, StepArguments, StepResult, refuse
from ..ending import SoFar
from . import command, kept, locks, preparation, verdict
from .preparation import Preparation


class PreparingSteps:
    """What is decided of one host."""

    def __init__(self, asking: Asking, *, check_mode: bool) -> None:
        self._asking = asking
        self._check_mode = check_mode

    def able(self, given: StepArguments) -> StepResult:
        """Refuse a host that cannot be made able, and tell what has to be set on the others."""
        wanted = Preparation.from_dict(given["wanted"])
        answer = self._asking.answer_of_any("reasons")
        refuse(asking.sentences(verdict.hopeless(answer.reasons or ())))
        command.refuse_a_stranger(wanted, command.link_of(given["reboot_command"]))
        found = answer.lock_settings
        return {
            "parameters": preparation.parameters(wanted),
            "edits": locks.edits(found, given["mark"]) if wanted.remove_lock else [],
            "warning": "" if wanted.remove_lock else locks.warning(found),
        }

    def lead(self, given: StepArguments) -> StepResult:
        """Where the command reboot is to lead."""
        wanted, now = (
            Preparation.from_dict(given["wanted"]),
            command.link_of(given["reboot_command"]),
        )
        return {"leads_to": command.leads_to(wanted, now, kept.parse(given["kept"]).reboot)}

    def restore(self, given: StepArguments) -> StepResult:
        """What brings back what the host was like, unless what firmware boots needs what is taken away."""
        refuse(*verdict.of_slots(given["slots"]))
        found = kept.parse(given["kept"])
        return {
            "restores": found.restores,
            "removes_package": found.removes_package,
            "warning": "" if found.is_known else kept.UNKNOWN,
        }

    def as_before(self, given: StepArguments) -> StepResult:
        """See that all is as it was."""
        left = [
            each for each in forms.items(given["compared"].get("left")) or () if forms.text(each)
        ]
        refuse(" ".join(left), "Put it back by hand.")
        return {}

    def must_boot(self, given: StepArguments) -> StepResult:
        """Whether a boot through firmware is missing, and whether the role is to make it."""
        wanted = Preparation.from_dict(given["wanted"])
        answer = self._asking.answer_of_any("reasons")
        boots = verdict.must_boot(wanted, answer, kept.parse(given["kept"]))
        left = verdict.in_the_way(answer.reasons or (), boots=boots)
        return replace(
            SoFar.from_dict(given["so_far"]),
            reboot_required=boots,
            boots=boots and wanted.reboot_allowed,
            warning=verdict.advice(wanted, boots=boots),
            left=asking.sentences(left),
        ).as_dict()

    def booted(self, given: StepArguments) -> StepResult:
        """What the host says after that boot, which was only predicted in check mode."""
        answer = self._asking.answer_of_any("reasons")
        left = verdict.in_the_way(answer.reasons or (), boots=self._check_mode)
        return replace(
            SoFar.from_dict(given["so_far"]),
            booted=True,
            reboot_required=self._check_mode,
            left=asking.sentences(left),
        ).as_dict()

    def verify(self, given: StepArguments) -> StepResult:
        """See that nothing stands against kexec, and that the service would find what to load."""
        refuse(SoFar.from_dict(given["so_far"]).left)
        refuse(verdict.of_service(given["verified"]))
        return {}
