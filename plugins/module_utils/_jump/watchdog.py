# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The watchdog over the jump: what there is, whether it survives, and who feeds it afterwards."""

from __future__ import annotations

import os
import re
import typing as t
from dataclasses import dataclass

from .. import _cmdline
from .._host import machine
from .._host.port import Host
from .._reasons import Reason, reason

CLASS = "/sys/class/watchdog/watchdog0"
DEVICE = "/dev/watchdog0"

# What stands on the kernel's command line, and is given to modprobe as it is.
DRIVER = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)

# Drivers that do not tell where their device is, by the identity that they give.
IDENTITIES = {
    "Software Watchdog": "softdog",
    "i6300ESB timer": "i6300esb",
    "iTCO_wdt": "iTCO_wdt",
}

# It lives in the kernel that ends.
SOFTWARE = "softdog"
# It has a lock of its own: once started with nowayout, nothing stops it but a reset.
LOCKING = "i6300esb"


@dataclass(frozen=True)
class WatchdogDevice:
    """The first watchdog of the host; None means that the host does not say."""

    driver: str | None
    identity: str | None
    nowayout: bool
    active: bool
    timeout: int | None
    max_timeout: int | None
    stop_on_reboot: int | None

    @property
    def survives(self) -> bool:
        """Tell whether it runs on after the jump: most drivers stop it when the kernel reboots."""
        if self.driver in (None, SOFTWARE):
            return False
        return self.stop_on_reboot == 0 or (self.driver == LOCKING and self.nowayout)

    def as_dict(self) -> dict[str, t.Any]:
        return {
            "device": DEVICE,
            "driver": self.driver,
            "timeout": self.timeout,
            "survives": self.survives,
        }


@dataclass(frozen=True)
class Guard:
    """What may guard a jump."""

    watchdog: WatchdogDevice | None = None
    # The service kexec-confirm feeds it until the new system is confirmed.
    confirms: bool = False
    # The service watchdog feeds it at all other times.
    service: bool = False


def read(host: Host, release: str) -> Guard:
    confirms = "kexec-confirm" in machine.services(host, "sysinit")
    return Guard(
        watchdog=_watchdog(host, release),
        confirms=confirms and host.exists("/etc/init.d/kexec-confirm"),
        service="watchdog" in machine.services(host),
    )


def _watchdog(host: Host, release: str) -> WatchdogDevice | None:
    if not host.is_dir(CLASS):
        return None
    identity = host.line(f"{CLASS}/identity")
    driver = _driver(host, identity, release)
    flags = {host.line(f"{CLASS}/nowayout"), host.line(_parameter(str(driver), "nowayout"))}
    return WatchdogDevice(
        driver=driver,
        identity=identity,
        nowayout=bool(flags & {"1", "Y"}),
        active=host.line(f"{CLASS}/state") == "active",
        timeout=host.number(f"{CLASS}/timeout"),
        max_timeout=host.number(f"{CLASS}/max_timeout"),
        stop_on_reboot=host.number(_parameter("watchdog", "stop_on_reboot")),
    )


def _parameter(module: str, name: str) -> str:
    return f"/sys/module/{module}/parameters/{name}"


def _driver(host: Host, identity: str | None, release: str) -> str | None:
    """The module that drives it. Some devices do not lead to their driver."""
    link = host.link(f"{CLASS}/device/driver/module")
    named = os.path.basename(link) if link else IDENTITIES.get(identity or "")
    driver = named or _only_module(host, release)
    return driver if driver and DRIVER.fullmatch(driver) else None


def _only_module(host: Host, release: str) -> str | None:
    """The driver of any watchdog that is loaded, if it is the only one."""
    files = host.names(f"/lib/modules/{release}/kernel/drivers/watchdog")
    modules = [name.partition(".ko")[0].replace("-", "_") for name in files if ".ko" in name]
    loaded = [name for name in modules if host.is_dir(f"/sys/module/{name}")]
    return loaded[0] if len(loaded) == 1 else None


def uncovered(guard: Guard, running: t.Sequence[str]) -> Reason | None:
    """Why nothing resets the host if the new kernel hangs, None if the watchdog does."""
    if guard.watchdog is None:
        return _uncovered(
            "The host has no watchdog.",
            "Add a watchdog device to a virtual machine, or load the driver of the one that the "
            "machine has; until then, have a way to reset the host at hand.",
        )
    return _unfit(guard.watchdog) or _unfed(guard, guard.watchdog, running)


def _unfit(watchdog: WatchdogDevice) -> Reason | None:
    """The watchdog ends with the old kernel, or is not known well enough."""
    if watchdog.driver is None:
        return _uncovered(
            f"The driver of the watchdog {watchdog.identity!r} cannot be told.",
            "Load the driver of one watchdog only.",
        )
    if watchdog.driver == SOFTWARE:
        return _uncovered(
            f"The watchdog is {SOFTWARE}, which ends with the old kernel.",
            "Use a watchdog of the hardware or of the hypervisor.",
        )
    if not watchdog.survives:
        return _uncovered(
            f"The watchdog ({watchdog.driver}) is stopped when the kernel reboots, and kexec counts "
            "as that.",
            "Add watchdog.stop_on_reboot=0 to the boot loader's configuration and reboot once "
            "through firmware.",
        )
    return None


def _unfed(guard: Guard, watchdog: WatchdogDevice, running: t.Sequence[str]) -> Reason | None:
    """The watchdog would survive, and nobody could use it."""
    ours = _cmdline.last_value(running, _cmdline.WATCHDOG_PARAMETER) is not None
    if not guard.confirms:
        return _uncovered(
            "The service kexec-confirm, which feeds the watchdog in the new system, is not in the "
            "runlevel sysinit.",
            "Prepare the host with the role kexec_host.",
        )
    if watchdog.active and not guard.service and not ours:
        return _uncovered(
            f"Another program than the service watchdog holds the watchdog ({watchdog.driver}).",
            "Let the service watchdog do its work, or nobody.",
        )
    if watchdog.nowayout and not guard.service:
        return _uncovered(
            f"The watchdog ({watchdog.driver}) cannot be stopped once it runs (nowayout), and no "
            "service feeds it after the new system was confirmed.",
            "Add the service watchdog to a runlevel, or boot the host without nowayout and with "
            "watchdog.stop_on_reboot=0.",
        )
    return None


def uncovered_when_frozen() -> Reason:
    return _uncovered(
        "The service kexec-load loaded the image before it locked kexec, and its command line "
        "cannot name a watchdog any more.",
        "Set kexec_lock_after_load to NO, or have a way to reset the host at hand.",
    )


def _uncovered(why: str, remedy: str) -> Reason:
    return reason(
        "hang_uncovered", f"Nothing resets the host if the new kernel hangs. {why}", remedy
    )


def protection(
    guard: Guard, running: t.Sequence[str], chosen: t.Sequence[str], *, fixed: bool
) -> dict[str, t.Any]:
    """What ends in a reboot through firmware by itself; nothing is added to a fixed image."""
    return {
        "panic": bool(_cmdline.panic_seconds(chosen)),
        "oops": _cmdline.last_value(chosen, "oops") == "panic",
        "hang": not fixed and uncovered(guard, running) is None,
        "unconfirmed": guard.confirms and not fixed,
        "watchdog": guard.watchdog.as_dict() if guard.watchdog else None,
    }
