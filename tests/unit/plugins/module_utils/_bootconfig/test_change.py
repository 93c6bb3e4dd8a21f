# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A change of a boot loader's files as a plan; carrying one out is tested with boot_parameter."""

from __future__ import annotations

import errno

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig import change
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.change import Plan
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.editors import Settings
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.parameter import (
    Parameters,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host import notes
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

PATH = "/boot/limine/limine.conf"
STATIC = Settings("limine", (PATH,), lambda _texts: [])
MADE = Settings("zipl", (PATH,), lambda _texts: [], lambda _host: [["/sbin/zipl"]])


def plan(
    before: str | None, after: str, settings: Settings = STATIC, *, stale: bool = False
) -> Plan:
    return Plan(settings, Parameters(()), {PATH: before}, {PATH: after}, stale)


@pytest.mark.parametrize(
    ("found", "changed", "regenerated"),
    [
        pytest.param(plan("a", "a"), False, False, id="nothing to do"),
        pytest.param(plan("a", "b"), True, False, id="the menu itself"),
        pytest.param(plan("a", "b", MADE), True, True, id="what a menu is made of"),
        pytest.param(plan("a", "a", MADE, stale=True), True, True, id="a menu that is behind"),
        pytest.param(plan("a", "a", stale=True), False, False, id="nothing to make"),
        pytest.param(plan(None, ""), False, False, id="a file that needs not be there"),
        pytest.param(plan(None, "b"), True, False, id="a new file"),
    ],
)
def test_result_says_what_would_be_done(found: Plan, changed: bool, regenerated: bool) -> None:
    result = found.result()
    assert (result["changed"], result["regenerated"]) == (changed, regenerated)
    assert len(result["diff"]) == len(found.writes)


def test_difference_is_that_of_the_texts() -> None:
    (difference,) = plan(None, "b").result()["diff"]
    assert (difference["before"], difference["after"]) == ("", "b")
    assert difference["before_header"] == difference["after_header"] == PATH


@pytest.mark.parametrize("check_mode", [True, False])
def test_what_lies_in_the_directory_of_a_mount_is_not_changed(
    alpine: fakes.FakeHost, check_mode: bool
) -> None:
    alpine.write(PATH, "a")
    alpine.write("/etc/fstab", "/dev/sda1 /boot vfat rw 0 0\n")
    before = alpine.snapshot()
    with pytest.raises(ReasonError) as caught:
        change.ensure(alpine.host, lambda: plan("a", "b"), check_mode=check_mode)
    assert caught.value.reason.code == "boot_not_mounted"
    assert alpine.path(PATH).read_text() == "a"
    assert not check_mode or alpine.snapshot() == before


def test_check_mode_asks_for_no_lock(alpine: fakes.FakeHost) -> None:
    alpine.write(PATH, "a")
    assert change.ensure(alpine.host, lambda: plan("a", "b"), check_mode=True)["changed"]
    assert not alpine.path(notes.RUN).exists()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            BlockingIOError(errno.EAGAIN, "busy"),
            f"{notes.RUN} cannot be written: another run holds",
        ),
        (PermissionError(errno.EACCES, "denied", "/run/x"), "/run/x cannot be written: denied"),
        (OSError("odd"), f"{notes.RUN} cannot be written: odd"),
    ],
)
def test_lock_that_cannot_be_had_is_told(error: OSError, said: str) -> None:
    assert said in change.not_held(error).reason.message


@pytest.mark.parametrize(
    ("before", "after", "wrong_modes", "writes"),
    [
        pytest.param("a", None, (), (PATH,), id="a file that is not to be there"),
        pytest.param("", None, (), (PATH,), id="an empty file that is not to be there"),
        pytest.param(None, None, (), (), id="none, and none wanted"),
        pytest.param("a", "a", (PATH,), (PATH,), id="a mode alone"),
    ],
)
def test_what_is_removed_or_gets_a_mode_is_written(
    before: str | None, after: str | None, wrong_modes: tuple[str, ...], writes: tuple[str, ...]
) -> None:
    found = Plan(
        STATIC, Parameters(()), {PATH: before}, {PATH: after}, False, {PATH: 0o755}, wrong_modes
    )
    assert found.writes == writes
    assert len(found.result()["diff"]) == (after is None and bool(writes))
