# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""host_origin as Ansible runs it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.modules import host_origin
from ansible_collections.alpinefleet.kexec.tests.unit import documentation

if t.TYPE_CHECKING:
    from ansible_collections.alpinefleet.kexec.tests.unit.plugins.modules.conftest import (
        Documented,
        Machine,
        Own,
    )

main = host_origin.main
DOCS = documentation.of("host_origin")


@pytest.fixture
def returned(documented: type[Documented]) -> Documented:
    return documented(DOCS.returns)


def test_result_is_the_documented_one(machine: Machine, returned: Documented, own: Own) -> None:
    result = machine.run(main, parameters=["panic"])
    assert own(result) == returned.names("success")
    (difference,) = result["diff"]
    assert difference["before"] == ""
    assert '"panic"' in difference["after"]
    result = machine.run(main, state="absent", parameters=["panic"])
    assert own(result) == returned.names("success", "with O(state=absent)")


def test_failure_is_the_documented_one(machine: Machine, returned: Documented, own: Own) -> None:
    machine.alpine.write("/var/lib/alpinefleet-kexec/origin", "half of i")
    result = machine.run(main)
    assert own(result) == returned.names("failure")
    assert result["reasons"][0]["code"] == "origin_not_understood"
