# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verdict of a guard counts for its own run, while it has not been told that the kernel is well."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host import notes
from ansible_collections.alpinefleet.kexec.plugins.module_utils._trial import guard
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

RUN = "run-7"
TRIAL, PROOF = f"alpinefleet_kexec.trial={RUN}", f"alpinefleet_kexec.proof={RUN}"
WHY = "the required check 50-storage failed with status 1."


def boot(alpine: fakes.FakeHost, cmdline: str, checked: str = "", verified: str = "") -> None:
    alpine.write("/proc/cmdline", f"{cmdline}\n")
    for name, text in ((notes.CHECKED, checked), (notes.VERIFIED, verified)):
        if text:
            alpine.write(name, f"{text}\n")


@pytest.mark.parametrize(
    ("cmdline", "checked", "verified", "said"),
    [
        (f"quiet {TRIAL}", f"{RUN} passed", "", None),
        (f"quiet {PROOF}", f"{RUN} passed", "", None),
        (f"quiet {TRIAL}", "", "", guard.NOT_ENDED),
        (f"quiet {PROOF}", "", "", guard.NOT_ENDED),
        (f"quiet {TRIAL}", f"{RUN} failed {WHY}", "", WHY),
        (f"quiet {TRIAL}", "run-6 passed", "", guard.NOT_ENDED),
        (f"quiet {TRIAL}", f"{RUN} maybe", "", guard.NOT_ENDED),
        # It was told before.
        (f"quiet {TRIAL}", "", RUN, None),
        (f"quiet {TRIAL}", "", "run-6", guard.NOT_ENDED),
        # Another kernel runs, which has no guard of this run.
        ("quiet", "", "", None),
        ("quiet alpinefleet_kexec.trial=run-6", "", "", None),
        (f"quiet -- {TRIAL}", "", "", None),
    ],
)
def test_objection(
    alpine: fakes.FakeHost, cmdline: str, checked: str, verified: str, said: str | None
) -> None:
    boot(alpine, cmdline, checked, verified)
    assert guard.objection(alpine.host, RUN) == said


@pytest.mark.parametrize(
    ("checked", "said"),
    [(f"{RUN} failed {WHY}", WHY), (f"{RUN} passed", None), ("run-6 failed x", None), ("", None)],
)
def test_fault(alpine: fakes.FakeHost, checked: str, said: str | None) -> None:
    boot(alpine, f"quiet {TRIAL}", checked)
    assert guard.fault(alpine.host, RUN) == said


@pytest.mark.parametrize(
    ("cmdline", "comes", "looks"),
    [(TRIAL, 0, 0), (TRIAL, 3, 3), (TRIAL, 99, 7), ("quiet", 99, 0)],
)
def test_wait_ends_with_a_verdict_or_with_its_time(
    alpine: fakes.FakeHost, cmdline: str, comes: int, looks: int
) -> None:
    boot(alpine, cmdline, f"{RUN} passed" if not comes else "")
    slept: list[t.Any] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == comes:
            boot(alpine, cmdline, f"{RUN} passed")

    guard.wait(alpine.host, RUN, 7, sleep)
    assert slept == [guard.LOOK_SECONDS] * looks
