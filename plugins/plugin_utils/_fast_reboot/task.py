# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The steps of the role as its files of tasks call them, each from variables to a result."""

from __future__ import annotations

import contextlib
import secrets
import typing as t
from dataclasses import asdict, dataclass, replace

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Reason

from .._kexec_reboot.task import Result
from .._parsing.values import FormError, parse
from .._step import EndedError, StepError, handed, within_its_time
from .._text import words
from .._variables import registered, speakers
from .._variables.roles import FAST_REBOOT
from .._variables.speakers import Variables
from .._variables.turns import ANY as ANY_TURNS
from .._variables.turns import Turns
from . import boot, flow, plan, rescued
from .files import TaskFiles
from .flow import Run
from .result import RebootResult
from .steps import CannotTellError, Steps

# With these a run begins.
BEGINNINGS = ("note", "begin", "begin_undrain", "settle")
# What the last task leaves out of the result.
NOT_TOLD = ("diff", "failed", "msg", "run", "undrain")
# With these an order is given, or predicted, and what differs is shown once.
ORDERS = ("begin", "leave")
# Ansible takes a task that returns one for failed.
STATUS_OF_COMMAND = "rc"
# After these something of the operator's is run for the host.
FOR_THE_HOST = ("drain", "begin_file", "power_cycle", "undrain")
# The options of the action fast_reboot_step.
STEP_ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "step": {
        "type": "str",
        "required": True,
        "choices": [
            *("recall", "note", "begin", "begin_undrain", "settle", "set_aside", "drain"),
            *("note_drained", "leave", "wait", "power_cycle", "wait_after_reset", "look"),
            *("begin_file", "end_file", "undrain", "note_undrained", "note_failed_handler"),
            *("note_failed_reset", "note_failed_file", "note_failure", "end"),
        ],
    },
    # Nothing, or what another role wants in place of some of the variables.
    "changes": {"type": "raw", "default": ""},
    # Nothing, or what the step "note" returned.
    "frozen": {"type": "raw", "default": ""},
    "changed": {"type": "bool", "default": False},
    # Nothing, or what the role that includes this one wants.
    "boot": {"type": "raw"},
    "run": {"type": "dict", "default": {}},
}


@dataclass(frozen=True)
class FrozenRun:
    """What a run begins with, and the command that resets its host, which may have a secret in it."""

    run: Run
    power_cycle_command: tuple[str, ...] = ()


class RoleTask:
    """One task of the role for one host."""

    def __init__(
        self,
        variables: Variables,
        steps: Steps,
        template: t.Callable[[t.Any], t.Any],
        files: TaskFiles,
        turns: Turns = ANY_TURNS,
    ) -> None:
        self._variables = variables
        self._steps = steps
        self._template = template
        self._files = files
        self._turns = turns

    def step(self, arguments: t.Mapping[str, t.Any]) -> Result:
        name = arguments["step"]
        try:
            self._turns.refuse_mistaken()
        except StepError as error:
            raise StepError(
                error.message, error.remedy, **self._kept(name, arguments["run"])
            ) from None
        others = self._without_a_run(name, arguments)
        if name in others:
            return others[name]()
        run = arguments["run"]
        if not run.get("id"):
            # None was begun, and there is nothing to go on with.
            return dict(self._last)
        return self._go_on(name, _read(run))

    @property
    def _last(self) -> t.Mapping[str, t.Any]:
        """What the task before has left."""
        found = self._variables.get(registered.RESULT)
        if not rescued.is_result(found):
            raise StepError(
                "There is no run of the role that a step could go on with.",
                "Run the role fast_reboot, which begins one with its first step.",
            )
        return found

    def _kept(self, name: str, run: t.Mapping[str, t.Any]) -> Result:
        """What a step leaves where it is none of this run: what is known, in the place of its result."""
        if name == "recall":
            # Who asks whether an earlier run has left the host must not take it for one that none has.
            return {"mistaken": True}
        with contextlib.suppress(FormError):
            return _told(parse(Run, run))
        begun, last = (
            speakers.own(self._variables, each) for each in (registered.BEGUN, registered.RESULT)
        )
        goes_on = _run_in(last).get("id") == _run_in(begun).get("id")
        found = begun if name in BEGINNINGS and not goes_on else last
        known = found if rescued.is_result(found) else {}
        return {each: value for each, value in known.items() if each not in ("failed", "msg")}

    def _without_a_run(
        self, name: str, arguments: t.Mapping[str, t.Any]
    ) -> dict[str, t.Callable[[], Result]]:
        def begin() -> Result:
            return self._begin(name, arguments)

        return {
            **dict.fromkeys(BEGINNINGS, begin),
            "recall": self._recall,
            "set_aside": lambda: {"looked_after": True, "done": None, "run": None},
            "note_failed_handler": self._note_failed_handler,
            "note_failure": self._note_failure,
            "end": lambda: self._end(self._last),
        }

    def _note_failed_handler(self) -> t.NoReturn:
        raise _refused(flow.handler_failed(self._broken.said))

    @property
    def _broken(self) -> flow.Broken:
        return rescued.broken(self._variables)

    def _begin(self, name: str, arguments: t.Mapping[str, t.Any]) -> Result:
        """Take what is wanted, unless it was taken before, and leave a host that has no hooks."""
        try:
            with within_its_time():
                frozen = self._frozen(arguments)
                run = _for_boot(frozen.run, arguments["boot"])
        except EndedError as error:
            raise _refused(flow.ended(error.message, error.remedy)) from None
        except StepError as error:
            raise _refused(flow.argument_invalid(error.message, error.remedy)) from None
        if name != "note":
            run = self._taken_over(name, run, changed=arguments["changed"])
        told = _told(run, diff=name in ORDERS)
        return {**told, "power_cycle_command": [*frozen.power_cycle_command]}

    def _frozen(self, arguments: t.Mapping[str, t.Any]) -> FrozenRun:
        """What was taken before the host was asked, or is taken now."""
        self._turns.refuse_out_of_turn(self._variables)
        given = arguments["frozen"]
        if not given:
            return self._freeze(arguments["changes"])
        return handed(FrozenRun, given, option="frozen", by="the entry point note has")

    def _taken_over(self, name: str, run: Run, *, changed: bool) -> Run:
        """The host is this run's from now on, with what an earlier one has left."""
        run = self._after_all(name, run, lambda run: self._taken(name, run, changed=changed))
        if run.done:
            return self._closed(run)
        leaves = name == "begin" and run.next == "leave"
        return self._after_all("leave", run, self._steps.leave) if leaves else run

    def _taken(self, name: str, run: Run, *, changed: bool) -> Run:
        try:
            run = self._steps.begin(run)
        except CannotTellError as error:
            return flow.fail(run, error.reason)
        if run.failed:
            return run
        if name == "begin_undrain":
            run = flow.undrain_only(run)
        if name == "settle":
            run = flow.without_reboot(run, changed=changed)
        return run

    def _closed(self, run: Run) -> Run:
        """The run has come to its end, whether the host could be told so in time or not."""
        try:
            with within_its_time():
                return self._steps.close(run)
        except EndedError as error:
            return flow.not_forgotten(run, error.said.rstrip("."))

    def _freeze(self, changes: object) -> FrozenRun:
        speakers.refuse_a_speaker(self._variables)
        FAST_REBOOT.refuse_unknown(self._variables)
        wanted = FAST_REBOOT.wanted(self._variables, self._template)
        folder = str(self._variables["playbook_dir"])
        made, command = plan.make(plan.changed(wanted, changes), folder, self._files)
        return FrozenRun(flow.begin(secrets.token_hex(16), made), tuple(command))

    def _go_on(self, name: str, run: Run) -> Result:
        after = self._after_all(name, run, lambda run: self._after(name, run))
        if after.done and not run.done:
            after = self._closed(after)
        if name not in FOR_THE_HOST:
            return _told(after, diff=name in ORDERS or self._shows_for_begin(name, after))
        if after.result.reason != run.result.reason:
            # What would be run for the host has no turn.
            raise _failed(after.result, _told(after))
        try:
            speakers.refuse_a_pretender(self._variables)
        except StepError as error:
            raise StepError(error.message, error.remedy, **_told(after)) from None
        return _told(after)

    def _shows_for_begin(self, name: str, run: Run) -> bool:
        """Whether what differs was not seen yet, because a secret is in the result that had it."""
        begun = self._variables.get(registered.BEGUN)
        command = begun.get("power_cycle_command") if isinstance(begun, t.Mapping) else None
        return name == "wait" and run.predicted and run.plan.power_cycle.no_log and bool(command)

    def _after_all(self, name: str, run: Run, work: t.Callable[[Run], Run]) -> Run:
        """The run after a step. Whatever that fails by, what was done before is not forgotten.

        A host that does not answer is unreachable, as for any task, while nothing was done to it.
        """
        try:
            with within_its_time():
                return work(run)
        except Exception as error:
            forgettable = run.untouched and not run.result.drained
            if forgettable and isinstance(error, AnsibleConnectionFailure):
                raise
            raise _defective(name, run, error) from error

    def _after(self, name: str, run: Run) -> Run:
        steps: dict[str, t.Callable[[Run], Run]] = {
            "drain": self._drain,
            "note_drained": flow.drained,
            "leave": lambda run: self._steps.leave(run) if run.next == "leave" else run,
            "wait": self._wait,
            "look": self._steps.look,
            "begin_file": lambda run: self._steps.still_mine(run, "down"),
            "note_failed_file": lambda run: flow.file_failed(run, self._broken.said),
            "end_file": self._steps.end_file,
            "power_cycle": lambda run: run,
            "note_failed_reset": self._note_failed_reset,
            "wait_after_reset": self._wait_after_reset,
            "undrain": self._undrain,
            "note_undrained": lambda run: flow.undrained(run) if run.undoing else run,
        }
        return steps[name](run)

    def _drain(self, run: Run) -> Run:
        """The next hook's turn; before the first one it is seen that the reboot is not refused."""
        first = run.hooks_left == len(run.plan.hooks)
        seen = self._steps.foresee(run) if first else run
        if seen.failed:
            return seen
        # On record before the hook runs: whoever is interrupted then leaves a host that is drained.
        turn = flow.next_hook(seen)
        kept = self._steps.remember(flow.drained(turn), "drain")
        if not kept.failed:
            return replace(turn, known=kept.known)
        # This hook was not run. Whether those before it are undone is the other run's to say, if there is one.
        return flow.fail(seen.told(rebooted=kept.result.rebooted), kept.result.reason)

    def _undrain(self, run: Run) -> Run:
        """The next hook's turn; before the first one it is seen that no other run needs the host."""
        mine = run if run.undoing else self._steps.still_mine(run, "undrain")
        return flow.next_undrain(mine) if mine.result.reason == run.result.reason else mine

    @property
    def _reset(self) -> t.Mapping[str, t.Any]:
        """What the power cycle's command came to, nothing where its tasks were run in its place."""
        found = self._variables.get(registered.RESET)
        return found if isinstance(found, t.Mapping) else {}

    def _wait_after_reset(self, run: Run) -> Run:
        """Nobody waits for a host that was not reset, because who was to do it cannot be reached."""
        if not self._reset.get("unreachable"):
            return self._steps.wait_after_reset(run)
        cycle = run.plan.power_cycle
        why = "" if cycle.no_log else words.of_failure(self._reset)
        return flow.reset_failed(run, f"{cycle.delegate} cannot be reached{why and f': {why}'}")

    def _note_failed_reset(self, run: Run) -> Run:
        """Of a command with a secret in it the exit status tells something all the same."""
        command = self._reset
        status = command.get("rc")
        printed = "" if run.plan.power_cycle.no_log else words.printed(command)
        ended = "" if status is None else f"; it ended with exit status {status}"
        return flow.reset_failed(run, f"{self._broken.said}{ended}{printed and f': {printed}'}")

    def _wait(self, run: Run) -> Run:
        """A turn of the wait; a host that was not left yet has none."""
        if run.next != "wait":
            return run
        hosts = self._variables.get("ansible_play_batch") or ()
        forks = self._variables.get("ansible_forks") or 1
        return self._steps.wait(run, hosts=len(hosts), forks=int(forks))

    def _note_failure(self) -> Result:
        """What is known of a run of which a task failed."""
        told = rescued.step_of_role(self._variables)
        run = self._latest(told)
        if run is None and told and not told["run"].get("id"):
            # It was refused, and none was begun.
            return {name: value for name, value in told.items() if name not in ("failed", "msg")}
        if run is None:
            reason = flow.step_failed(self._broken.said)
            return _nothing(RebootResult(reason=reason, rebooted=None))
        if rescued.step_was_cut_off(self._variables):
            # It may have ordered the host to leave.
            run = run.told(rebooted=None)
        return _told(run if told and run.failed else flow.broke(run, self._broken))

    def _end(self, result: t.Mapping[str, t.Any]) -> Result:
        """The last word: what failed fails here, when all hosts of the batch are through."""
        if result["done"]:
            return _last_word(result)
        if not result["run"].get("id"):
            raise _failed(parse(RebootResult, result), _last_word(result))
        run = _read(result["run"])
        # A host that may be gone remembers its order, and cannot be told more.
        if run.result.rebooted is not None:
            run = self._closed(run)
        raise _failed(run.result, _last_word({**result, **run.result.as_dict()}))

    def _recall(self) -> Result:
        try:
            found = self._steps.recall()
        except CannotTellError as error:
            raise _refused(error.reason) from None
        except AnsibleConnectionFailure as error:
            # As Ansible would say it, with the moment in which the host was asked.
            return {"unreachable": True, "msg": str(error)}
        if found is None:
            return {"remembered": None}
        told = {"run_id": found.run_id, "progress": found.progress, "drained": [*found.drained]}
        return {"remembered": {**told, "unhealthy": list(found.findings)}}

    def _latest(self, failed: t.Mapping[str, t.Any]) -> Run | None:
        """The run as the last step has left it, which may be the one that failed.

        What is to be done is what was frozen: nothing that could come from a host takes its place.
        """
        first, last = (
            _run_in(speakers.own(self._variables, name))
            for name in (registered.BEGUN, registered.RESULT)
        )
        if not first.get("id"):
            return None
        known = [each for each in (_run_in(failed), last) if each.get("id") == first["id"]]
        with contextlib.suppress(FormError):
            return parse(Run, {**(known[0] if known else first), "plan": first.get("plan")})
        return None


def _for_boot(run: Run, given: object) -> Run:
    """A run with what another role wants of this boot."""
    if not given:
        return run
    wanted = handed(boot.Boot, given, option="boot", by="a step of the role that includes this one")
    made = boot.plan_of(run.plan, wanted)
    return flow.begin(run.id, made, follows=wanted.follows, holds=wanted.holds)


def _run_in(told: object) -> t.Mapping[str, t.Any]:
    run = told.get("run") if isinstance(told, t.Mapping) else None
    return run if isinstance(run, t.Mapping) else {}


def _last_word(result: t.Mapping[str, t.Any]) -> Result:
    return {name: value for name, value in result.items() if name not in NOT_TOLD}


def _told(run: Run, *, diff: bool = False) -> Result:
    """What a task of the role returns. With the status of the test command it would be a failed one."""
    left_out = (STATUS_OF_COMMAND, *(() if diff else ("diff",)))
    told = {each: value for each, value in run.result.as_dict().items() if each not in left_out}
    undrain = run.undoes if run.next == "undrain" else []
    return {**told, "run": asdict(run), "done": run.done, "undrain": undrain}


def _nothing(result: RebootResult) -> Result:
    """What it returns where no run was begun."""
    # With each key that is looked at: where hashes are merged, a host could say what is not there.
    run = {"id": "", "next": ""}
    return {**result.as_dict(), "run": run, "done": False, "undrain": []}


def _refused(reason: Reason) -> StepError:
    """The end before a run was begun."""
    result = RebootResult(reason=reason)
    return _failed(result, _nothing(result))


def _read(run: object) -> Run:
    """The run that the step before has handed on."""
    try:
        return parse(Run, run)
    except FormError as error:
        raise StepError(
            f"What was handed on is no run of the role: {error}.",
            "Hand on what the step before has returned.",
        ) from None


def _defective(name: str, run: Run, error: Exception) -> StepError:
    """A step that failed without a reason of its own: whether an order was given is not known then.

    Only the modules before it let a lost connection through.
    """
    if name == "leave":
        asked = isinstance(error, AnsibleConnectionFailure)
        run = run.told(stage="trigger", rebooted=False if asked else None)
    if isinstance(error, EndedError):
        # What the host remembers of an earlier run is not known while it is asked.
        known = run.told(rebooted=None) if name in BEGINNINGS else run
        ended = flow.fail(known, flow.ended(error.message, error.remedy))
        return _failed(ended.result, _told(ended))
    if isinstance(error, StepError):
        return StepError(error.message, error.remedy, **_told(run))
    if isinstance(error, AnsibleError):
        return StepError(
            f"{error}.",
            "Mend that, with -vvv for what led to it, and run the role again.",
            **_told(run),
        )
    said = f"A defect of the collection: {type(error).__name__}: {error}."
    remedy = "Report it with what ANSIBLE_DISPLAY_TRACEBACK=error shows."
    return StepError(said, remedy, **_told(run))


def _failed(result: RebootResult, told: Result) -> StepError:
    """The end of a run, with all that is known of its host."""
    return StepError(*flow.message(result), **told)
