# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps as the files of tasks call them: from variables to what a task returns."""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import replace

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible.utils.vars import merge_hash
from ansible_collections.alpinefleet.kexec.plugins.module_utils._preflight import judge
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot import rescued
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot.task import (
    STEP_ARGUMENTS,
    FrozenRun,
    RoleTask,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._parsing.values import parse
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot import failure, spec
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.ports import (
    NoAnswerError,
    OtherRunError,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._step import told as with_nonce
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._variables import turns
from ansible_collections.alpinefleet.kexec.tests.unit import documentation
from ansible_collections.alpinefleet.kexec.tests.unit.reboots import result
from ansible_collections.alpinefleet.kexec.tests.unit.steps import carried_out

from tests.plays.run import ROOT

from .test_flow import ORDERED
from .test_plan import DEFAULTS, AnyFiles
from .test_steps import ORDER, Scene

# Any file of tasks that is there.
HOOK_FILE = str(ROOT / "roles/fast_reboot/tasks/wait.yml")
HOOK = {"name": "lb", "drain": HOOK_FILE, "undrain": HOOK_FILE}
LEFT = {**ORDERED, "order": ORDER}
LOST = failure.did_not_return(600.0, "timed out", gone=True)

Result = dict[str, t.Any]

# Where the last step is found.
RESULTS = ("fast_reboot_result", "__fast_reboot_begun")


class Role:
    """The role on one host, task by task, as Ansible hands results on."""

    def __init__(self, *answers: t.Any, **wanted: t.Any) -> None:
        self.scene = Scene(*answers)
        # Nothing in the variables is a template.
        self.template: t.Callable[[t.Any], t.Any] = lambda value: value
        self.turns = turns.ANY
        self.variables: Result = {
            "playbook_dir": "/play",
            "inventory_hostname": "web1",
            "ansible_forks": 5,
            "ansible_play_batch": ["web1"],
            **{f"fast_reboot_{name}": value for name, value in {**DEFAULTS, **wanted}.items()},
        }

    def begin(self, step: str = "begin", **arguments: t.Any) -> Result:
        found = self._step(step, **arguments)
        self.variables["__fast_reboot_begun"] = found
        return found

    def go_on(self, *steps: str) -> Result:
        for step in steps:
            last = next(self.variables[each] for each in RESULTS if each in self.variables)
            self.variables["fast_reboot_result"] = self._step(step, run=last["run"])
        return t.cast("Result", self.variables["fast_reboot_result"])

    def broke(self, failed: Result | None = None, **task: t.Any) -> Result:
        """A block was rescued from a task, which may be one of the role's own."""
        is_step = failed is not None and "done" in failed
        action = rescued.STEP if is_step else "ansible.builtin.command"
        self.variables["ansible_failed_task"] = {"name": "A task", "action": action, **task}
        found = failed or {"msg": "it broke"}
        self.variables["ansible_failed_result"] = with_nonce(found) if is_step else found
        self.variables["fast_reboot_result"] = self._step("note_failure")
        return t.cast("Result", self.variables["fast_reboot_result"])

    def end(self) -> Result:
        return self._step("end")

    def _step(self, step: str, **arguments: t.Any) -> Result:
        role = RoleTask(self.variables, self.scene.steps, self.template, AnyFiles(), self.turns)
        told = carried_out(role.step, STEP_ARGUMENTS, step=step, **arguments)
        return t.cast("Result", json.loads(json.dumps(told)))


def following(told: Result) -> tuple[t.Any, ...]:
    return told["run"]["next"], told["stage"], told["done"], told.get("failed", False)


# --- A host without hooks -------------------------------------------------------------------


def test_host_without_hooks_has_two_tasks() -> None:
    role = Role(LEFT, result())
    assert following(role.begin()) == ("wait", "down", False, False)
    assert following(role.go_on("wait")) == ("", None, True, False)


def test_result_of_a_host_that_is_done_says_so_once_more() -> None:
    role = Role(LEFT, result())
    role.begin()
    role.go_on("wait")
    told = role.end()
    assert (told["done"], told["rebooted"], "failed" in told) == (True, True, False)
    assert "run" not in told


def test_status_of_the_test_command_is_told_at_the_end_only() -> None:
    said: dict[str, t.Any] = {"rc": 7, "stdout": "out", "stderr": ""}
    error = failure.RebootError(
        "test_command_failed", "No.", "Do.", stage="test_command", rebooted=True, **said
    )
    role = Role(LEFT, error)
    role.begin()
    role.scene.clock.advance(600.0)
    # Ansible takes a task that returns one for failed.
    assert "rc" not in role.go_on("wait")
    assert "rc" not in role.broke()
    told = role.end()
    assert (told["failed"], told["rc"], told["stdout"]) == (True, 7, "out")


def test_lost_host_fails_at_the_end_only() -> None:
    role = Role(LEFT, LOST)
    role.begin()
    role.scene.clock.advance(600.0)
    assert following(role.go_on("wait")) == ("", "down", False, False)
    told = role.end()
    assert (told["failed"], told["reason"]["code"]) == (True, "did_not_return")
    assert told["msg"].startswith("The host went down and did not come back")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        pytest.param(
            {"rc": 7}, "its result is hidden; it ended with exit status 7", id="a command"
        ),
        pytest.param(None, "A task: its result is hidden", id="a file of tasks"),
    ],
)
def test_reset_that_fails_tells_its_status_and_not_its_words(command: t.Any, said: str) -> None:
    role = Role(LEFT, LOST, power_cycle_command=["reset", "--password", "x"])
    role.begin()
    role.scene.clock.advance(600.0)
    assert following(role.go_on("wait"))[0] == "power_cycle"
    failed = {"name": "A task", "no_log": True}
    role.variables |= {"__fast_reboot_reset": command, "ansible_failed_task": failed}
    role.variables["ansible_failed_result"] = {"msg": "--password x was wrong"}
    told = role.go_on("power_cycle", "note_failed_reset")
    assert following(told) == ("", "down", False, False)
    assert said in told["reason"]["message"]
    assert "--password" not in json.dumps(told)


@pytest.mark.parametrize("no_log", [True, False])
def test_reset_tells_what_it_printed_where_that_is_no_secret(no_log: bool) -> None:
    role = Role(LEFT, LOST, power_cycle_command=["reset"], power_cycle_no_log=no_log)
    role.begin()
    role.scene.clock.advance(600.0)
    role.go_on("wait")
    role.variables |= {
        "__fast_reboot_reset": {"rc": 7, "stdout": "trying\nno route to web1-bmc\n", "stderr": ""},
        # Ansible hands the keyword on as it was written.
        "ansible_failed_task": {"name": "A task", "no_log": "{{ no_log }}"},
        "ansible_failed_result": {"msg": "non-zero return code"},
    }
    message = role.go_on("power_cycle", "note_failed_reset")["reason"]["message"]
    assert ("; it ended with exit status 7: no route to web1-bmc" in message) is not no_log
    assert ("no route" in message) is not no_log


@pytest.mark.parametrize("no_log", [True, False])
def test_nobody_waits_for_a_reset_by_a_helper_that_cannot_be_reached(no_log: bool) -> None:
    wanted = {"power_cycle_no_log": no_log, "power_cycle_delegate": "pdu1"}
    role = Role(LEFT, LOST, power_cycle_command=["reset"], **wanted)
    role.begin()
    role.scene.clock.advance(600.0)
    assert following(role.go_on("wait"))[0] == "power_cycle"
    # For Ansible that is neither a failure nor anything else that would be rescued.
    refused = {"unreachable": True, "changed": False, "msg": "Connection refused"}
    role.variables["__fast_reboot_reset"] = refused
    turns = list(role.scene.task.turns)
    told = role.go_on("power_cycle", "wait_after_reset")
    assert (following(told), role.scene.task.turns) == (("", "down", False, False), turns)
    assert told["reason"]["code"] == "did_not_return"
    why = "" if no_log else ": Connection refused"
    said = f"The power cycle failed, too: pdu1 cannot be reached{why}"
    assert told["reason"]["message"].endswith(said)
    assert told["rungs"][-1] == {"method": "power_cycle", "reason": "power_cycle_failed"}


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        ({"power_cycle_command": ["reset"]}, True),
        ({"power_cycle_command": ["reset"], "power_cycle_no_log": False}, False),
        ({}, False),
    ],
)
def test_what_differs_is_shown_once_also_where_the_order_is_hidden(
    wanted: dict[str, t.Any], shown: bool
) -> None:
    differs = {"before": "", "after": "x"}
    role = Role({**result(rebooted=False), "diff": differs}, **wanted)
    assert role.begin()["diff"] == differs
    told = role.go_on("wait")
    assert (told["done"], "diff" in told) == (True, shown)


def test_file_of_the_health_is_run_and_told_of() -> None:
    role = Role(LEFT, result(), health_tasks=[HOOK_FILE])
    role.begin()
    assert following(role.go_on("wait"))[0] == "task_file"
    assert role.go_on("begin_file")["run"]["file"] == HOOK_FILE
    assert following(role.go_on("end_file")) == ("", None, True, False)


def test_host_that_was_not_left_has_no_turn_of_the_wait() -> None:
    role = Role(hooks=[HOOK])
    begun = role.begin()
    told = role.go_on("wait")
    assert following(told) == following(begun) == ("drain", "preflight", False, False)
    assert role.scene.task.requests == []


# Of six hosts that five forks wait for, each has half of what the confirmation leaves it. What is not
# there or nobody can count makes no turns.
@pytest.mark.parametrize(
    ("batch", "forks", "seconds"),
    [(6, 5, 75.0), (5, 5, 600.0), (6, 6, 600.0), (50, 5, 15.0), (None, 5, 600.0), (1, None, 600.0)],
)
def test_turn_of_a_host_is_that_of_its_batch_and_the_forks(
    batch: int | None, forks: int | None, seconds: float
) -> None:
    role = Role(LEFT, result(), timeout=600, confirm_timeout=300)
    told = {
        "ansible_play_batch": batch and [f"web{number}" for number in range(batch)],
        "ansible_forks": forks,
        # More of them are no more turns: those of other batches are not waited for now.
        "ansible_play_hosts_all": [f"web{number}" for number in range(100)],
    }
    role.variables.update(told)
    role.begin()
    role.go_on("wait")
    assert role.scene.task.turns == [seconds]


def test_host_that_is_done_remembers_nothing() -> None:
    role = Role(LEFT, result())
    role.begin()
    assert "down" in str(role.scene.task.memory)
    role.go_on("wait")
    assert role.scene.task.memory == ""


def test_host_that_is_not_well_remembers_it_when_the_role_ends() -> None:
    role = Role(LEFT, result(), ["port 1"], stable_seconds=5)
    role.begin()
    role.go_on("wait", "look")
    role.end()
    assert 'finding "port 1"' in str(role.scene.task.memory)


def test_host_that_is_lost_is_not_asked_to_remember_that() -> None:
    role = Role(LEFT, LOST)
    role.begin()
    role.scene.clock.advance(600.0)
    role.go_on("wait")
    notes = list(role.scene.task.notes)
    role.end()
    assert role.scene.task.notes == notes
    assert "order" in str(role.scene.task.memory)


def test_step_of_a_run_that_was_never_begun_changes_nothing() -> None:
    role = Role(health_ports=["https"])
    told = role.broke(role.begin())
    assert told["reason"]["code"] == "argument_invalid"
    assert role.go_on("note_undrained") == told
    assert role.end()["failed"]


@pytest.mark.parametrize("left", [{"done": False}, {"done": False, "run": None}, {"run": {}}, 7])
def test_what_is_no_result_of_a_step_is_refused(left: t.Any) -> None:
    role = Role()
    role.variables["fast_reboot_result"] = left
    told = role.end()
    assert told["failed"]
    assert "There is no run of the role" in told["msg"]
    # Nor is it one in a rescue.
    role = Role(LEFT)
    role.begin()
    failed = left if isinstance(left, dict) else {}
    role.variables["ansible_failed_task"] = {"name": "A step", "action": rescued.STEP}
    role.variables["ansible_failed_result"] = {**failed, "msg": "it broke"}
    assert role._step("note_failure")["reason"]["code"] == "task_failed"


# --- What is refused ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "wanted", "said"),
    [
        pytest.param({}, {"timeout": -1}, "fast_reboot_timeout is -1", id="a value"),
        pytest.param(
            {"fast_reboot_timeuot": 5}, {}, "no variable fast_reboot_timeuot", id="a name"
        ),
        pytest.param(
            {"ansible_facts": {"fast_reboot_method": "firmware"}},
            {},
            "variables: fast_reboot_method. Find out who controls the host.",
            id="a host that spoke",
        ),
    ],
)
def test_what_cannot_be_begun_is_refused(variables: Result, wanted: Result, said: str) -> None:
    role = Role(**wanted)
    role.variables.update(variables)
    told = role.begin()
    assert (told["failed"], told["done"], told["rebooted"]) == (True, False, False)
    assert (told["reason"]["code"], told["stage"]) == ("argument_invalid", "preflight")
    assert said in told["msg"]
    assert role.scene.task.modes == []
    # The rescue of the block keeps it, and it is what the role ends with.
    assert role.broke(told)["reason"] == told["reason"]
    assert said in role.end()["msg"]


def test_what_was_frozen_before_is_not_looked_at_again() -> None:
    noted = Role(timeout=77)
    frozen = noted._step("note")
    role = Role(LEFT)
    role.variables["ansible_facts"] = {"fast_reboot_timeout": 1}
    role.variables["fast_reboot_timeout"] = -1
    told = role.begin(frozen=frozen, changes={"timeout": -1})
    assert (told.get("failed", False), told["run"]["next"]) == (False, "wait")
    assert told["run"]["plan"]["arguments"]["reboot_timeout"] == 77


def test_command_of_a_power_cycle_is_told_once() -> None:
    role = Role(LEFT, result(), power_cycle_command="reset password")
    assert role.begin()["power_cycle_command"] == ["reset", "password"]
    assert "password" not in json.dumps(role.go_on("wait"))


# --- Hooks ----------------------------------------------------------------------------------


def test_host_with_hooks_is_drained_rebooted_and_undrained() -> None:
    role = Role({**LEFT, "rebooted": False}, LEFT, result(), hooks=[HOOK])
    role.begin()
    assert following(role.go_on("drain")) == ("leave", "drain", False, False)
    # It is on record before the hook runs.
    assert 'drain\ndrained "lb"' in str(role.scene.task.memory)
    assert role.go_on("note_drained")["drained"] == ["lb"]
    assert following(role.go_on("leave", "wait")) == ("undrain", "health", False, False)
    assert following(role.go_on("undrain")) == ("undrain", "undrain", False, False)
    assert following(role.go_on("note_undrained")) == ("", None, True, False)
    # What was foreseen was a prediction; the others take over, and remember.
    assert role.scene.task.modes.count(True) == 1


def test_run_that_is_overtaken_between_two_hooks_undoes_nothing() -> None:
    role = Role({**LEFT, "rebooted": False}, hooks=[HOOK, {**HOOK, "name": "second"}])
    role.begin()
    role.go_on("drain", "note_drained")
    role.scene.task.memory = OtherRunError()
    told = role.go_on("drain")
    assert (told["reason"]["code"], told["drained"], told["run"]["next"]) == (
        "overtaken",
        ["lb"],
        "",
    )


@pytest.mark.parametrize("said", [{"drained": [], "hook": ""}, {"hooks_left": 7}, {"undoing": "x"}])
def test_result_of_another_task_says_nothing_of_the_run(said: Result) -> None:
    role = Role(LEFT, hooks=[HOOK])
    role.begin()
    role.go_on("drain")
    run = role.variables["fast_reboot_result"]["run"]
    forged = {"failed": True, "msg": "no", "done": False, "rebooted": True, "run": {**run, **said}}
    role.variables["ansible_failed_task"] = {"name": "A module", "action": "command"}
    role.variables["ansible_failed_result"] = {**forged, "changed": True}
    told = role._step("note_failure")
    assert (told["reason"]["code"], told["rebooted"]) == ("drain_failed", False)
    assert (told["drained"], told["run"]["next"]) == (["lb"], "undrain")


def test_refusal_is_foreseen_before_a_host_is_drained() -> None:
    role = Role(failure.local_connection(rebooted=False), hooks=[HOOK])
    role.begin()
    told = role.go_on("drain")
    # The hooks after it have no turn.
    assert following(told) == ("", "preflight", False, True)
    assert (told["reason"]["code"], told["run"]["file"]) == ("local_connection", "")


@pytest.mark.parametrize(
    "steps", [("drain",), ("drain", "note_drained", "leave", "wait", "undrain")]
)
def test_nothing_is_run_for_a_host_that_pretends_to_be_another(steps: tuple[str, ...]) -> None:
    role = Role({**LEFT, "rebooted": False}, LEFT, result(), hooks=[HOOK])
    role.begin()
    *before, last = steps
    if before:
        role.go_on(*before)
    role.variables["ansible_facts"] = {"inventory_hostname": "web2"}
    told = role.go_on(last)
    assert told["failed"]
    after = role.broke(told)
    assert after["reason"]["code"] == f"{last}_failed"
    assert "inventory_hostname" in after["reason"]["message"]


# --- What is left from before ---------------------------------------------------------------


def left_drained(**wanted: t.Any) -> Role:
    role = Role(hooks=[HOOK], **wanted)
    role.scene.task.memory = f'{"1" * 32} unhealthy\ndrained "lb"\nfinding "port 1"'
    return role


def test_host_that_was_left_drained_says_so_and_is_left_alone() -> None:
    role = left_drained()
    before = role.scene.task.memory
    told = role._step("recall")
    assert told["remembered"] == {
        "run_id": "1" * 32,
        "progress": "unhealthy",
        "drained": ["lb"],
        "unhealthy": ["port 1"],
    }
    assert role.scene.task.memory == before


def test_host_that_remembers_nothing_says_so() -> None:
    assert Role()._step("recall") == {"remembered": None}


def test_host_that_does_not_answer_says_when_it_was_asked() -> None:
    role = Role()
    role.scene.task.memory = NoAnswerError("silent", "no route")
    assert role._step("recall") == {"unreachable": True, "msg": "no route"}


def test_host_that_was_left_drained_is_undrained_on_request() -> None:
    role = left_drained()
    assert following(role.begin(step="begin_undrain")) == (
        "undrain",
        "preflight",
        False,
        False,
    )
    assert following(role.go_on("wait", "undrain", "note_undrained")) == ("", None, True, False)
    assert role.scene.task.memory == ""
    assert role.scene.task.requests == []


def test_host_that_is_not_drained_is_done_at_once() -> None:
    role = Role(hooks=[HOOK])
    assert following(role.begin(step="begin_undrain")) == ("", None, True, False)
    assert role.scene.task.memory == ""


def test_what_was_drained_by_an_earlier_run_is_undone_by_the_next() -> None:
    role = left_drained()
    role.scene.task._answers = [{**LEFT, "rebooted": False}, LEFT, result()]
    told = role.begin()
    assert (told["drained"], told["taken_over"]["progress"]) == (["lb"], "unhealthy")
    # The hook finds that there is nothing left to do for it, and is undone all the same.
    role.go_on("drain", "leave", "wait")
    told = role.go_on("undrain", "note_undrained")
    assert following(told) == ("", None, True, False)
    assert role.scene.task.memory == ""


@pytest.mark.parametrize(
    ("changed", "findings", "expected"),
    [
        pytest.param(False, None, ("", None, True, False), id="nothing was changed"),
        pytest.param(True, [], ("", None, True, False), id="changed, and well"),
        pytest.param(True, ["port 1"], ("", "health", False, False), id="changed, and sick"),
    ],
)
def test_host_without_a_reboot_is_looked_at_where_something_changed(
    changed: bool, findings: list[str] | None, expected: tuple[t.Any, ...]
) -> None:
    role = Role(findings)
    told = role.begin(step="settle", changed=changed)
    assert following(told if findings is None else role.go_on("wait", "look")) == expected
    assert role.scene.task.looks == ([] if findings is None else [("-", 120.0)])


@pytest.mark.parametrize(
    ("findings", "expected"),
    [([], ("undrain", "health", False, False)), (["port 1"], ("", "health", False, False))],
)
def test_host_that_was_left_sick_is_looked_at_again(
    findings: list[str], expected: tuple[t.Any, ...]
) -> None:
    role = left_drained()
    role.scene.task._answers = [findings]
    role.begin(step="settle")
    assert following(role.go_on("wait", "look")) == expected
    if findings:
        assert role.end()["reason"]["code"] == "unhealthy"
        assert "unhealthy" in str(role.scene.task.memory)
    else:
        role.go_on("undrain", "note_undrained")
        assert role.scene.task.memory == ""


# --- Tasks that break -----------------------------------------------------------------------


def drained(*answers: t.Any) -> Role:
    role = Role({**LEFT, "rebooted": False}, *answers, hooks=[HOOK])
    role.begin()
    role.go_on("drain", "note_drained")
    return role


@pytest.mark.parametrize(
    ("error", "rebooted", "next_step"),
    [
        pytest.param(AnsibleConnectionFailure("cut off"), False, "undrain", id="connection"),
        pytest.param(RuntimeError("a defect"), None, "", id="defect"),
    ],
)
def test_order_that_breaks_forgets_no_hook(
    error: Exception, rebooted: bool | None, next_step: str
) -> None:
    role = drained(error)
    told = role.go_on("leave")
    assert (told["failed"], told["drained"]) == (True, ["lb"])
    after = role.broke(told)
    assert (after["reason"]["code"], after["stage"]) == ("task_failed", "trigger")
    assert (after["rebooted"], after["run"]["next"]) == (rebooted, next_step)


class TaskTimeoutError(BaseException):
    """What Ansible ends a task by."""


CUT_OFF = TaskTimeoutError("Timed out after 5 second(s).")


def test_order_that_ansible_ends_forgets_neither_hook_nor_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = failure.task_timeout("Timed out.", ordered=True, order=ORDER)
    # It was remembered, and given.
    role = drained(LEFT)
    run = role.scene.task.run

    def cut_off(request: t.Any, before_order: t.Any) -> t.NoReturn:
        run(request, before_order)
        raise given

    monkeypatch.setattr(role.scene.task, "run", cut_off)
    told = role.go_on("leave")
    assert (told["reason"]["code"], told["rebooted"], told["drained"]) == (
        "task_timeout",
        None,
        ["lb"],
    )
    assert (told["run"]["next"], told["run"]["order"]["token"]) == ("", ORDER["token"])
    assert role.end()["failed"]
    assert all(word in str(role.scene.task.memory) for word in ("down", "order", 'drained "lb"'))


@pytest.mark.parametrize("step", ["leave", "wait"])
def test_step_that_ansible_ends_forgets_no_hook(step: str) -> None:
    role = drained(*([CUT_OFF] if step == "leave" else [LEFT, CUT_OFF]))
    failed = role.go_on("leave") if step == "leave" else role.go_on("leave", "wait")
    told = role.broke(failed)
    assert (told["reason"]["code"], told["rebooted"], told["drained"]) == (
        "task_timeout",
        None,
        ["lb"],
    )
    assert told["run"]["next"] == ""
    assert "The host is still drained: lb." in role.end()["msg"]


def test_host_is_untouched_where_ansible_ends_the_reading_of_variables() -> None:
    role = Role(LEFT)

    def template(_value: t.Any) -> t.NoReturn:
        raise CUT_OFF

    role.template = template
    told = role.broke(role.begin())
    assert (told["reason"]["code"], told["rebooted"]) == ("task_timeout", False)
    assert role.end()["failed"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"changes": "power_cycle_command: [x]"}, "fast_reboot_changes must be a mapping"),
        ({"changes": {"methud": "kexec"}}, "fast_reboot_changes has methud"),
        ({"frozen": "x"}, "The option frozen is not what it has to be"),
        ({"frozen": {"run": {"id": "x"}}}, "The option frozen is not what it has to be"),
        ({"boot": "x"}, "The option boot is not what it has to be"),
    ],
)
def test_what_another_role_says_wrongly_is_told_and_touches_nothing(
    given: dict[str, t.Any], said: str
) -> None:
    role = Role(LEFT)
    told = role.broke(role.begin(**given))
    assert (told["reason"]["code"], told["rebooted"]) == ("argument_invalid", False)
    assert told["reason"]["message"].startswith(said)


MISTAKEN = turns.Turns(includer="/srv/drain.yml:3")


@pytest.mark.parametrize("step", ["begin", "recall", "leave", "end", "note_failure"])
def test_no_step_is_taken_for_a_file_of_somebody_else(step: str) -> None:
    role = drained(LEFT)
    asked = len(role.scene.task.requests)
    role.turns = MISTAKEN
    told = role._step(step, run=role.variables["fast_reboot_result"]["run"])
    assert told["failed"]
    assert "/srv/drain.yml:3" in told["msg"]
    assert len(role.scene.task.requests) == asked


@pytest.mark.parametrize("step", ["begin", "settle", "note_failure", "end"])
def test_step_for_a_file_of_somebody_else_forgets_nothing(step: str) -> None:
    role = drained(LEFT)
    last = role.variables["fast_reboot_result"]
    role.turns = MISTAKEN
    told = role._step(step)
    assert (told["drained"], told["run"]["id"]) == (["lb"], last["run"]["id"])


def test_step_for_a_file_of_somebody_else_knows_nothing_where_no_run_was_begun() -> None:
    role = Role(LEFT)
    role.turns = MISTAKEN
    assert "run" not in role._step("begin")
    assert role._step("recall")["mistaken"] is True


def test_drain_that_ansible_ends_undoes_the_hooks_before() -> None:
    role = Role({**LEFT, "rebooted": False}, hooks=[HOOK, {**HOOK, "name": "second"}])
    role.begin()
    role.go_on("drain", "note_drained")
    role.scene.task.memory = CUT_OFF
    told = role.broke(role.go_on("drain"))
    assert (told["reason"]["code"], told["rebooted"], told["undrain"]) == (
        "task_timeout",
        False,
        ["lb"],
    )


def test_beginning_that_ansible_ends_does_not_know_what_an_earlier_run_has_left() -> None:
    role = Role()
    role.scene.task.memory = CUT_OFF
    told = role.broke(role.begin())
    assert (told["reason"]["code"], told["rebooted"], told["done"]) == ("task_timeout", None, False)
    assert role.end()["reason"]["code"] == "task_timeout"


def test_host_that_is_drained_stays_known_as_such_where_its_order_is_ended_at_once() -> None:
    role = left_drained()
    role.variables["fast_reboot_hooks"] = [HOOK]
    role.scene.task._answers = [CUT_OFF]
    told = role.begin()
    assert told["drained"] == ["lb"]


def test_end_that_ansible_ends_keeps_what_the_run_came_to() -> None:
    role = Role(LEFT, result())
    role.begin()
    role.scene.task.memory = CUT_OFF
    told = role.go_on("wait")
    assert (told["done"], told["rebooted"]) == (True, True)
    assert told["reasons"][-1]["code"] == "not_remembered"


def test_step_that_says_nothing_when_it_is_ended_may_have_ordered_a_reboot() -> None:
    role = drained()
    failed = {"msg": "Timed out.", "timedout": {"period": 5}}
    told = role.broke(failed, action=rescued.STEP)
    assert (told["rebooted"], told["drained"], told["undrain"]) == (None, ["lb"], [])


def test_wait_that_breaks_forgets_no_hook() -> None:
    role = drained(LEFT, KeyError("x"))
    after = role.broke(role.go_on("leave", "wait"))
    assert (after["reason"]["code"], after["stage"], after["drained"]) == (
        "task_failed",
        "down",
        ["lb"],
    )


def test_host_that_cannot_be_reached_is_unreachable_while_nothing_was_done() -> None:
    with pytest.raises(AnsibleConnectionFailure):
        Role(AnsibleConnectionFailure("cut off")).begin()
    role = Role(AnsibleConnectionFailure("cut off"), hooks=[HOOK])
    role.begin()
    with pytest.raises(AnsibleConnectionFailure):
        role.go_on("drain")


def test_task_of_a_user_that_fails_is_the_hook_s_failure() -> None:
    role = drained()
    after = role.broke({"msg": "no balancer"})
    assert (after["reason"]["code"], after["run"]["next"]) == ("drain_failed", "undrain")
    assert "A task: no balancer" in after["reason"]["message"]


def test_earlier_run_of_the_role_in_the_play_is_none_of_this_one() -> None:
    role = Role(LEFT, result())
    role.begin()
    role.go_on("wait")
    second = Role(hooks=[HOOK])
    second.variables = {**role.variables, **second.variables}
    second.begin()
    after = second.broke()
    assert (after["rebooted"], after["boot_id"]["after"]) == (False, None)
    assert after["reason"]["code"] == "task_failed"


EVIL = {"name": "lb", "drain": "/tmp/evil.yml", "undrain": "/tmp/evil.yml", "always": False}


def evil(run: Result) -> Result:
    """What a host would have a run be, so that a file of its own choice is run."""
    plan = {**run["plan"], "hooks": [EVIL]}
    told = {**run["result"], "stage": "drain", "drained": ["lb"], "rebooted": False}
    return {"done": False, "run": {**run, "plan": plan, "next": "undrain", "result": told}}


@pytest.mark.parametrize("name", ["ansible_failed_result", "__fast_reboot_begun"])
def test_host_that_says_how_far_a_run_is_has_no_file_run(name: str) -> None:
    role = Role(hooks=[HOOK])
    said = evil(role.begin()["run"])
    del role.variables["__fast_reboot_begun"]
    role.variables |= {name: said, "ansible_facts": {name.removeprefix("ansible_"): said}}
    told = role._step("note_failure")
    assert (told["run"]["next"], told["drained"], told["undrain"]) == ("", [], [])
    assert "/tmp/evil.yml" not in json.dumps(told)


def said_besides(told: t.Any) -> t.Any:
    """What a host would say of everything, so that where hashes are merged it adds what is not there."""
    if isinstance(told, dict) and told:
        return {"more": "said", **{name: said_besides(each) for name, each in told.items()}}
    return {"said": "said"}


@pytest.mark.parametrize("wanted", [{}, {"hooks": [HOOK], "power_cycle_command": ["reset"]}])
def test_run_is_what_was_frozen_where_hashes_are_merged(wanted: Result) -> None:
    role = Role(LEFT, **wanted)
    told = role._step("note")
    assert set(told["run"]["plan"]["arguments"]) == set(spec.ARGUMENT_SPEC)
    assert set(told["run"]["plan"]["arguments"]["health"]) == set(spec.HEALTH_SPEC)
    merged = merge_hash(said_besides(told), told)
    # What the host knows of a reboot, and nothing that is done.
    merged["run"]["result"]["timings"] = {}
    mine, its = (parse(FrozenRun, each) for each in (told, merged))
    assert its.power_cycle_command == mine.power_cycle_command == tuple(told["power_cycle_command"])
    assert spec.parse(its.run.plan.arguments, "web1") == spec.parse(mine.run.plan.arguments, "web1")
    arguments = mine.run.plan.arguments
    plan = replace(its.run.plan, arguments=arguments)
    assert replace(its.run, plan=plan) == mine.run


def test_host_adds_no_run_to_what_was_refused_where_hashes_are_merged() -> None:
    role = Role(timeout=-1)
    said = evil(Role(hooks=[HOOK]).begin()["run"])
    told = merge_hash(said, role.broke(role.begin()))
    role.variables |= {"fast_reboot_result": told, "ansible_facts": {"fast_reboot_result": said}}
    after = role.go_on("note_undrained")
    assert (after["reason"]["code"], after["run"]["next"]) == ("argument_invalid", "")
    assert role.end()["reason"]["code"] == "argument_invalid"
    assert role.scene.task.notes == []


def test_host_adds_no_result_to_a_step_that_said_nothing_where_hashes_are_merged() -> None:
    role = Role(hooks=[HOOK])
    mine = role.begin()["run"]
    said = evil(mine)
    role.variables |= {
        "ansible_failed_task": {"name": "A step", "action": rescued.STEP},
        "ansible_failed_result": merge_hash(said, {"msg": "it broke", "failed": True}),
        "ansible_facts": {"failed_result": said},
    }
    told = role._step("note_failure")
    assert (told["drained"], told["run"]["next"]) == ([], "")


def test_step_that_failed_is_gone_on_from_with_the_plan_that_was_frozen() -> None:
    role = Role(hooks=[HOOK])
    mine = role.begin()["run"]
    told = role.broke(evil(mine))
    assert "/tmp/evil.yml" not in json.dumps(told)
    role = Role(hooks=[HOOK])
    assert role.broke(evil({**role.begin()["run"], "id": "f" * 32}))["drained"] == []


@pytest.mark.parametrize(
    ("following", "step"), [("undrain", "undrain"), ("task_file", "begin_file")]
)
def test_nothing_is_run_for_a_host_that_another_run_has_taken_over(
    following: str, step: str
) -> None:
    health = {"health_tasks": [HOOK_FILE]} if step == "begin_file" else {}
    role = Role({**ORDERED, "rebooted": False}, LEFT, result(), hooks=[HOOK], **health)
    role.begin()
    role.go_on("drain", "note_drained", "leave", "wait")
    assert role.variables["fast_reboot_result"]["run"]["next"] == following
    role.scene.task.memory = OtherRunError()
    told = role.go_on(step)
    assert (told["failed"], told["reason"]["code"]) == (True, "overtaken")
    # The other run may need it drained.
    assert (told["drained"], told["undrain"]) == (["lb"], [])


def test_user_that_is_not_root_is_told_so_before_anything_else() -> None:
    role = Role(hooks=[HOOK])
    role.scene.task.memory = failure.unfit(judge.not_root(1000))
    role.begin()
    role.go_on("wait")
    told = role.end()
    assert told["reason"]["code"] == "not_root"
    assert "Set become to true" in told["msg"]
    assert role.scene.task.requests == []
    assert "Set become to true" in role._step("recall")["msg"]


def test_host_that_cannot_tell_what_it_remembers_is_refused_with_the_reason() -> None:
    role = Role()
    role.scene.task.memory = NoAnswerError("garbled", "mkdir: Permission denied")
    assert following(role.begin()) == ("", "preflight", False, False)
    role.go_on("wait")
    told = role.end()
    assert (told["failed"], told["reason"]["code"]) == (True, "not_remembered")
    assert role._step("recall")["reason"]["code"] == "not_remembered"


@pytest.mark.parametrize("hooks", [[], [HOOK]], ids=["without hooks", "with hooks"])
def test_difference_that_a_reboot_makes_is_shown_once(hooks: list[Result]) -> None:
    diff = {"before": "", "after": "kernel: /boot/vmlinuz-virt"}
    foreseen = [{**ORDERED, "rebooted": False}] if hooks else []
    role = Role(*foreseen, {**LEFT, "diff": diff}, LOST, hooks=hooks)
    told = [role.begin()]
    role.scene.clock.advance(600.0)
    told += [role.go_on(step) for step in (["drain", "leave"] if hooks else []) + ["wait"]]
    told.append(role.end())
    assert [each["diff"] for each in told if "diff" in each] == [diff]


def test_host_that_was_looked_after_is_not_done() -> None:
    assert Role()._step("set_aside") == {
        "looked_after": True,
        "done": None,
        "run": None,
    }


def test_step_that_breaks_before_anything_is_known_is_no_success() -> None:
    role = Role()
    role.variables["__fast_reboot_begun"] = {"msg": "a defect"}
    after = role.broke()
    assert (after["reason"]["code"], after["rebooted"], after["done"]) == (
        "task_failed",
        None,
        False,
    )
    assert role.end()["failed"]


def test_handler_that_was_pending_and_fails_is_told_as_one() -> None:
    role = Role()
    role.variables["ansible_failed_task"] = {"name": "Make the initramfs", "listen": []}
    role.variables["ansible_failed_result"] = {"msg": "no space"}
    told = role._step("note_failed_handler")
    assert (told["failed"], told["reason"]["code"]) == (True, "handler_failed")
    assert "Make the initramfs: no space" in role.broke(told)["reason"]["message"]


def test_what_steps_return_is_documented() -> None:
    role = Role(LEFT, {**result(), "last_error": None}, hooks=[HOOK])
    role.scene.task._answers.insert(0, {**LEFT, "rebooted": False})
    told = [role._step("recall"), role._step("set_aside"), role.begin()]
    told += [role.go_on(step) for step in ("drain", "note_drained", "leave", "wait", "undrain")]
    told.append(role.end())
    role.turns = MISTAKEN
    told.append(role._step("recall"))
    returned = {name for each in told for name in each}
    own, module = (documentation.of(name).returns for name in ("fast_reboot_step", "kexec_reboot"))
    assert returned - {"failed", "msg"} <= own.keys() | module.keys() | {"changed"}
    # Which the action adds.
    assert own.keys() - {"nonce"} <= returned


def test_run_without_an_order_has_none_to_wait_for() -> None:
    role = Role(LEFT)
    run = {**role.begin()["run"], "order": None}
    told = role._step("wait", run=run)
    assert "There is no order that could be waited for. Run the role once more." in told["msg"]
    assert told["run"] == run


@pytest.mark.parametrize(
    ("step", "arguments"),
    [
        pytest.param("wait", {"run": {"id": "r1"}}, id="half a run"),
        pytest.param("wait", {"run": {"id": "r1", "plan": 7}}, id="no plan"),
        pytest.param("begin", {"frozen": {"run": {"next": ""}}}, id="what was refused before"),
        pytest.param("settle", {"frozen": {"wanted": {}}}, id="what another step returned"),
    ],
)
def test_what_no_step_has_returned_is_refused(step: str, arguments: Result) -> None:
    role = Role()
    told = role._step(step, **arguments)
    assert told["failed"]
    # It names what it misses.
    assert re.search(r"Run\.?(run|plan)? (lacks some of|is of another form)", told["msg"])
    assert re.search(r"Hand on what the (step before|entry point note) has returned\.", told["msg"])
    assert role.scene.task.notes == []


# --- One boot of several, for another role ---------------------------------------------------


IMAGE = {"kernel": "/boot/a/linux", "initramfs": ["/boot/a/initrd"], "cmdline": "quiet"}


def test_boot_of_another_role_is_ordered_with_its_image_and_held() -> None:
    role = Role(LEFT, result())
    noted = role.begin("note")
    role.begin(frozen=noted, boot={"method": "kexec", "image": IMAGE, "holds": True})
    told = role.go_on("wait")
    assert following(told) == ("", None, True, False)
    assert role.scene.task.requests[0].image["kernel"] == "/boot/a/linux"
    # The run is the one that was noted, and the host remembers it.
    assert told["run"]["id"] == noted["run"]["id"]
    assert role.scene.task.memory == f'{noted["run"]["id"]} undrain\nservice "sshd"'


def test_boot_that_is_none_is_refused() -> None:
    role = Role()
    told = role.begin(boot={"method": "jump"})
    assert told["failed"] is True
    assert "The option boot is not what it has to be" in told["msg"]
