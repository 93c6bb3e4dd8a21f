# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""From the preflight's result to the order, or to the refusal."""

from __future__ import annotations

import math
import secrets
import typing as t

from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.boot import valid_boot_id
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.platforms import (
    canonical_hardware_id,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._jump.frozen import TOKEN
from ansible_collections.alpinefleet.kexec.plugins.module_utils._module import IMAGE_ARGUMENTS

from .failure import RebootError, Stage
from .observation import Method
from .protocol import Order

PREFLIGHT = "alpinefleet.kexec.kexec_preflight"
LOAD = "alpinefleet.kexec.kexec_load"

# What the module does to have the new system watched.
GUARDS = ("watchdog_timeout", "confirm_timeout")
# From the module's answer until the host must have begun to leave, by the host's clock; more where
# the module took long.
ORDER_SECONDS = 20

# Whoever this is may reboot the host, now or in a moment.
SOMEBODY_ELSE = ("already_leaving", "load_in_progress")

TIMES = ("pre_reboot_delay", "post_reboot_delay", "reboot_timeout", "shutdown_timeout")


def module_call(
    arguments: t.Mapping[str, t.Any], *, token: str, controller_boot_id: str | None
) -> tuple[str, dict[str, t.Any]]:
    """The one module that looks at the host, and loads the image where one is wanted."""
    image = {name: arguments[name] for name in IMAGE_ARGUMENTS if arguments[name] is not None}
    image["controller_boot_id"] = controller_boot_id
    if arguments["method"] == "firmware":
        return PREFLIGHT, image
    guards = {name: arguments[name] for name in GUARDS}
    return LOAD, {**image, **guards, "token": token}


def order_for(
    arguments: t.Mapping[str, t.Any],
    prepared: t.Mapping[str, t.Any],
    *,
    token: str,
    host: str,
    seconds: float,
) -> Order:
    """What to order, given what the host said; raise where no reboot must be ordered.

    SECONDS is how long the module took: where logins are slow, the order will be, too.
    """
    method = choose_method(arguments, prepared)
    return Order(
        method=method,
        token=_token_of(prepared) or token,
        boot_id=_boot_of(prepared),
        release=prepared["release"],
        host=host,
        hardware_id=_machine_of(prepared),
        expires=_uptime_of(prepared) + ORDER_SECONDS + int(2 * seconds),
        mark=secrets.token_hex(16),
        # After the jump, too: another kernel than the one asked for is no success.
        fallback="fail" if _needs_kexec(arguments, prepared) else arguments["fallback"],
        firmware_release=prepared["release"] if _same_kernel(prepared) else None,
        test_command=arguments["test_command"],
        **_watchdog(prepared),
        **{name: arguments[name] for name in TIMES},
    )


def _watchdog(prepared: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The watchdog that the new system was told to feed."""
    found = prepared.get("watchdog")
    return {"watchdog": found["device"], "watchdog_limit": found["timeout"]} if found else {}


HANDED_OVER = (
    "host",
    "hardware_id",
    "method",
    "fallback",
    "token",
    "boot_id",
    "expires",
    "mark",
    "release",
    "firmware_release",
)


def hand_over(
    order: Order, prepared: t.Mapping[str, t.Any], *, acknowledged: bool
) -> dict[str, t.Any]:
    """The order as a value that another task can wait for."""
    facts = prepared["facts"]
    return {
        **{name: getattr(order, name) for name in HANDED_OVER},
        "acknowledged": acknowledged,
        "running_release": facts["running_release"],
        "running_cmdline": facts["running_cmdline"],
    }


def taken_over(arguments: t.Mapping[str, t.Any]) -> tuple[Order, dict[str, t.Any]]:
    """The order of an earlier task, and what the host said of itself at that time."""
    given = {**arguments["wait_for"]}
    given["boot_id"] = valid_boot_id(given["boot_id"])
    given["hardware_id"] = canonical_hardware_id(given["hardware_id"])
    order = Order(
        **{name: given[name] for name in HANDED_OVER},
        acknowledged=given["acknowledged"],
        test_command=arguments["test_command"],
        **{name: arguments[name] for name in TIMES},
    )
    facts = {name: given[name] for name in ("running_release", "running_cmdline")}
    return order, {"boot_id": given["boot_id"], "facts": facts, "reasons": []}


def _boot_of(prepared: t.Mapping[str, t.Any]) -> str:
    """The boot to leave, written as the host will write it when it is asked."""
    said = prepared.get("boot_id")
    boot_id = valid_boot_id(said) if isinstance(said, str) else None
    if boot_id is None:
        raise _answer_unusable(f"it gave the boot_id {said!r}")
    return boot_id


def _machine_of(prepared: t.Mapping[str, t.Any]) -> str | None:
    said = prepared["facts"].get("hardware_id")
    return canonical_hardware_id(said) if isinstance(said, str) else None


def _uptime_of(prepared: t.Mapping[str, t.Any]) -> int:
    said = prepared.get("uptime")
    if isinstance(said, bool) or not isinstance(said, (int, float)) or not 0 <= said < math.inf:
        raise _answer_unusable(f"it gave the uptime {said!r}")
    return int(said)


def _token_of(prepared: t.Mapping[str, t.Any]) -> str | None:
    """The token of an image that the host had loaded before, if it has the form of one."""
    token = prepared.get("token")
    return token if isinstance(token, str) and TOKEN.fullmatch(token) else None


def choose_method(arguments: t.Mapping[str, t.Any], prepared: t.Mapping[str, t.Any]) -> Method:
    """kexec where it was asked for and is possible, or firmware where that is allowed."""
    if "reasons" not in prepared:
        raise _module_failed(prepared)
    if arguments["method"] == "kexec" and not prepared.get("failed"):
        return "kexec"
    _refuse(prepared, levels=("reboot",))
    if arguments["method"] == "kexec":
        _check_fallback(arguments, prepared)
    return "firmware"


def _check_fallback(arguments: t.Mapping[str, t.Any], prepared: t.Mapping[str, t.Any]) -> None:
    """Raise unless firmware may be used where kexec is not possible."""
    if not any(found["blocks"] == "kexec" for found in prepared["reasons"]):
        raise _module_failed(prepared)
    if arguments["fallback"] == "fail":
        _refuse(prepared, levels=("kexec",))
    if _needs_kexec(arguments, prepared):
        raise _other_kernel(prepared)


def _same_kernel(prepared: t.Mapping[str, t.Any]) -> bool:
    """Whether firmware is known to boot the kernel that was chosen."""
    kernel = prepared["kernel"]
    return kernel is not None and prepared["facts"]["firmware_kernel"] == kernel


def _needs_kexec(arguments: t.Mapping[str, t.Any], prepared: t.Mapping[str, t.Any]) -> bool:
    """A user who named a kernel must not silently get the boot loader's default."""
    named = arguments["kernel"] is not None or arguments["flavour"] is not None
    return arguments["method"] == "kexec" and named and not _same_kernel(prepared)


def _refuse(prepared: t.Mapping[str, t.Any], *, levels: tuple[str, ...]) -> None:
    for found in prepared["reasons"]:
        if found["blocks"] in levels:
            raise RebootError(
                found["code"],
                found["message"],
                found["remedy"],
                stage=_stage(prepared),
                rebooted=None if found["code"] in SOMEBODY_ELSE else False,
                blocks=found["blocks"],
            )


def _stage(prepared: t.Mapping[str, t.Any]) -> Stage:
    return "load" if prepared.get("stage") == "load" else "preflight"


def _other_kernel(prepared: t.Mapping[str, t.Any]) -> RebootError:
    default = prepared["facts"]["firmware_kernel"] or "a kernel that is not known"
    obstacle = next(found for found in prepared["reasons"] if found["blocks"] == "kexec")
    return RebootError(
        "firmware_boots_other_kernel",
        f"kexec is not possible ({obstacle['message']}) and firmware would boot {default} "
        f"instead of {prepared['kernel']}.",
        obstacle["remedy"],
        stage=_stage(prepared),
        rebooted=False,
    )


def _answer_unusable(why: str) -> RebootError:
    return RebootError(
        "module_failed",
        f"The answer of the host cannot be used: {why}.",
        "See whether /proc can be read there; the host was not rebooted.",
        stage="preflight",
        rebooted=False,
    )


def _module_failed(prepared: t.Mapping[str, t.Any]) -> RebootError:
    said = str(prepared.get("msg") or prepared.get("module_stderr") or "it said nothing").strip()
    return RebootError(
        "module_failed",
        f"The preflight could not run on the host: {said}",
        "The host needs Python 3.9 or newer and /proc; it was not rebooted.",
        stage="preflight",
        rebooted=False,
    )
