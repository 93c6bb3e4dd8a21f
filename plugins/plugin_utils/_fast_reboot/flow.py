# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""How the reboot of one host goes on, from what happened: values in, values out.

The role's files of tasks are the steps; which of them is next is decided here.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Reason

from .._parsing.values import prepare
from .._reboot.spec import Handed
from .memory import PLACE, Memory
from .plan import Hook, RunPlan
from .result import Attempt, RebootResult, Rung

# The file of tasks that is next. "" is the end: what is left to do is to fail, or nothing.
Next = t.Literal["drain", "leave", "wait", "power_cycle", "look", "task_file", "undrain", ""]

# A host of these is lost: only a reset from outside gets it back.
LOST = ("did_not_return", "did_not_go_down")
# A boot answers that the order is not about.
ANOTHER_BOOT = ("wrong_kernel", "wrong_method")
# Up to these the old system runs on, where it is known that no reboot follows.
HOST_UNTOUCHED = ("preflight", "load", "drain", "trigger")


@prepare
@dataclass(frozen=True)
class Run:
    """How far one run of the role is with one host; what one task hands to the next."""

    # Tells it from an earlier run of the role in the same play.
    id: str
    plan: RunPlan
    next: Next = "leave"
    # What the role says of the host.
    result: RebootResult = field(default_factory=RebootResult)
    # The hook whose turn it is, and how many come after it; the file that is next.
    hook: str = ""
    hooks_left: int = 0
    # The hook that is being undone.
    undoing: str = ""
    file: str = ""
    # How many files of the health are done, and whether it was looked at once more.
    files_done: int = 0
    looked_again: bool = False
    # What was ordered, and when by the controller's clock; and when the host was proven to be back.
    order: Handed | None = None
    ordered_at: float = 0.0
    proven_at: float = 0.0
    # What the reboot would say, where it was only predicted.
    predicted: bool = False
    # Whether the order is that of an earlier run, and whether this one is to reboot the host itself.
    taken_over: bool = False
    reboots: bool = True
    # What the earlier run has left; None once the host was seen to be well.
    before: Memory | None = None
    # Whether the host remembers this run, so that it would tell of another one.
    known: bool = False
    # Whether this boot comes after another one of the run, and whether the host stays drained for the next.
    follows: bool = False
    holds: bool = False

    @property
    def failed(self) -> bool:
        return self.result.reason is not None

    @property
    def done(self) -> bool:
        """Whether all is well, and nothing is left to do."""
        return not self.next and not self.failed

    @property
    def is_held(self) -> bool:
        """Whether the host is well, and kept as it is for what another role does next."""
        return self.done and self.holds

    @property
    def untouched(self) -> bool:
        return self.result.stage in HOST_UNTOUCHED and self.result.rebooted is False

    @property
    def undoes(self) -> list[str]:
        """The hooks that may be undone: of an earlier run's only where the host is well."""
        kept = self.before.drained if self.failed and self.before else ()
        return [name for name in self.result.drained if name not in kept]

    def told(self, **changes: t.Any) -> Run:
        return replace(self, result=replace(self.result, **changes))

    def hook_named(self, name: str) -> Hook:
        return next(hook for hook in self.plan.hooks if hook.name == name)


def begin(run_id: str, plan: RunPlan, *, follows: bool = False, holds: bool = False) -> Run:
    left = 0 if follows else len(plan.hooks)
    first: Next = "drain" if left else "leave"
    return Run(run_id, plan, next=first, hooks_left=left, follows=follows, holds=holds)


# --- Hooks ----------------------------------------------------------------------------------


def next_hook(run: Run) -> Run:
    """It is the next hook's turn to drain the host."""
    hook = run.plan.hooks[len(run.plan.hooks) - run.hooks_left]
    left = run.hooks_left - 1
    after: Next = "drain" if left else "leave"
    turn = replace(run, hook=hook.name, file=hook.drain, hooks_left=left, next=after)
    told = turn.told(stage="drain")
    return drained(told) if hook.always else told


def drained(run: Run) -> Run:
    """The hook whose turn it is has changed something."""
    if run.result.stage != "drain" or run.hook in run.result.drained:
        return run
    noted = run.told(drained=(*run.result.drained, run.hook))
    return fail(noted) if noted.failed else noted


def next_undrain(run: Run) -> Run:
    """The hook before is undone, and it is the turn of the one that was drained before it."""
    done = undrained(run)
    hook = run.hook_named(done.undoes[-1])
    turn = replace(done, next="undrain", hook=hook.name, undoing=hook.name, file=hook.undrain)
    return turn if run.failed else turn.told(stage="undrain")


def undrained(run: Run) -> Run:
    """The hook whose turn it was is undone."""
    left = tuple(name for name in run.result.drained if name != run.undoing)
    told = replace(run, undoing="").told(drained=left)
    return _close(replace(told, next="undrain" if told.undoes else ""))


def undrain_only(run: Run) -> Run:
    """Undo what a host remembers to be drained by, whatever else it remembers."""
    return _after_health(replace(run, order=None, taken_over=False, before=None))


def without_reboot(run: Run, *, changed: bool) -> Run:
    """A host that needs no reboot is looked at where something was changed on it, or left behind."""
    stays = replace(run, reboots=False)
    if stays.taken_over:
        # It is waited for first, and told that it works.
        return stays
    if not changed and run.result.taken_over is None:
        return _after_health(stays)
    return replace(stays.told(stage="health"), next="look")


# --- The reboot -----------------------------------------------------------------------------


def after_order(run: Run, attempt: Attempt, *, now: float) -> Run:
    """The host was ordered to leave, or refused to, or it was predicted."""
    told, wanted = replace(run, result=run.result.after(attempt)), run.plan.method
    if attempt.failed:
        # Of one that was cut off the order may stand.
        known = (
            told if attempt.order is None else replace(told, order=attempt.order, ordered_at=now)
        )
        return fail(known.told(rungs=(Rung(wanted, attempt.code),)))
    obstacles = [each.code for each in attempt.reasons if each.blocks == "kexec"]
    rungs = [] if attempt.method == wanted else [Rung(wanted, next(iter(obstacles), None))]
    left = told.told(rungs=tuple(rungs), stage="down")
    if attempt.rebooted is not None:
        return _after_health(replace(left, predicted=True))
    return replace(left, order=attempt.order, ordered_at=now, next="wait")


def after_wait(
    run: Run,
    attempt: Attempt,
    findings: t.Sequence[str] = (),
    *,
    now: float,
    left: float,
    stable: bool = False,
) -> Run:
    """The host was waited for and looked at once; LEFT is what remains of its time."""
    lost = attempt.code in LOST
    if lost and left > 0:
        return replace(run, next="wait")
    if run.taken_over and _is_over(attempt):
        return _anew(run)
    method = run.order.method if run.order else "kexec"
    told = _waited(run, attempt, *_rungs_waited(method, attempt))
    if not attempt.failed:
        return _after_first_look(replace(told, proven_at=now), findings, stable=stable)
    if lost and run.plan.power_cycle.exists:
        return replace(told, next="power_cycle")
    return fail(told)


def _is_over(attempt: Attempt) -> bool:
    """Whether nothing comes of an earlier run's order any more.

    It died before its order came to the host, or somebody has booted the host otherwise since.
    """
    return attempt.rebooted is False or attempt.code in ANOTHER_BOOT


def _anew(run: Run) -> Run:
    """Nothing is under way; what was left on the host is still known."""
    before = None if run.before is None else run.before.without_order()
    anew = begin(run.id, run.plan, follows=run.follows, holds=run.holds)
    first = replace(anew, before=before, reboots=run.reboots, known=run.known).told(
        drained=run.result.drained, taken_over=run.result.taken_over
    )
    return first if run.reboots else without_reboot(first, changed=True)


def after_power_cycle(
    run: Run,
    attempt: Attempt,
    findings: t.Sequence[str] = (),
    *,
    now: float,
    stable: bool = False,
) -> Run:
    """The host was reset, and waited for once more."""
    waited = _waited(run, attempt, Rung("power_cycle", attempt.code))
    if not attempt.failed:
        reasons = (_power_cycled(run), *waited.result.reasons)
        back = waited.told(reason=None, last_error=None, reasons=reasons)
        return _after_first_look(replace(back, proven_at=now), findings, stable=stable)
    if attempt.rebooted is False:
        # The old system may have answered before the reset came.
        return fail(waited.told(rebooted=None, stage="down"))
    return fail(waited)


def reset_failed(run: Run, why: str) -> Run:
    """What was to reset the host failed: it is still lost by what it was lost by."""
    lost = run.result.reason or step_failed("It is not known why.")
    reason = replace(lost, message=f"{lost.message} The power cycle failed, too: {why}")
    rungs = (*run.result.rungs, Rung("power_cycle", "power_cycle_failed"))
    return fail(run.told(reason=reason, rungs=rungs))


def _waited(run: Run, attempt: Attempt, *rungs: Rung) -> Run:
    return replace(run, result=run.result.after(attempt)).told(
        changed=True,
        reasons=(*attempt.reasons, *run.result.reasons),
        elapsed=round(run.result.elapsed + attempt.elapsed, 2),
        rungs=(*run.result.rungs, *rungs),
    )


def _rungs_waited(method: str, attempt: Attempt) -> list[Rung]:
    """The rung that was ordered, and the one that it came to."""
    if attempt.failed:
        return [Rung(method, attempt.code)]
    if attempt.method is None or attempt.method == method:
        return [Rung(method, None)]
    return [Rung(method, "kexec_not_proven"), Rung(attempt.method, None)]


def _power_cycled(run: Run) -> Reason:
    lost = run.result.code or "unknown"
    return Reason(
        "power_cycled",
        f"The host was lost ({lost}) and came back after a power cycle.",
        "See its console for where it stopped. It remembers a jump that hung, and reboots through "
        "firmware until kexec_hung is ignored once.",
        "kexec",
    )


# --- Health ---------------------------------------------------------------------------------


def _after_first_look(run: Run, findings: t.Sequence[str], *, stable: bool) -> Run:
    """A host that is not well at once has its time; others are not kept waiting for it."""
    looked = run.told(stage="health")
    return replace(looked, next="look") if findings else after_look(looked, (), stable=stable)


def after_look(run: Run, findings: t.Sequence[str], *, stable: bool) -> Run:
    """Services, commands and ports were looked at; STABLE says that they must be once more."""
    told = run.told(unhealthy=tuple(findings))
    if findings:
        return fail(told, _unhealthy(findings))
    if run.files_done < len(run.plan.health_tasks):
        return _next_file(told)
    if stable and not run.looked_again:
        return replace(told, next="look", looked_again=True, files_done=0)
    return _after_health(told)


def _next_file(run: Run) -> Run:
    file = run.plan.health_tasks[run.files_done]
    return replace(run, next="task_file", file=file, files_done=run.files_done + 1)


def file_failed(run: Run, why: str) -> Run:
    """A file of the health failed; those after it are still asked."""
    return run.told(unhealthy=(*run.result.unhealthy, f"{run.file}: {why}"))


def after_file(run: Run, *, stable: bool) -> Run:
    """A file of the health was run."""
    if run.files_done < len(run.plan.health_tasks):
        return _next_file(run)
    findings = run.result.unhealthy
    return (
        after_look(run, findings, stable=stable)
        if not findings
        else fail(run, _unhealthy(findings))
    )


def _unhealthy(findings: t.Sequence[str]) -> Reason:
    return Reason(
        "unhealthy",
        f"The host came back and is not well: {', '.join(findings)}.",
        "Mend it on the host, and undrain the host then.",
        "reboot",
    )


def _after_health(run: Run) -> Run:
    """The host is well: what was drained is undone, or all is done, or another role has its turn."""
    well = replace(run, before=None)
    return _close(replace(well, next="undrain" if well.undoes and not well.holds else ""))


def _close(run: Run) -> Run:
    """The stage is where it stopped, and none where it came to its end."""
    return run.told(stage=None) if run.done else run


# --- Failures -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Broken:
    """A task that failed, as far as Ansible tells of it."""

    # What it says, without what it wants to be kept secret, and whether it had changed something.
    said: str
    changed: bool = False
    # Whether it is a handler.
    handler: bool = False


def overtaken() -> Reason:
    return Reason(
        "overtaken",
        "Another run of the role has taken this host over since this one began.",
        "See who else works on the host; that run goes on with what this one has left.",
        "reboot",
    )


def not_remembered(why: str) -> Reason:
    return Reason(
        "not_remembered",
        f"The host could not be told what to remember of this run: {why}.",
        f"See whether {PLACE} can be written there. Without it, a run that ends on the way could not "
        "be gone on with.",
        "reboot",
    )


def hooks_unknown(names: t.Sequence[str]) -> Reason:
    return Reason(
        "hooks_unknown",
        f"An earlier run has drained the host by hooks that this one does not have: {', '.join(names)}.",
        "Run it again with fast_reboot_hooks as they were. If the host has its work back already, "
        f"remove {PLACE} there.",
        "reboot",
    )


def not_forgotten(run: Run, why: str) -> Run:
    """A run that is over, of which the host could not be told; one that is lost is expected to."""
    if run.failed:
        return run
    advice = Reason(
        "not_remembered",
        f"The host could not be told that this run is over: {why}.",
        f"Remove {PLACE} there. Otherwise the next run takes this one for interrupted, and goes on "
        "with it in place of a reboot of its own.",
        "nothing",
    )
    return run.told(reasons=(*run.result.reasons, advice))


def argument_invalid(message: str, remedy: str) -> Reason:
    return Reason("argument_invalid", message, remedy, "reboot")


def fail(run: Run, reason: Reason | None = None) -> Run:
    """The run ends here; what it has drained is undone only where the host was not touched."""
    told = run if reason is None else run.told(reason=reason)
    undo = told.untouched and bool(told.undoes)
    return replace(told, next="undrain" if undo else "")


def broke(run: Run, broken: Broken) -> Run:
    """A task failed that is none of the role's steps, or a step that has not said why."""
    # A hook whose undrain file failed is not undone.
    run, stage = replace(run, undoing=""), run.result.stage
    if run.failed:
        # While it was undone; what the run failed by is the reason still.
        return replace(run, next="")
    if stage == "drain":
        noted = drained(run) if broken.changed or broken.handler else run
        return fail(noted, _drain_failed(run.hook, broken.said))
    if stage == "undrain":
        return replace(run.told(reason=_undrain_failed(run.hook, broken.said)), next="")
    if broken.handler:
        return fail(run, handler_failed(broken.said))
    return fail(run, step_failed(broken.said))


def _drain_failed(hook: str, said: str) -> Reason:
    return Reason(
        "drain_failed",
        f"The hook {hook} did not drain the host. {said}",
        "Mend what that task says. The host was not rebooted.",
        "reboot",
    )


def _undrain_failed(hook: str, said: str) -> Reason:
    return Reason(
        "undrain_failed",
        f"The host is well, and the hook {hook} did not undrain it. {said}",
        "Undrain the host by hand; it was rebooted.",
        "reboot",
    )


def ended(said: str, remedy: str) -> Reason:
    return Reason("task_timeout", said, remedy, "reboot")


def handler_failed(said: str) -> Reason:
    return Reason(
        "handler_failed",
        f"A handler that was pending failed before the host was rebooted. {said}",
        "Mend what the handler says. Nothing was done to the host, and the handlers after that one "
        "were not run.",
        "reboot",
    )


def step_failed(said: str) -> Reason:
    return Reason(
        "task_failed",
        said,
        "Mend what the message names, and run the role again. Up to the stage trigger, the host was "
        "not rebooted.",
        "reboot",
    )


def message(result: RebootResult) -> tuple[str, str]:
    """What the last task says of a run that failed, and the remedy."""
    reason, left = result.reason, result.drained
    if reason is None:
        return "The role did not come to its end with this host.", "Run it again."
    still = f" The host is still drained: {', '.join(left)}." if left else ""
    return reason.message, f"{reason.remedy}{still}"
