# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Results say what is known, and null where nothing is."""

from __future__ import annotations

import dataclasses
import importlib
import typing as t

import pytest
import yaml
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.port import Outcome
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._parsing.answer import Answer, parse
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot import failure, results
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.failure import RebootError
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.observation import (
    Method,
    Observation,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.protocol import Order, Proof

OLD, NEW = "3b2d1f60-6f5c-4a0e-9f0d-6a1f0f3c9a77", "d7a0c3f2-04f3-4b7e-8a44-0d1c8fb0a6e1"
ADVICE = {"code": "panic_hangs", "message": "m", "remedy": "r", "blocks": "nothing"}
SAID: dict[str, t.Any] = {
    "changed": True,
    "boot_id": OLD,
    "reasons": [ADVICE],
    "facts": {"running_release": "6.18.38-0-virt", "running_cmdline": "quiet"},
    "diff": {"before": "", "after": "kernel: /boot/vmlinuz-virt\n"},
}
PREPARED = parse(SAID)
NOTHING = Answer()
CAME_UP = Observation(NEW, "6.18.56-0-virt", "quiet token", "208", "", "", 2.5)


def order(method: Method = "kexec", firmware_release: str | None = "6.18.56-0-virt") -> Order:
    release = "6.18.56-0-virt"
    return Order(
        method, "t0ken", OLD, release, "firmware", firmware_release, "web1", None, 4020, "mark"
    )


def proof(method: Method = "kexec") -> Proof:
    return Proof(CAME_UP, method, 6.414, {"trigger": 0.111, "down": 5.909})


def error(rebooted: bool | None, stage: failure.Stage = "down", **details: t.Any) -> RebootError:
    return RebootError(
        "did_not_return", "Gone.", "Look.", stage=stage, rebooted=rebooted, **details
    )


# What another task handed over knows no facts and no reasons.
HANDED = dataclasses.replace(PREPARED, reasons=())

ALL = {
    "ordered": results.ordered(order(), PREPARED, acknowledged=True),
    "not waited for": results.not_waited(HANDED),
    "check mode": results.predicted(order(), PREPARED),
    "proven": results.proven(order(), proof(), PREPARED),
    "failed": results.failed(error(None, last_error="x"), PREPARED),
    "failed with what came up": results.failed(
        error(True, "verify", method="firmware", observation=CAME_UP), PREPARED
    ),
    "failed early": results.failed(error(False, "preflight"), NOTHING),
}


def documented() -> dict[str, t.Any]:
    package = "ansible_collections.alpinefleet.kexec.plugins.modules.kexec_reboot"
    module = importlib.import_module(package)
    return t.cast("dict[str, t.Any]", yaml.safe_load(module.RETURN))


@pytest.mark.parametrize("result", ALL.values(), ids=ALL)
def test_result_has_what_is_always_returned(result: dict[str, t.Any]) -> None:
    always = {name for name, each in documented().items() if each["returned"] == "always"}
    assert always <= result.keys()


@pytest.mark.parametrize("result", ALL.values(), ids=ALL)
def test_result_has_nothing_that_is_not_documented(result: dict[str, t.Any]) -> None:
    assert result.keys() <= {*documented(), "changed", "failed", "msg", "diff"}


# --- Order and wait apart ------------------------------------------------------------------


@pytest.mark.parametrize("acknowledged", [True, False])
def test_ordered_claims_no_reboot_and_hands_the_order_over(acknowledged: bool) -> None:
    result = results.ordered(order(), PREPARED, acknowledged=acknowledged)
    assert (result["changed"], result["rebooted"], result["method"]) == (True, None, "kexec")
    assert (result["order"]["boot_id"], result["order"]["token"]) == (OLD, "t0ken")
    assert result["order"]["acknowledged"] is acknowledged


def test_not_waited_claims_nothing() -> None:
    result = results.not_waited(HANDED)
    assert (result["changed"], result["rebooted"], result["method"]) == (False, False, None)


def test_downtime_that_was_not_seen_is_null() -> None:
    result = results.proven(order(), Proof(CAME_UP, "kexec", None, {}), PREPARED)
    assert result["downtime"] is None


# --- Check mode ----------------------------------------------------------------------------


def test_predicted_says_what_would_happen_and_that_it_did_not() -> None:
    result = results.predicted(order(), PREPARED)
    assert (result["changed"], result["rebooted"], result["method"]) == (True, False, "kexec")
    assert result["boot_id"] == {"before": OLD, "after": None}
    assert result["reasons"] == [ADVICE]


def test_predicted_order_is_one_that_another_task_can_wait_for() -> None:
    handed = results.predicted(order(), PREPARED, wait=False)["order"]
    assert (handed["boot_id"], handed["host"], handed["acknowledged"]) == (OLD, "web1", False)
    assert "order" not in results.predicted(order(), PREPARED)


@pytest.mark.parametrize(
    ("ordered", "after"),
    [
        pytest.param(order("kexec", None), "6.18.56-0-virt", id="kexec"),
        pytest.param(order("firmware"), "6.18.56-0-virt", id="firmware"),
        pytest.param(order("firmware", None), None, id="firmware, unknown"),
    ],
)
def test_predicted_kernel(ordered: Order, after: str | None) -> None:
    result = results.predicted(ordered, PREPARED)
    assert result["release"] == {"before": "6.18.38-0-virt", "after": after}


def test_predicted_shows_the_image_that_would_be_loaded() -> None:
    assert results.predicted(order(), PREPARED)["diff"] == SAID["diff"]
    without = dataclasses.replace(PREPARED, diff={})
    assert results.predicted(order("firmware"), without)["diff"] == {}


# --- Proven --------------------------------------------------------------------------------


def test_proven_says_what_came_up() -> None:
    result = results.proven(order(), proof(), PREPARED)
    assert (result["changed"], result["rebooted"], result["method"]) == (True, True, "kexec")
    assert result["boot_id"] == {"before": OLD, "after": NEW}
    assert result["release"] == {"before": "6.18.38-0-virt", "after": "6.18.56-0-virt"}
    assert result["cmdline"] == {"before": "quiet", "after": "quiet token"}
    assert result["token"] == "t0ken"
    assert result["reasons"] == [ADVICE]


def test_proven_rounds_its_times() -> None:
    result = results.proven(order(), proof(), PREPARED)
    assert (result["downtime"], result["timings"]) == (6.41, {"trigger": 0.11, "down": 5.91})


def test_proven_notes_that_the_image_did_not_come_up() -> None:
    result = results.proven(order(), proof("firmware"), PREPARED)
    assert result["method"] == "firmware"
    assert [each["code"] for each in result["reasons"]] == ["kexec_not_proven", "panic_hangs"]


@pytest.mark.parametrize(
    ("ordered", "came_up", "token"),
    [
        pytest.param("kexec", "kexec", "t0ken", id="kexec"),
        pytest.param("firmware", "firmware", None, id="firmware"),
        pytest.param("kexec", "firmware", None, id="fell back"),
    ],
)
def test_proven_has_a_token_only_where_the_kernel_carries_it(
    ordered: Method, came_up: Method, token: str | None
) -> None:
    assert results.proven(order(ordered), proof(came_up), PREPARED)["token"] == token


def test_note_says_what_the_documentation_says() -> None:
    note = results.proven(order(), proof("firmware"), PREPARED)["reasons"][0]
    assert note["message"] == failure.NOTES["kexec_not_proven"]


# --- Failed --------------------------------------------------------------------------------


def test_failed_says_why_and_how_far_it_came() -> None:
    result = results.failed(error(None, last_error="No route to host"), PREPARED)
    assert (result["failed"], result["msg"], result["stage"]) == (True, "Gone. Look.", "down")
    assert result["reason"]["code"] == "did_not_return"
    assert result["last_error"] == "No route to host"
    assert "unreachable" not in result


@pytest.mark.parametrize(
    ("stage", "rebooted", "loaded", "changed"),
    [
        pytest.param("verify", True, False, True, id="rebooted"),
        pytest.param("test_command", True, False, True, id="rebooted to no use"),
        pytest.param("down", None, False, True, id="unknown"),
        pytest.param("shutdown", False, False, True, id="services were stopped"),
        pytest.param("trigger", False, True, True, id="only an image was loaded"),
        pytest.param("trigger", False, False, False, id="order not accepted"),
        pytest.param("load", False, False, False, id="image not loaded"),
        pytest.param("preflight", False, False, False, id="nothing happened"),
    ],
)
def test_failed_says_whether_anything_changed(
    stage: failure.Stage, rebooted: bool | None, loaded: bool, changed: bool
) -> None:
    result = results.failed(error(rebooted, stage), dataclasses.replace(PREPARED, changed=loaded))
    assert (result["rebooted"], result["changed"]) == (rebooted, changed)


def test_failed_shows_what_came_up_instead() -> None:
    result = results.failed(error(True, method="firmware", observation=CAME_UP), PREPARED)
    assert result["method"] == "firmware"
    assert result["boot_id"] == {"before": OLD, "after": NEW}
    assert result["release"]["after"] == "6.18.56-0-virt"
    assert result["cmdline"]["after"] == "quiet token"
    assert "observation" not in result


def test_failed_before_the_host_said_anything() -> None:
    result = results.failed(error(False, "preflight"), NOTHING)
    assert result["boot_id"] == result["release"] == {"before": None, "after": None}
    assert (result["changed"], result["reasons"]) == (False, [])


def test_failed_does_not_take_over_what_the_host_said_of_its_own() -> None:
    said = parse({**SAID, "unreachable": True, "ansible_facts": {"ansible_user": "eve"}})
    assert results.failed(error(False), said).keys().isdisjoint({"unreachable", "ansible_facts"})


def test_order_that_was_not_acknowledged_has_what_the_host_said() -> None:
    said = Outcome(126, "", "sh: setsid: not found")
    told = {"rc": 126, "stdout": "", "stderr": "sh: setsid: not found"}
    result = results.ordered(order(), PREPARED, acknowledged=False, unheard=said)
    assert result["said"] == told
    # Ansible takes each other status than 0 for a failure.
    assert "rc" not in result
    assert "said" not in results.ordered(order(), PREPARED, acknowledged=True)
