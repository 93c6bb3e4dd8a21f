# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What one run leaves for the next, and how that one goes on with it."""

from __future__ import annotations

import json
import typing as t
from dataclasses import replace

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .._reboot import spec
from .._reboot.failure import RebootError
from . import flow
from .flow import Run
from .memory import Memory, Progress

# An order was given, and the run has not come to its end with what became of it.
UNDER_WAY = ("down", "ended", "undrain")


def take_over(run: Run, memory: Memory | None, host: str, *, now: float, waits: bool = True) -> Run:
    """Go on from where an earlier run has left a host.

    What it had drained is undrained by this one when the host is well. A reboot that it had ordered
    is waited for, and not ordered once more.
    """
    if memory is None:
        return run
    known = [hook.name for hook in run.plan.hooks]
    order = _order(memory, run, host)
    taken = replace(run, before=replace(memory, order=order)).told(
        drained=[name for name in known if name in memory.drained],
        taken_over={
            "progress": memory.progress,
            "unhealthy": list(memory.findings),
            "drained": list(memory.drained),
        },
    )
    unknown = [name for name in memory.drained if name not in known]
    if unknown:
        # Whether it has its work back nobody here can tell, or see to.
        return flow.fail(taken, flow.hooks_unknown(unknown))
    if order is None or memory.progress not in UNDER_WAY or not waits:
        return taken
    under_way = taken.told(stage="down", rebooted=None)
    return replace(under_way, order=order, ordered_at=now, next="wait", taken_over=True)


def _order(memory: Memory, run: Run, host: str) -> dict[str, t.Any] | None:
    """The order of the earlier run, where it is one that can be waited for."""
    if memory.order is None:
        return None
    result = ArgumentSpecValidator(spec.ORDER_SPEC).validate(dict(memory.order))
    if result.error_messages:
        return None
    try:
        request = spec.parse({**run.plan.arguments, "wait_for": result.validated_parameters}, host)
    except RebootError:
        return None
    return t.cast("dict[str, t.Any]", json.loads(json.dumps(vars(request.wait_for))))


# --- What is left -----------------------------------------------------------------------------


def left_by(run: Run, progress: Progress) -> Memory:
    """What a host is to remember. What an earlier run had left stays until the host is well."""
    before = run.before or Memory(run.id, progress)
    drained = dict.fromkeys((*run.result["drained"], *before.drained))
    return Memory(
        run.id,
        progress,
        drained=tuple(drained),
        findings=tuple(run.result["unhealthy"]) or before.findings,
        order=before.order if run.order is None and progress == before.progress else run.order,
        services=before.required,
    )


def progress_of(run: Run) -> Progress | None:
    """What a host is to remember of a run that has ended; None where nothing is left to do."""
    reason = run.result["reason"]
    if reason is None:
        return None
    if run.before is not None and run.untouched:
        return run.before.progress
    if reason["code"] == "unhealthy":
        return "unhealthy"
    if run.result["drained"]:
        return "undrain" if run.result["rebooted"] else "ended"
    return None if run.result["rebooted"] is False else "ended"
