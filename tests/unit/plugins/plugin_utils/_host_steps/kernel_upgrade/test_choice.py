# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done with a host after its upgrade: a table of what was found and what is wished for."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps.kernel_upgrade.choice import (
    Choice,
    UpgradeSeen,
    UpgradeWish,
    choose,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps.kernel_upgrade.told import (
    BuildRefused,
    FoundCandidate,
    SlotsTold,
)

SAME = FoundCandidate("old", differs=False)
NEW = FoundCandidate("new", differs=True, because=("the kernel", "the initramfs"))
REFUSED = replace(NEW, refused=BuildRefused("panic"))
COLD = ("Microcode has changed.",)
WISH = UpgradeWish("first_batch", force=False, deadline=600)


def seen(candidate: FoundCandidate | None, **given: t.Any) -> UpgradeSeen:
    good = given.pop("good", "old")
    return UpgradeSeen(SlotsTold(good=good, candidate=candidate), **given)


@pytest.mark.parametrize(
    ("wish", "found", "way"),
    [
        pytest.param(WISH, seen(SAME), "nothing", id="all as it was"),
        pytest.param(WISH, seen(None, check_mode=True), "nothing", id="nobody knows as yet"),
        pytest.param(WISH, seen(SAME, cold=COLD), "firmware", id="only what firmware takes up"),
        pytest.param(WISH, seen(NEW), "trial", id="another kernel"),
        pytest.param(WISH, seen(NEW, cold=COLD), "trial", id="both"),
        pytest.param(WISH, seen(NEW, check_mode=True), "foretold", id="in check mode"),
        pytest.param(WISH, seen(NEW, good=None), "foretold", id="no slot as yet"),
        pytest.param(WISH, seen(REFUSED), "nothing", id="a build that was refused"),
        pytest.param(WISH, seen(REFUSED, cold=COLD), "firmware", id="that, and something else"),
        pytest.param(replace(WISH, force=True), seen(REFUSED), "trial", id="by force"),
    ],
)
def test_least_that_is_needed_is_done(wish: UpgradeWish, found: UpgradeSeen, way: str) -> None:
    assert choose(wish, found).way == way


def test_nothing_is_done_without_a_word() -> None:
    assert choose(WISH, seen(SAME)) == Choice("nothing")
    assert choose(WISH, seen(SAME, cold=COLD)).because == COLD
    because = choose(WISH, seen(NEW, cold=COLD)).because
    assert because == (
        "What apk has (new) differs from what firmware boots (old) by the kernel, the initramfs.",
        *COLD,
    )


def test_build_that_was_refused_is_told_with_its_cause() -> None:
    found = choose(WISH, seen(REFUSED))
    assert found.reason is not None
    assert (found.reason.code, found.reason.blocks) == ("build_refused", "nothing")
    assert "new was tried and is not tried again by itself (panic)." in found.reason.message
    assert "kernel_upgrade_force" in found.reason.remedy


@pytest.mark.parametrize(
    ("cold_proof", "first", "cold", "proves"),
    [
        ("first_batch", True, (), True),
        ("first_batch", False, (), False),
        ("always", False, (), True),
        ("never", True, (), False),
        # Firmware must start the machine for that in any case.
        ("never", False, COLD, True),
    ],
)
def test_kernel_is_proven_through_firmware_where_that_is_wanted(
    cold_proof: t.Any, first: bool, cold: t.Any, proves: bool
) -> None:
    wish = replace(WISH, cold_proof=cold_proof)
    found = choose(wish, seen(NEW, first_batch=first, cold=cold))
    assert (found.cold_proof, found.cold_start) == (proves, bool(cold))
