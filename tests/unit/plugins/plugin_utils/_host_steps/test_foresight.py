# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the preflight has against an upgrade, as far as it is asked for."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._step import StepError

from .rolling_upgrade.test_steps import BROKEN, LOCKED, NOTED, UpgradedHost

HUNG = {"code": "kexec_hung", "message": "Hung.", "remedy": "Look.", "blocks": "kexec"}


def foresee(*reasons: dict[str, str], needs: t.Sequence[str] = ()) -> list[dict[str, t.Any]]:
    host = UpgradedHost(*reasons)
    assert host.foresight.foresee({"noted": NOTED, "needs": needs}) == {}
    return host.asked


def test_host_is_asked_with_what_was_noted_of_its_reboot() -> None:
    assert foresee(LOCKED) == [{"ignore_reasons": ["kexec_hung"], "denied_platforms": []}]


@pytest.mark.parametrize(
    ("reasons", "needs", "said"),
    [
        ((LOCKED, BROKEN), (), "The host was not upgraded. Gone. Install."),
        ((BROKEN,), ("kexec",), "The host was not upgraded. Gone. Install."),
        ((LOCKED,), ("kexec",), "The host was not upgraded. Locked. Reboot."),
    ],
)
def test_host_is_left_alone_that_lacks_what_is_needed(
    reasons: t.Any, needs: t.Any, said: str
) -> None:
    with pytest.raises(StepError) as caught:
        foresee(*reasons, needs=needs)
    assert str(caught.value) == said


def test_jump_that_hung_may_be_that_of_a_trial_which_is_settled_first() -> None:
    foresee(HUNG, needs=("kexec",))
