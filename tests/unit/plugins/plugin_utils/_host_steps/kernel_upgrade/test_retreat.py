# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a trial is taken back after a failure, and by what cause: a table."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps.kernel_upgrade.retreat import (
    NO_ANSWER_ON_TRIAL,
    TRIAL_UNKNOWN,
    Retreat,
    retreat,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps.kernel_upgrade.told import (
    TrialTold,
)

ON = TrialTold("on_trial", "judge")


@pytest.mark.parametrize(
    ("found", "code", "expected"),
    [
        pytest.param(ON, "unhealthy", Retreat("go_back", "required_check"), id="not well"),
        pytest.param(
            ON, "test_command_failed", Retreat("go_back", "required_check"), id="of no use"
        ),
        pytest.param(
            TrialTold("verified", "reboot"),
            "unhealthy",
            Retreat("go_back", "required_check"),
            id="not well from cold",
        ),
        pytest.param(ON, None, Retreat("go_back", "operator"), id="something else failed"),
        pytest.param(
            TrialTold("verified", "commit"),
            None,
            Retreat("go_back", "operator"),
            id="the menu could not be written",
        ),
        pytest.param(
            TrialTold("armed", "jump"),
            "kexec_locked",
            Retreat("go_back", "operator"),
            id="it never began",
        ),
        # An unhealthy host that was not even left for the trial is none of the build's.
        pytest.param(
            TrialTold("armed", "jump"), "unhealthy", Retreat("go_back", "operator"), id="before it"
        ),
        pytest.param(
            TrialTold("rolled_back", "settle"), "wrong_method", Retreat("go_back"), id="it panicked"
        ),
        pytest.param(TrialTold("none", "reboot"), None, Retreat("boot_good"), id="a stray kernel"),
        pytest.param(TrialTold("none", "nothing"), None, Retreat(), id="no trial"),
        pytest.param(TrialTold("committed", "nothing"), "unhealthy", Retreat(), id="kept"),
        pytest.param(
            TrialTold(unreachable=True),
            "did_not_return",
            Retreat(said=NO_ANSWER_ON_TRIAL),
            id="lost",
        ),
        pytest.param(TrialTold(), None, Retreat(said=TRIAL_UNKNOWN), id="it cannot be told"),
        pytest.param(ON, "overtaken", Retreat(), id="another run is at work"),
        pytest.param(ON, "already_leaving", Retreat(), id="somebody else reboots the host"),
    ],
)
def test_trial_is_taken_back_by_whom_it_is_to_blame_on(
    found: TrialTold, code: str | None, expected: Retreat
) -> None:
    assert retreat(found, code) == expected
