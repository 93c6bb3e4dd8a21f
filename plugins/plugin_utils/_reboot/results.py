# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The results of kexec_reboot."""

from __future__ import annotations

import typing as t

from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.port import Outcome
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Reason

from .._parsing.answer import Answer
from . import failure, orders
from .failure import NOTES, RebootError
from .protocol import Order, Proof

# Up to here nothing was done to the host but that an image may have been loaded.
UNTOUCHED = ("preflight", "load", "trigger")


def pair(before: t.Any, after: t.Any = None) -> dict[str, t.Any]:
    return {"before": before, "after": after}


def base(answer: Answer) -> dict[str, t.Any]:
    """What every result says, from what the host said before anything happened."""
    return {
        "changed": False,
        "rebooted": False,
        "method": None,
        "reasons": [each.as_dict() for each in answer.reasons or ()],
        "boot_id": pair(answer.boot_id),
        "release": pair(answer.running_release),
        "cmdline": pair(answer.running_cmdline),
        "downtime": None,
        "elapsed": 0.0,
        "timings": {},
    }


def predicted(order: Order, answer: Answer, *, wait: bool = True) -> dict[str, t.Any]:
    """The result in check mode; a task that would wait for this order finds one."""
    handed = {} if wait else {"order": orders.hand_over(order, answer, acknowledged=False)}
    return {
        **handed,
        **base(answer),
        "changed": True,
        "method": order.method,
        "release": pair(answer.running_release, _release(order)),
        "diff": answer.diff,
    }


def _release(order: Order) -> str | None:
    return order.release if order.method == "kexec" else order.firmware_release


def ordered(
    order: Order,
    answer: Answer,
    *,
    acknowledged: bool,
    unheard: Outcome | None = None,
) -> dict[str, t.Any]:
    """The result of a reboot that another task waits for."""
    # Not as they are in a failure: Ansible takes each rc but 0 for one.
    said = {} if unheard is None else {"said": failure.output(unheard)}
    return {
        **base(answer),
        **said,
        "changed": True,
        "rebooted": None,
        "method": order.method,
        "order": orders.hand_over(order, answer, acknowledged=acknowledged),
    }


def not_waited(answer: Answer) -> dict[str, t.Any]:
    """The result in check mode of a task that waits for another one's reboot."""
    return base(answer)


def proven(order: Order, proof: Proof, answer: Answer) -> dict[str, t.Any]:
    """The result of a reboot that was proven."""
    observation = proof.observation
    result = {
        **base(answer),
        "changed": True,
        "rebooted": True,
        "method": proof.method,
        "boot_id": pair(order.boot_id, observation.boot_id),
        "release": pair(answer.running_release, observation.release),
        "cmdline": pair(answer.running_cmdline, observation.cmdline),
        "token": order.token if proof.method == "kexec" else None,
        "downtime": None if proof.downtime is None else round(proof.downtime, 2),
        "timings": {name: round(seconds, 2) for name, seconds in proof.timings.items()},
    }
    if proof.method != order.method:
        result["reasons"] = [_not_proven(), *result["reasons"]]
    return result


def _not_proven() -> dict[str, str]:
    return Reason(
        "kexec_not_proven",
        NOTES["kexec_not_proven"],
        "See its console for what became of the jump; method=firmware avoids it.",
        "kexec",
    ).as_dict()


def failed(error: RebootError, answer: Answer) -> dict[str, t.Any]:
    """The result of a reboot that was refused, or cannot be called done."""
    result = {
        **base(answer),
        "failed": True,
        "msg": str(error),
        "changed": error.stage not in UNTOUCHED or answer.changed,
        "rebooted": error.rebooted,
        "stage": error.stage,
        "reason": error.reason.as_dict(),
    }
    details = dict(error.details)
    observation = details.pop("observation", None)
    if observation is not None:
        for name, value in (("boot_id", observation.boot_id), ("release", observation.release)):
            result[name]["after"] = value
        result["cmdline"]["after"] = observation.cmdline
    return {**result, **details}
