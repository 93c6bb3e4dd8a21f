# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host is looked at until it is well, or until its time is over."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.checkup import Checkup
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.health import Examination
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.ports import OtherBootError
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

from .test_protocol import (
    ALL_RUN,
    NEW_BOOT,
    OLD_BOOT,
    ONE_IS_MISSING,
    REFUSED,
    SERVICES,
    by_kexec,
    wanted,
)


class Scene:
    """A host that answers by its timeline."""

    def __init__(self, *found: tuple[float, Examination | Exception]) -> None:
        self.clock = fakes.FakeClock()
        examinations: list[tuple[float, Examination | Exception]] = [(0.0, ALL_RUN), *found]
        self.remote = fakes.FakeRemote(self.clock, [(0.0, by_kexec())], examinations=examinations)
        self.log: list[str] = []
        self.checkup = Checkup(wanted(), SERVICES, self.remote, self.clock, self.log.append)


def test_host_that_is_well_is_looked_at_once() -> None:
    scene = Scene()
    assert scene.checkup.until(NEW_BOOT, 20.0) == []
    assert scene.remote.names() == ["examine"]
    assert scene.clock.time < 1


def test_host_that_becomes_well_is_looked_at_until_then() -> None:
    scene = Scene((0.0, ONE_IS_MISSING), (4.0, REFUSED), (8.0, ALL_RUN))
    assert scene.checkup.until(NEW_BOOT, 20.0) == []
    assert 8 <= scene.clock.time < 10
    assert "not well yet: service nginx" in scene.log


@pytest.mark.parametrize("seconds", [0.0, 5.0])
def test_host_that_does_not_become_well_has_its_time(seconds: float) -> None:
    scene = Scene((0.0, ONE_IS_MISSING))
    assert scene.checkup.until(NEW_BOOT, seconds) == ["service nginx"]
    assert seconds - 1 <= scene.clock.time < seconds + 1


def test_boot_that_has_ended_is_told_or_is_what_is_wrong() -> None:
    scene = Scene()
    with pytest.raises(OtherBootError):
        scene.checkup.until(OLD_BOOT, 5.0)
    assert scene.checkup.look(OLD_BOOT, 5.0) == [f"another boot than {OLD_BOOT}"]
