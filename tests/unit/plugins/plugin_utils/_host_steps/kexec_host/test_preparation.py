# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an operator wants of a host, and which parameters that sets."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps.kexec_host import (
    preparation,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps.kexec_host.preparation import (
    Preparation,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._step import StepError

from tests.plays.run import ROOT

DEFAULTS: dict[str, t.Any] = {
    name.removeprefix("kexec_host_"): value
    for name, value in yaml.safe_load(
        (ROOT / "roles/kexec_host/defaults/main.yml").read_text(encoding="utf-8")
    ).items()
}


def wanted(**given: t.Any) -> Preparation:
    return Preparation.from_dict({**DEFAULTS, **given})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({}, {"kexec_load_disabled": "0"}, id="the lock alone"),
        pytest.param(
            {"panic_timeout": 10}, {"kexec_load_disabled": "0", "panic": "10"}, id="a panic"
        ),
        pytest.param(
            {"watchdog": True},
            {"kexec_load_disabled": "0", "watchdog.stop_on_reboot": "0"},
            id="a watchdog",
        ),
        pytest.param(
            {"watchdog": True, "panic_timeout": 1},
            {"kexec_load_disabled": "0", "panic": "1", "watchdog.stop_on_reboot": "0"},
            id="all",
        ),
    ],
)
def test_parameters_are_those_that_are_wanted(
    given: dict[str, t.Any], expected: dict[str, str]
) -> None:
    found = preparation.parameters(wanted(**given))
    assert {each["name"]: each["value"] for each in found} == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({}, False, id="on request"),
        pytest.param({"mode": "every_reboot"}, True, id="every reboot"),
        pytest.param({"mode": "every_reboot", "services": False}, False, id="no services"),
        pytest.param({"mode": "every_reboot", "state": "absent"}, False, id="taken back"),
    ],
)
def test_reboot_is_replaced_only_where_every_reboot_goes_through_kexec(
    given: dict[str, t.Any], expected: bool
) -> None:
    assert wanted(**given).replaces_reboot is expected


def test_variables_that_were_not_frozen_are_named() -> None:
    with pytest.raises(StepError, match=r"lacks some of panic_timeout, .*freeze_variables"):
        Preparation.from_dict({"state": "present"})
