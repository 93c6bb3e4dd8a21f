# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each way to end a boot comes to where firmware boots a slot and apk has another kernel."""

from __future__ import annotations

import pytest

from tests import lab
from tests.plays import FAST_REBOOT, Supply, only_in_full

from .conftest import LOADERS, Host, take
from .variables import OLD

pytestmark = [only_in_full, pytest.mark.long]

ENDINGS: dict[str, lab.Ending] = {
    "reboot": "firmware",
    "poweroff": "off",
    "halt": "halted",
    "kexec-reboot": "kexec",
    "fast-reboot.yml": "kexec",
}


def end(host: Host, action: str) -> lab.Ending:
    """End its boot, and have it up again."""
    record = lab.find(host.name)

    def act() -> None:
        if action == "fast-reboot.yml":
            run = host.play(FAST_REBOOT)
            assert run.rc == 0, run.output
        else:
            lab.ssh(record, f"(sleep 1; {action}) </dev/null >/dev/null 2>&1 &")

    found = lab.ending(record, act)
    lab.bring_back(record, found)
    return found


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("action", ENDINGS)
def test_ending_leads_to_the_slot(machines: Supply, loader: str, action: str) -> None:
    host = take(machines, loader)
    good = host.slots().good
    host.apk_upgrade()
    assert end(host, action) == ENDINGS[action]
    # Nothing but a trial boots what apk has installed.
    assert (host.release(), host.slot_parameter()) == (OLD, good)
    assert host.lost_modules() == ""
