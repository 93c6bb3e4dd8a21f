# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of kexec_reboot, which runs on the controller: it says what comes back."""

from __future__ import annotations

import re
import typing as t

import pytest
import yaml
from ansible_collections.alpinefleet.kexec.plugins.modules import kexec_reboot
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._answer import parse
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot import failure, results
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.observation import (
    Observation,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.protocol import Order, Proof

RETURN: dict[str, t.Any] = yaml.safe_load(kexec_reboot.RETURN)
COMMON = {"changed", "diff", "failed", "msg"}
PREPARED = parse({"facts": {"running_release": "6.18", "running_cmdline": "quiet"}})
ORDER = Order("kexec", "abc", "old", "6.18", "firmware", "6.18", "web1", None, 4020, "mark")
TIMINGS = {"trigger": 0.1, "shutdown": 2.0, "down": 3.0, "verify": 0.2}


def documented(*returned: str) -> set[str]:
    return {name for name, each in RETURN.items() if each["returned"] in returned}


def test_it_has_no_code_of_its_own() -> None:
    assert not hasattr(kexec_reboot, "main")


def test_every_value_of_a_prediction_is_documented_and_returned() -> None:
    assert set(results.predicted(ORDER, PREPARED)) - COMMON == documented("always")


def test_every_value_of_a_reboot_is_documented_and_returned() -> None:
    observation = Observation("new", "6.18", "quiet", "210", "", "", 2.5)
    result = results.proven(ORDER, Proof(observation, "kexec", 5.0, TIMINGS), PREPARED)
    assert set(result) - COMMON == documented("always") | {"token"}
    assert "token" in RETURN
    assert set(result["timings"]) == set(RETURN["timings"]["contains"])


def test_every_value_of_a_failure_is_documented_and_returned() -> None:
    error = failure.RebootError(
        "did_not_return", "Gone.", "Look.", stage="down", rebooted=None, last_error="timeout"
    )
    own = set(results.failed(error, PREPARED)) - COMMON
    assert documented("always", "failure") | {"last_error"} == own
    assert own <= set(RETURN)


FOUND = Observation("new", "6.18", "quiet", "52", "", "", 2.5)
AFTER_THE_JUMP = [
    pytest.param(failure.wrong_method("kexec", "firmware", FOUND), "firmware", id="wrong_method"),
    pytest.param(failure.wrong_method("kexec", None, FOUND), None, id="somebody else's image"),
    pytest.param(failure.wrong_kernel("6.12", "kexec", FOUND), "kexec", id="wrong_kernel"),
    pytest.param(failure.test_failed("false", None, "kexec", FOUND), "kexec", id="test_command"),
]


@pytest.mark.parametrize(("error", "method"), AFTER_THE_JUMP)
def test_failure_after_the_jump_has_the_documented_values_of_what_runs(
    error: failure.RebootError, method: str | None
) -> None:
    result = results.failed(error, PREPARED)
    assert set(result) - COMMON == documented("always", "failure")
    assert (result["rebooted"], result["method"]) == (True, method)
    after = {name: result[name]["after"] for name in ("boot_id", "kernel", "cmdline")}
    assert after == {"boot_id": "new", "kernel": "6.18", "cmdline": "quiet"}


def test_token_is_documented_as_null_after_firmware() -> None:
    result = results.proven(ORDER, Proof(FOUND, "firmware", 5.0, TIMINGS), PREPARED)
    assert result["token"] is None
    assert "null" in RETURN["token"]["description"]


def test_stages_are_all_documented_in_their_order() -> None:
    text = " ".join(RETURN["stage"]["description"])
    assert re.findall(r"V\((\w+)\)", text) == list(t.get_args(failure.Stage))


def test_examples_are_tasks_of_this_module() -> None:
    tasks = yaml.safe_load(kexec_reboot.EXAMPLES)
    assert all("alpinefleet.kexec.kexec_reboot" in task and "name" in task for task in tasks)
