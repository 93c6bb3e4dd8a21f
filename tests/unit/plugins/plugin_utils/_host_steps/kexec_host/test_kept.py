# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host has kept of itself, and what brings it back."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._record.origin import HostOrigin
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps.kexec_host import kept

HAD = HostOrigin({"kexec_load_disabled": (), "panic": ("panic=5",)}, False, "/bin/busybox")


def told(origin: HostOrigin | None = HAD) -> dict[str, t.Any]:
    """What host_origin returns of a host."""
    if origin is None:
        return {"origin": None, "restore": {"present": [], "absent": []}}
    return {"origin": origin.as_dict(), "restore": origin.restore()}


def test_host_is_brought_back_to_what_it_had() -> None:
    found = kept.parse(told())
    assert (found.reboot, found.removes_package) == ("/bin/busybox", True)
    assert found.restores == [
        {"state": "present", "parameters": [{"name": "panic", "value": "5"}]},
        {"state": "absent", "parameters": [{"name": "kexec_load_disabled"}]},
    ]
    assert (found.removes("kexec_load_disabled"), found.removes("panic")) == (True, False)


def test_only_what_is_left_to_do_is_done() -> None:
    found = kept.parse(told(HostOrigin({"panic": ("panic=5",)}, True, None)))
    assert (found.reboot, found.removes_package) == (None, False)
    assert [each["state"] for each in found.restores] == ["present"]


@pytest.mark.parametrize(
    "answer",
    [
        told(None),
        {},
        {"origin": "said", "restore": {"absent": [{"name": "kexec_load_disabled"}]}},
        {"origin": {}, "restore": "said"},
    ],
)
def test_host_that_has_kept_nothing_is_left_as_it_is(answer: dict[str, t.Any]) -> None:
    found = kept.parse(answer)
    assert (found.restores, found.removes_package, found.reboot) == ([], False, None)
    assert not found.removes("kexec_load_disabled")
    assert not found.is_known


@pytest.mark.parametrize("package", [None, "no", 0])
def test_package_is_removed_only_where_the_host_knows_that_it_was_not_there(package: t.Any) -> None:
    answer = told()
    answer["origin"]["package"] = package
    assert not kept.parse(answer).removes_package


def test_parameters_of_another_form_are_none() -> None:
    answer = told()
    answer["restore"]["absent"] = [
        "kexec_load_disabled",
        {"value": "1"},
        {"name": "a"},
        {"name": ""},
        {"name": "b", "value": {}},
        {"name": ["c"]},
    ]
    assert kept.parse(answer).restores[-1]["parameters"] == [{"name": "a"}]
