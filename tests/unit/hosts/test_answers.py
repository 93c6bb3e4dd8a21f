# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.tests.unit import documentation

from tests.hosts import answers
from tests.hosts.boot import Boot, Image

BOOT, IMAGE = Boot(), Image("6.1", "abc")
# Returned in some cases only, and not in those that are made up here.
SOMETIMES = {"token", "stage", "rc", "stdout", "stderr"}
ALWAYS = {"changed"}


@pytest.mark.parametrize("able", [True, False])
def test_answer_of_the_preflight_has_the_keys_that_are_documented(*, able: bool) -> None:
    returns = documentation.of("kexec_preflight").returns
    answer = answers.preflight(BOOT, None, able=able)
    assert answer.keys() - ALWAYS == returns.keys() - SOMETIMES
    assert answer["facts"].keys() == returns["facts"]["contains"].keys()


def test_answer_of_the_load_has_the_keys_that_are_documented() -> None:
    answer = answers.load(BOOT, IMAGE, able=True, changed=True)
    assert answer.keys() - ALWAYS == documentation.of("kexec_load").returns.keys() - SOMETIMES


def test_load_that_is_not_possible_says_why() -> None:
    answer = answers.load(BOOT, IMAGE, able=False, changed=True)
    assert answer["failed"]
    assert [reason["code"] for reason in answer["reasons"]] == ["kexec_locked"]
    assert not answer["facts"]["loaded"]


def test_facts_say_that_the_host_is_an_alpine() -> None:
    assert answers.setup(BOOT)["ansible_facts"]["ansible_distribution"] == "Alpine"


def test_programs_are_found_where_alpine_has_them() -> None:
    assert [file["path"] for file in answers.find(["reboot"])["files"]] == ["/sbin/reboot"]
