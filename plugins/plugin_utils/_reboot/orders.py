# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""From the preflight's result to the order, or to the refusal."""

from __future__ import annotations

import secrets
import typing as t

from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import (
    Blocks,
    Reason,
    blocking,
)

from .._parsing import unanswered
from .._parsing.answer import Answer
from . import failure
from .failure import RebootError, Stage
from .observation import Method
from .protocol import Order
from .spec import Handed, Request

LOAD = "alpinefleet.kexec.kexec_load"

# What the module does to have the new system watched.
GUARDS = ("watchdog_timeout", "confirm_timeout")
# From the module's answer until the host must have begun to leave, by the host's clock; more where
# the module took long.
ORDER_SECONDS = 20

# Without these of an answer nothing can be ordered or proven.
ORDER_NEEDS = ("reasons", "boot_id", "uptime", "running_release", "running_cmdline")

# Whoever this is may reboot the host, now or in a moment.
SOMEBODY_ELSE = ("already_leaving", "load_in_progress")

# What the task that waits is told itself, whoever gave the order.
WAITING = (
    "pre_reboot_delay",
    "post_reboot_delay",
    "reboot_timeout",
    "shutdown_timeout",
    "test_command",
    "other_host_key",
    "health",
)


def module_call(
    request: Request, *, token: str, controller_boot_id: str | None
) -> tuple[str, dict[str, t.Any]]:
    """The one module that looks at the host, and loads the image where one is wanted."""
    image = {**request.image, "controller_boot_id": controller_boot_id}
    if request.method == "firmware":
        return unanswered.PREFLIGHT, image
    guards = {name: getattr(request, name) for name in GUARDS}
    return LOAD, {**image, **guards, "token": token}


def order_for(request: Request, answer: Answer, *, token: str, seconds: float) -> Order:
    """What to order, given what the host said; raise where no reboot must be ordered.

    SECONDS is how long the module took: where logins are slow, the order will be, too.
    """
    method = choose_method(request, answer)
    boot_id, uptime = _provable(answer)
    watchdog = answer.watchdog
    return Order(
        method=method,
        token=answer.token or token,
        boot_id=boot_id,
        release=answer.release,
        host=request.host,
        hardware_id=answer.hardware_id,
        expires=int(uptime) + ORDER_SECONDS + int(2 * seconds),
        mark=secrets.token_hex(16),
        # After the jump, too: another kernel than the one asked for is no success.
        fallback="fail" if _needs_kexec(request, answer) else request.fallback,
        firmware_release=answer.release if _same_kernel(answer) else None,
        loader_ends_in_kexec=answer.loader_ends_in_kexec,
        watchdog=watchdog.device if watchdog else "",
        watchdog_limit=watchdog.timeout if watchdog else 0,
        services=() if request.health and request.health.services else None,
        **{name: getattr(request, name) for name in WAITING},
    )


# What an order and what is handed over of it have in common.
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
    "loader_ends_in_kexec",
    "services",
)


def hand_over(order: Order, answer: Answer, *, acknowledged: bool) -> dict[str, t.Any]:
    """The order as a value that another task can wait for."""
    handed = Handed(
        **{name: getattr(order, name) for name in HANDED_OVER},
        acknowledged=acknowledged,
        running_release=answer.running_release,
        running_cmdline=answer.running_cmdline,
    )
    return {**vars(handed)}


def taken_over(request: Request, handed: Handed) -> tuple[Order, Answer]:
    """The order of an earlier task, and what the host said of itself at that time."""
    order = Order(
        **{name: getattr(handed, name) for name in HANDED_OVER},
        acknowledged=handed.acknowledged,
        **{name: getattr(request, name) for name in WAITING},
    )
    return order, Answer(
        boot_id=handed.boot_id,
        reasons=(),
        running_release=handed.running_release,
        running_cmdline=handed.running_cmdline,
    )


def _provable(answer: Answer) -> tuple[str, float]:
    """The boot to leave, written as the host will write it when it is asked, and its uptime."""
    defects = answer.defects(ORDER_NEEDS)
    if defects or answer.boot_id is None or answer.uptime is None:
        raise failure.unfit(unanswered.invalid(defects))
    return answer.boot_id, answer.uptime


def choose_method(request: Request, answer: Answer) -> Method:
    """kexec where it was asked for and is possible, or firmware where that is allowed."""
    if answer.reasons is None:
        raise _unanswered_by(answer)
    if request.method == "kexec" and not answer.failed:
        return "kexec"
    _refuse(answer, "reboot")
    if request.method == "kexec":
        _check_fallback(request, answer)
    return "firmware"


def _check_fallback(request: Request, answer: Answer) -> None:
    """Raise unless firmware may be used where kexec is not possible."""
    obstacles = blocking(answer.reasons or (), "kexec")
    if not obstacles:
        raise _unanswered_by(answer)
    if request.fallback == "fail":
        _refuse(answer, "kexec")
    if _needs_kexec(request, answer):
        raise _other_kernel(answer, obstacles[0])


def _same_kernel(answer: Answer) -> bool:
    """Whether firmware is known to boot the kernel that was chosen."""
    return answer.kernel is not None and answer.firmware_kernel == answer.kernel


def _needs_kexec(request: Request, answer: Answer) -> bool:
    """A user who named a kernel must not silently get the boot loader's default."""
    wanted = request.method == "kexec" and request.names_a_kernel
    return wanted and not _same_kernel(answer)


def _refuse(answer: Answer, level: Blocks) -> None:
    for found in blocking(answer.reasons or (), level):
        raise RebootError(
            found.code,
            found.message,
            found.remedy,
            stage=_stage(answer),
            rebooted=None if found.code in SOMEBODY_ELSE else False,
            blocks=found.blocks,
        )


def _stage(answer: Answer) -> Stage:
    return "load" if answer.loading else "preflight"


def _other_kernel(answer: Answer, obstacle: Reason) -> RebootError:
    default = answer.firmware_kernel or "a kernel that is not known"
    return RebootError(
        "firmware_boots_other_kernel",
        f"kexec is not possible ({obstacle.message}) and firmware would boot {default} "
        f"instead of {answer.kernel}.",
        obstacle.remedy,
        stage=_stage(answer),
        rebooted=False,
    )


def _unanswered_by(answer: Answer) -> RebootError:
    said = answer.said or answer.odd.get("reasons", "")
    return failure.unfit(unanswered.silent(said))
