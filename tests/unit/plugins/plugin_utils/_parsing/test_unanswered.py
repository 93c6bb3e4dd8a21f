# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._parsing import unanswered


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("The module interpreter '/usr/bin/python3' was not found.", "no_python"),
        ("Failed: interpreter python3 Not Found", "no_python"),
        ("MODULE FAILURE: killed", "module_failed"),
        ("The file was not found by the interpreter.", "module_failed"),
    ],
)
def test_host_without_a_result_is_told_by_what_ansible_says(said: str, code: str) -> None:
    found = unanswered.silent(said)
    assert (found.code, found.blocks) == (code, "reboot")
    assert said in found.message
    assert found.remedy


def test_host_that_says_very_much_is_cut() -> None:
    found = unanswered.silent("x" * 10**7)
    assert len(found.message) < 1200


def test_answer_of_another_form_is_told_with_all_that_is_wrong() -> None:
    found = unanswered.invalid(["its able is 1", "its reasons is None"])
    assert found.code == "answer_invalid"
    assert found.message.endswith("its able is 1; its reasons is None.")
    assert "do not trust the host" in found.remedy
