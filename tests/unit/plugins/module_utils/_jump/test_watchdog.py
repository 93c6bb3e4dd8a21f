# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The watchdog over the jump: found by what kernels show of it, and trusted only with a reason."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._jump import (
    watchdog as watchdog_module,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._jump.watchdog import (
    Guard,
    WatchdogDevice,
)
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

CLASS = "/sys/class/watchdog/watchdog0"
MODULES = f"/lib/modules/{fakes.RELEASE}/kernel/drivers/watchdog"

# What a virtual machine with -device i6300esb shows, booted with watchdog.stop_on_reboot=0.
CHIP = WatchdogDevice("i6300esb", "i6300ESB timer", False, False, 30, 2046, 0)
GUARD = Guard(CHIP, confirms=True)
QUIET = ["quiet"]
OURS = ["quiet", "alpinefleet_kexec.watchdog=i6300esb,60"]


def read(alpine: fakes.FakeHost) -> Guard:
    return watchdog_module.read(alpine.host, fakes.RELEASE)


def watchdog(alpine: fakes.FakeHost) -> WatchdogDevice:
    found = read(alpine).watchdog
    assert found is not None
    return found


# --- What there is -------------------------------------------------------------------------


def test_read_of_a_guarded_host(alpine: fakes.FakeHost) -> None:
    assert read(alpine) == GUARD


def test_read_of_a_host_without_anything(alpine: fakes.FakeHost) -> None:
    for path in ("/sys/class/watchdog", "/etc/runlevels"):
        alpine.remove(path)
    assert read(alpine) == Guard()


def test_read_of_a_device_that_says_nothing(alpine: fakes.FakeHost) -> None:
    for name in ("identity", "nowayout", "state", "timeout", "max_timeout"):
        alpine.remove(f"{CLASS}/{name}")
    alpine.remove("/sys/module/watchdog")
    assert watchdog(alpine) == WatchdogDevice(None, None, False, False, None, None, None)


@pytest.mark.parametrize(
    ("path", "content", "change"),
    [
        pytest.param(f"{CLASS}/nowayout", "1\n", {"nowayout": True}, id="no way out"),
        pytest.param(
            "/sys/module/i6300esb/parameters/nowayout",
            "Y\n",
            {"nowayout": True},
            id="no way out by the driver",
        ),
        pytest.param(
            "/sys/module/i6300esb/parameters/nowayout", "N\n", {}, id="a way out by the driver"
        ),
        pytest.param(f"{CLASS}/state", "active\n", {"active": True}, id="active"),
        pytest.param(f"{CLASS}/timeout", "soon\n", {"timeout": None}, id="no number"),
        pytest.param(
            "/sys/module/watchdog/parameters/stop_on_reboot",
            "-1\n",
            {"stop_on_reboot": -1},
            id="the driver decides",
        ),
    ],
)
def test_read_of_what_decides(
    alpine: fakes.FakeHost, path: str, content: str, change: dict[str, t.Any]
) -> None:
    alpine.write(path, content)
    assert watchdog(alpine) == replace(CHIP, **change)


def test_service_needs_its_script_and_its_runlevel(alpine: fakes.FakeHost) -> None:
    alpine.remove("/etc/init.d/kexec-confirm")
    assert not read(alpine).confirms
    alpine.write("/etc/init.d/kexec-confirm", "")
    alpine.remove("/etc/runlevels/sysinit/kexec-confirm")
    alpine.write("/etc/runlevels/default/kexec-confirm", "")
    assert not read(alpine).confirms


@pytest.mark.parametrize("level", ["boot", "default"])
def test_service_watchdog_may_be_in_any_runlevel(alpine: fakes.FakeHost, level: str) -> None:
    alpine.link(f"/etc/runlevels/{level}/watchdog", "/etc/init.d/watchdog")
    assert read(alpine).service


DRIVERS: list[t.Any] = [
    pytest.param("i6300ESB timer", None, [], "i6300esb", id="known by its identity"),
    pytest.param("iTCO_wdt", None, [], "iTCO_wdt", id="another one"),
    pytest.param("Software Watchdog", None, [], "softdog", id="software"),
    pytest.param("Xen Watchdog", None, ["xen_wdt"], "xen_wdt", id="the only one that is loaded"),
    pytest.param("Xen Watchdog", None, ["xen_wdt", "iTCO_wdt"], None, id="one of two"),
    pytest.param("Xen Watchdog", None, [], None, id="none that is loaded"),
    pytest.param("Foo", "../../../module/foo_wdt", ["xen_wdt"], "foo_wdt", id="by its device"),
    pytest.param("Foo", "../../module/foo,60 init=x", [], None, id="no name of a module"),
    pytest.param("Foo", "../../module/foo\n", [], None, id="a line feed"),
]


@pytest.mark.parametrize(("identity", "link", "loaded", "driver"), DRIVERS)
def test_driver(
    alpine: fakes.FakeHost, identity: str, link: str | None, loaded: list[str], driver: str | None
) -> None:
    alpine.write(f"{CLASS}/identity", f"{identity}\n")
    for name in ("xen_wdt.ko.gz", "iTCO_wdt.ko.gz", "i6300esb.ko", "README"):
        alpine.write(f"{MODULES}/{name}", "")
    for name in loaded:
        alpine.write(f"/sys/module/{name}/initstate", "live\n")
    if link is not None:
        alpine.link(f"{CLASS}/device/driver/module", link)
    assert watchdog(alpine).driver == driver


# --- What it is worth ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "survives"),
    [
        pytest.param({}, True, id="not stopped"),
        pytest.param({"stop_on_reboot": -1}, False, id="stopped"),
        pytest.param({"stop_on_reboot": 1}, False, id="stopped by the user"),
        pytest.param({"stop_on_reboot": None}, False, id="nobody knows"),
        pytest.param({"stop_on_reboot": -1, "nowayout": True}, True, id="locked"),
        pytest.param(
            {"driver": "iTCO_wdt", "stop_on_reboot": -1, "nowayout": True},
            False,
            id="no way out and no lock",
        ),
        pytest.param({"driver": "softdog", "nowayout": True}, False, id="software"),
        pytest.param({"driver": None}, False, id="unknown driver"),
    ],
)
def test_survives(change: dict[str, t.Any], survives: bool) -> None:
    assert replace(CHIP, **change).survives is survives


UNCOVERED: list[t.Any] = [
    pytest.param(
        Guard(None, confirms=True), QUIET, "The host has no watchdog.", "Add a ", id="none"
    ),
    pytest.param(
        replace(GUARD, watchdog=replace(CHIP, driver=None)),
        QUIET,
        "The driver of the watchdog 'i6300ESB timer' cannot be told.",
        "Load the driver of one",
        id="unknown driver",
    ),
    pytest.param(
        replace(GUARD, watchdog=replace(CHIP, driver="softdog")),
        QUIET,
        "The watchdog is softdog, which ends with the old kernel.",
        "Use a watchdog of the hardware",
        id="software",
    ),
    pytest.param(
        replace(GUARD, watchdog=replace(CHIP, stop_on_reboot=-1)),
        QUIET,
        "The watchdog (i6300esb) is stopped when the kernel reboots, and kexec counts as that.",
        "Add watchdog.stop_on_reboot=0",
        id="stopped",
    ),
    pytest.param(
        replace(GUARD, confirms=False),
        QUIET,
        "The service kexec-confirm, which feeds the watchdog in the new system, is not in the "
        "runlevel sysinit.",
        "Prepare the host with the role",
        id="nobody to feed it",
    ),
    pytest.param(
        replace(GUARD, watchdog=replace(CHIP, active=True)),
        QUIET,
        "Another program than the service watchdog holds the watchdog (i6300esb).",
        "Let the service watchdog",
        id="held",
    ),
    pytest.param(
        replace(GUARD, watchdog=replace(CHIP, nowayout=True)),
        QUIET,
        "The watchdog (i6300esb) cannot be stopped once it runs (nowayout), and no service feeds "
        "it after the new system was confirmed.",
        "Add the service watchdog",
        id="no way out",
    ),
]


@pytest.mark.parametrize(("guard", "running", "why", "remedy"), UNCOVERED)
def test_uncovered(guard: Guard, running: list[str], why: str, remedy: str) -> None:
    found = watchdog_module.uncovered(guard, running)
    assert found is not None
    assert (found.code, found.blocks) == ("hang_uncovered", "nothing")
    assert found.message == f"Nothing resets the host if the new kernel hangs. {why}"
    assert found.remedy.startswith(remedy)


@pytest.mark.parametrize(
    ("guard", "running"),
    [
        pytest.param(GUARD, QUIET, id="free"),
        pytest.param(
            replace(GUARD, watchdog=replace(CHIP, active=True), service=True),
            QUIET,
            id="held by the service",
        ),
        pytest.param(
            replace(GUARD, watchdog=replace(CHIP, active=True)), OURS, id="held by kexec-confirm"
        ),
        pytest.param(
            replace(GUARD, watchdog=replace(CHIP, nowayout=True), service=True),
            QUIET,
            id="no way out and somebody who feeds it",
        ),
    ],
)
def test_covered(guard: Guard, running: list[str]) -> None:
    assert watchdog_module.uncovered(guard, running) is None


# --- What ends by itself ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("guard", "chosen", "fixed", "expected"),
    [
        pytest.param(
            GUARD, ["panic=10", "oops=panic"], False, (True, True, True, True), id="everything"
        ),
        pytest.param(Guard(), ["quiet"], False, (False, False, False, False), id="nothing"),
        pytest.param(
            GUARD, ["panic=0", "oops=x"], False, (False, False, True, True), id="no panic"
        ),
        pytest.param(GUARD, ["panic=-1"], True, (True, False, False, False), id="fixed image"),
        pytest.param(
            Guard(None, confirms=True), [], False, (False, False, False, True), id="confirmed only"
        ),
    ],
)
def test_protection(
    guard: Guard, chosen: list[str], fixed: bool, expected: tuple[bool, ...]
) -> None:
    found = watchdog_module.protection(guard, QUIET, chosen, fixed=fixed)
    device = guard.watchdog.as_dict() if guard.watchdog else None
    names = ("panic", "oops", "hang", "unconfirmed", "watchdog")
    assert set(found) == set(names)
    assert tuple(found[name] for name in names) == (*expected, device)


def test_watchdog_as_a_result() -> None:
    assert CHIP.as_dict() == {
        "device": "/dev/watchdog0",
        "driver": "i6300esb",
        "timeout": 30,
        "survives": True,
    }
