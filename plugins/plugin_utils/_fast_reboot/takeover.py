# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What one run leaves for the next, and how that one goes on with it."""

from __future__ import annotations

from dataclasses import replace

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .._reboot import spec
from .._reboot.failure import RebootError
from .._reboot.spec import Handed
from . import flow
from .flow import Run
from .memory import Memory, Plain, Progress
from .result import TakenOver

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
    taken = replace(run, before=replace(memory, order=plain(order))).told(
        drained=tuple(name for name in known if name in memory.drained),
        taken_over=TakenOver(memory.progress, memory.findings, memory.drained),
    )
    unknown = [name for name in memory.drained if name not in known]
    if unknown:
        # Whether it has its work back nobody here can tell, or see to.
        return flow.fail(taken, flow.hooks_unknown(unknown))
    if order is None or memory.progress not in UNDER_WAY or not waits:
        return taken
    under_way = taken.told(stage="down", rebooted=None)
    return replace(under_way, order=order, ordered_at=now, next="wait", taken_over=True)


def _order(memory: Memory, run: Run, host: str) -> Handed | None:
    """The order of the earlier run, where it is one that can be waited for."""
    if memory.order is None:
        return None
    result = ArgumentSpecValidator(spec.ORDER_SPEC).validate(dict(memory.order))
    if result.error_messages:
        return None
    wanted = {**run.plan.arguments, "wait_for": result.validated_parameters}
    try:
        return spec.parse(wanted, host).wait_for
    except RebootError:
        return None


def plain(order: Handed | None) -> dict[str, Plain] | None:
    """An order as a host remembers it."""
    if order is None:
        return None
    services = None if order.services is None else [*order.services]
    return {**vars(order), "services": services}


# --- What is left -----------------------------------------------------------------------------


def left_by(run: Run, progress: Progress) -> Memory:
    """What a host is to remember. What an earlier run had left stays until the host is well."""
    before = run.before or Memory(run.id, progress)
    keeps_order = run.order is None and progress == before.progress
    drained = dict.fromkeys((*run.result.drained, *before.drained))
    left = Memory(
        run.id,
        progress,
        drained=tuple(drained),
        findings=run.result.unhealthy or before.findings,
        order=before.order if keeps_order else plain(run.order),
        services=before.required,
    )
    # What was ordered has come to its end; whoever goes on has the host to look at, and to give back.
    return left.without_order() if run.is_held else left


def progress_of(run: Run) -> Progress | None:
    """What a host is to remember of a run that has ended; None where nothing is left to do."""
    if not run.failed:
        return "undrain" if run.is_held else None
    if run.before is not None and run.untouched:
        return run.before.progress
    if run.result.code == "unhealthy":
        return "unhealthy"
    if run.result.drained:
        return "undrain" if run.result.rebooted else "ended"
    return None if run.result.rebooted is False else "ended"
