# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the host said becomes an order or a refusal, and never a surprise."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils import _reasons
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image import choose
from ansible_collections.alpinefleet.kexec.plugins.module_utils._kexec import once
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._parsing.answer import Answer, parse
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot import orders
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot import spec as spec_module
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.failure import RebootError
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.protocol import Order
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.spec import Request

BOOT_ID = "3b2d1f60-6f5c-4a0e-9f0d-6a1f0f3c9a77"
VIRT, LTS = "/boot/vmlinuz-virt", "/boot/vmlinuz-lts"
RELEASE = "6.18.56-0-virt"
MACHINE = "dmi:4c4c4544-0042-3510-8056-b4c04f4a4e32"
UPTIME = 4000.93

RUNNING: dict[str, t.Any] = {"running_release": "6.18.38-0-virt", "running_cmdline": "q"}

Said = dict[str, t.Any]


def request(**given: t.Any) -> Request:
    """The options of a task, with their defaults."""
    defaults = {name: each.get("default") for name, each in spec_module.ARGUMENT_SPEC.items()}
    return spec_module.parse({**defaults, **given}, "web1")


def reasons(*codes: str) -> list[dict[str, str]]:
    return [_reasons.reason(code, f"It is {code}.", f"Mend {code}.").as_dict() for code in codes]


def prepared(*codes: str, firmware: str | None = VIRT, **given: t.Any) -> Answer:
    """What the module returned."""
    return parse(
        {
            "reasons": reasons(*codes),
            "kernel": VIRT,
            "release": RELEASE,
            "boot_id": BOOT_ID,
            "uptime": UPTIME,
            "facts": {"firmware_kernel": firmware, "hardware_id": MACHINE, **RUNNING},
            **given,
        }
    )


def refused(*codes: str, **given: t.Any) -> Answer:
    """What the module returned that could not load an image."""
    return prepared(*codes, **{"failed": True, "msg": "no", "stage": "preflight", **given})


def refusal(said: Answer, **given: t.Any) -> RebootError:
    with pytest.raises(RebootError) as caught:
        orders.order_for(request(**given), said, token="t0ken", seconds=0.4)
    somebody_else = caught.value.reason.code in ("already_leaving", "load_in_progress")
    assert caught.value.rebooted is (None if somebody_else else False)
    return caught.value


@pytest.mark.parametrize("fallback", ["firmware", "fail"])
def test_failed_module_that_names_no_obstacle_orders_nothing(fallback: str) -> None:
    error = refusal(refused(msg="killed"), fallback=fallback)
    assert error.reason.code == "module_failed"
    assert "killed" in error.reason.message


# --- The call of the module ----------------------------------------------------------------


def call(**given: t.Any) -> tuple[str, dict[str, t.Any]]:
    return orders.module_call(request(**given), token="t0ken", controller_boot_id=BOOT_ID)


@pytest.mark.parametrize(
    ("method", "name", "token"),
    [
        pytest.param("kexec", "alpinefleet.kexec.kexec_load", "t0ken", id="kexec loads"),
        pytest.param("firmware", "alpinefleet.kexec.kexec_preflight", None, id="firmware looks"),
    ],
)
def test_module_call(method: str, name: str, token: str | None) -> None:
    module, options = call(method=method)
    assert (module, options.get("token")) == (name, token)
    assert options["controller_boot_id"] == BOOT_ID


@pytest.mark.parametrize(
    ("method", "spec"),
    [("kexec", once.LOAD_ARGUMENTS), ("firmware", choose.PREFLIGHT_ARGUMENTS)],
    ids=["kexec", "firmware"],
)
def test_module_call_has_only_options_of_the_module(
    method: str, spec: dict[str, dict[str, t.Any]]
) -> None:
    assert call(method=method)[1].keys() <= spec.keys()


def test_module_call_passes_what_the_user_said() -> None:
    _name, options = call(flavour="lts", cmdline_append=["panic=10"])
    assert (options["flavour"], options["cmdline_append"]) == ("lts", ["panic=10"])


def test_module_call_leaves_out_what_the_user_did_not_say() -> None:
    assert "kernel" not in call()[1]


# --- The order -----------------------------------------------------------------------------

KEXEC, FIRMWARE = {"method": "kexec"}, {"method": "firmware"}


@pytest.mark.parametrize(
    ("given", "said", "expected"),
    [
        pytest.param(KEXEC, prepared(), "kexec", id="kexec is possible"),
        pytest.param(KEXEC, prepared("panic_hangs"), "kexec", id="advice is no obstacle"),
        pytest.param(FIRMWARE, prepared(), "firmware", id="firmware"),
        pytest.param(FIRMWARE, prepared("kexec_locked"), "firmware", id="firmware needs no kexec"),
        pytest.param(KEXEC, refused("kexec_locked"), "firmware", id="fallback"),
        pytest.param(KEXEC, refused("load_failed", stage="load"), "firmware", id="load failed"),
        pytest.param(KEXEC, refused("lockdown", firmware=None), "firmware", id="unknown default"),
        pytest.param(KEXEC, refused("lockdown", kernel=None), "firmware", id="unknown kernel"),
    ],
)
def test_method_of_the_order(given: dict[str, str], said: Answer, expected: str) -> None:
    assert orders.order_for(request(**given), said, token="t0ken", seconds=0.4).method == expected


def test_order_has_what_must_be_found_afterwards() -> None:
    order = orders.order_for(request(), prepared(), token="t0ken", seconds=0.4)
    assert (order.token, order.boot_id, order.release) == ("t0ken", BOOT_ID, RELEASE)


def test_order_has_what_the_user_says_of_the_wait() -> None:
    given: dict[str, t.Any] = {name: 10.0 * number for number, name in enumerate(orders.WAITING, 1)}
    given |= {"test_command": "true", "other_host_key": "wait", "health": None}
    order = orders.order_for(request(**given), prepared(), token="t0ken", seconds=0.4)
    assert {name: getattr(order, name) for name in orders.WAITING} == given


def test_order_has_the_defaults_of_the_options() -> None:
    names = orders.WAITING
    bare = Order("kexec", "t0ken", BOOT_ID, RELEASE, "firmware", RELEASE, "web1", None, 0, "m")
    assert {name: getattr(bare, name) for name in names} == {
        name: spec_module.ARGUMENT_SPEC[name].get("default") for name in names
    }


HEALTH: dict[str, t.Any] = {
    "required_services": [],
    "ignore_services": [],
    "commands": [],
    "ports": [],
    "timeout": 120.0,
    "stable_seconds": 0.0,
}


@pytest.mark.parametrize(
    ("health", "services"),
    [(None, None), ({**HEALTH, "services": False}, None), ({**HEALTH, "services": True}, ())],
    ids=["no health", "without services", "with services"],
)
def test_order_says_whether_services_are_to_be_listed(
    health: dict[str, t.Any] | None, services: tuple[str, ...] | None
) -> None:
    wanted = request(health=health)
    order = orders.order_for(wanted, prepared(), token="t0ken", seconds=0.4)
    assert (order.health, order.services) == (wanted.health, services)


@pytest.mark.parametrize(
    ("firmware", "expected"),
    [
        pytest.param(VIRT, RELEASE, id="the same kernel"),
        pytest.param(None, None, id="default unknown"),
        pytest.param(LTS, None, id="another kernel"),
    ],
)
def test_release_that_firmware_must_bring(firmware: str | None, expected: str | None) -> None:
    order = orders.order_for(request(), prepared(firmware=firmware), token="t0ken", seconds=0.4)
    assert order.firmware_release == expected


def test_release_that_firmware_must_bring_is_unknown_with_the_kernel() -> None:
    said = prepared(kernel=None, release=None, firmware=None)
    order = orders.order_for(request(method="firmware"), said, token="t0ken", seconds=0.4)
    assert order.firmware_release is None


@pytest.mark.parametrize(
    ("given", "firmware", "expected"),
    [
        pytest.param({}, VIRT, "firmware", id="nothing named, same kernel"),
        pytest.param({}, LTS, "firmware", id="nothing named, another kernel"),
        pytest.param({}, None, "firmware", id="nothing named, default unknown"),
        pytest.param({"kernel": VIRT}, VIRT, "firmware", id="kernel that is the default"),
        pytest.param({"flavour": "virt"}, VIRT, "firmware", id="flavour that is the default"),
        pytest.param({"kernel": VIRT}, LTS, "fail", id="kernel that is not the default"),
        pytest.param({"flavour": "virt"}, LTS, "fail", id="flavour that is not the default"),
        pytest.param({"kernel": VIRT}, None, "fail", id="kernel where the default is unknown"),
        pytest.param({"fallback": "fail"}, VIRT, "fail", id="user allows none"),
        pytest.param(
            {"method": "firmware", "kernel": VIRT}, LTS, "firmware", id="firmware was asked for"
        ),
    ],
)
def test_fallback_after_the_jump(
    given: dict[str, str], firmware: str | None, expected: str
) -> None:
    order = orders.order_for(
        request(**given), prepared(firmware=firmware), token="t0ken", seconds=0.4
    )
    assert order.fallback == expected


# --- The refusals --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said", "code"),
    [
        pytest.param(KEXEC, refused("kernel_truncated"), "kernel_truncated", id="broken kernel"),
        pytest.param(FIRMWARE, prepared("not_root"), "not_root", id="firmware, not root"),
        pytest.param(
            FIRMWARE,
            prepared("target_is_controller"),
            "target_is_controller",
            id="firmware, controller",
        ),
        pytest.param(FIRMWARE, prepared("already_leaving"), "already_leaving", id="another leaver"),
        pytest.param(KEXEC, refused("load_in_progress"), "load_in_progress", id="another run"),
        pytest.param(
            KEXEC,
            refused("kexec_locked", "initramfs_missing"),
            "initramfs_missing",
            id="what no reboot survives counts first",
        ),
        pytest.param(
            {"fallback": "fail"}, refused("kexec_locked"), "kexec_locked", id="no fallback"
        ),
        pytest.param(
            {"fallback": "fail"},
            refused("panic_hangs", "lockdown"),
            "lockdown",
            id="advice is not the cause",
        ),
    ],
)
def test_refusal_is_what_the_host_said(given: dict[str, str], said: Answer, code: str) -> None:
    error = refusal(said, **given)
    assert error.reason.code == code
    assert str(error) == f"It is {code}. Mend {code}."


@pytest.mark.parametrize("stage", ["preflight", "load"])
def test_refusal_has_the_stage_of_the_module(stage: str) -> None:
    error = refusal(refused("load_failed", stage=stage), fallback="fail")
    assert error.stage == stage


def test_fallback_does_not_boot_another_kernel_than_the_user_named() -> None:
    error = refusal(refused("kexec_locked", kernel=LTS), flavour="lts")
    assert error.reason.code == "firmware_boots_other_kernel"
    assert VIRT in str(error)
    assert LTS in str(error)
    assert "Mend kexec_locked." in str(error)


def test_fallback_does_not_boot_an_unknown_kernel_where_the_user_named_one() -> None:
    error = refusal(refused("kexec_locked", firmware=None), kernel=VIRT)
    assert error.reason.code == "firmware_boots_other_kernel"
    assert "a kernel that is not known" in str(error)


def test_fallback_boots_the_default_where_the_user_named_nothing() -> None:
    order = orders.order_for(
        request(), refused("kexec_locked", kernel=LTS), token="t0ken", seconds=0.4
    )
    assert order.method == "firmware"


@pytest.mark.parametrize(
    ("said", "message"),
    [
        pytest.param({"failed": True, "msg": "MODULE FAILURE"}, "MODULE FAILURE", id="crashed"),
        pytest.param({"module_stderr": "no python3\n"}, "no python3", id="no interpreter"),
        pytest.param({}, "it said nothing", id="nothing"),
    ],
)
@pytest.mark.parametrize("method", ["kexec", "firmware"])
def test_module_that_did_not_run_is_reported(method: str, said: Said, message: str) -> None:
    error = refusal(parse(said), method=method)
    assert error.reason.code == "module_failed"
    assert message in str(error)


@pytest.mark.parametrize(
    "missing",
    [
        pytest.param({"boot_id": None}, id="no boot_id"),
        pytest.param({"boot_id": "b00t"}, id="boot_id that is none"),
        pytest.param({"boot_id": ["a", "list"]}, id="boot_id of another type"),
        pytest.param({"uptime": None}, id="no uptime"),
        pytest.param({"uptime": "soon"}, id="uptime that is none"),
        pytest.param({"uptime": -1}, id="uptime before the boot"),
        pytest.param({"uptime": float("nan")}, id="uptime that is no number"),
        pytest.param({"uptime": True}, id="uptime of another type"),
        pytest.param({"facts": None}, id="no facts"),
        pytest.param({"facts": {"running_cmdline": "q"}}, id="no running release"),
        pytest.param({"facts": {**RUNNING, "running_cmdline": 1}}, id="no command line"),
    ],
)
@pytest.mark.parametrize(
    ("given", "codes"),
    [
        pytest.param(FIRMWARE, (), id="firmware"),
        pytest.param(KEXEC, ("kexec_locked",), id="fallback"),
        pytest.param(KEXEC, (), id="kexec"),
    ],
)
def test_reboot_that_could_not_be_proven_is_not_ordered(
    given: dict[str, str], codes: tuple[str, ...], missing: Said
) -> None:
    said = refused(*codes, **missing) if codes else prepared(**missing)
    assert refusal(said, **given).reason.code == "answer_invalid"


@pytest.mark.parametrize("said", [BOOT_ID.upper(), f"{{{BOOT_ID}}}", BOOT_ID.replace("-", "")])
def test_boot_is_written_in_one_way_whatever_the_host_says(said: str) -> None:
    order = orders.order_for(request(), prepared(boot_id=said), token="t0ken", seconds=0.4)
    assert order.boot_id == BOOT_ID


def test_order_is_that_of_one_host_and_expires_there() -> None:
    order = orders.order_for(request(), prepared(), token="t0ken", seconds=0.4)
    assert (order.host, order.hardware_id) == ("web1", MACHINE)
    assert order.expires == 4000 + orders.ORDER_SECONDS


def test_order_to_a_host_that_is_slow_expires_later() -> None:
    slow = orders.order_for(request(), prepared(), token="t0ken", seconds=45.2)
    assert slow.expires == 4000 + orders.ORDER_SECONDS + 90


def test_orders_that_boot_the_same_image_have_marks_of_their_own() -> None:
    said = prepared(token="fr0zen")
    first, second = (
        orders.order_for(request(), said, token="t0ken", seconds=0.4) for _each in range(2)
    )
    assert first.token == second.token == "fr0zen"
    assert first.mark != second.mark


@pytest.mark.parametrize("number", [{}, {"hardware_id": None}, {"hardware_id": ["a", "list"]}])
def test_order_of_a_machine_without_a_number(number: Said) -> None:
    said = prepared(facts={"firmware_kernel": VIRT, **RUNNING, **number})
    order = orders.order_for(request(), said, token="t0ken", seconds=0.4)
    assert order.hardware_id is None


# --- An order of another task --------------------------------------------------------------


def taken_over(asked: Request) -> tuple[Order, Answer]:
    assert asked.wait_for is not None
    return orders.taken_over(asked, asked.wait_for)


def test_order_survives_being_handed_over() -> None:
    said = prepared()
    given = request(fallback="fail", flavour="virt", reboot_timeout=77, test_command="true")
    before = orders.order_for(given, said, token="t0ken", seconds=0.4)
    value = orders.hand_over(before, said, acknowledged=True)
    assert [*value] == [*spec_module.ORDER_SPEC]
    waiting = request(wait_for=value, reboot_timeout=77, test_command="true")
    after, known = taken_over(waiting)
    assert dataclasses.replace(before, acknowledged=True) == after
    assert known == Answer(boot_id=BOOT_ID, reasons=(), **RUNNING)


@pytest.mark.parametrize("by_kexec", [True, False])
def test_boot_loader_that_ends_in_a_kexec_is_handed_over(by_kexec: bool) -> None:
    said = prepared(facts={"firmware_kernel": VIRT, "started_by_kexec": by_kexec, **RUNNING})
    before = orders.order_for(request(method="firmware"), said, token="t0ken", seconds=0.4)
    value = orders.hand_over(before, said, acknowledged=True)
    after, _known = taken_over(request(wait_for=value))
    assert before.loader_ends_in_kexec is after.loader_ends_in_kexec is by_kexec


def test_order_that_was_handed_over_is_written_in_one_way() -> None:
    facts = {"firmware_kernel": VIRT, "running_release": "", "running_cmdline": ""}
    before = orders.order_for(request(), prepared(facts=facts), token="t0ken", seconds=0.4)
    value = orders.hand_over(before, prepared(facts=facts), acknowledged=True)
    value |= {"boot_id": BOOT_ID.upper(), "hardware_id": MACHINE.upper()}
    after, known = taken_over(request(wait_for=value))
    assert (after.boot_id, after.hardware_id) == (BOOT_ID, MACHINE)
    assert known.boot_id == BOOT_ID
