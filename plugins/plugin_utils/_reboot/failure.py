# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""How a reboot can fail, as values that become results."""

from __future__ import annotations

import typing as t

from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Blocks, Reason

if t.TYPE_CHECKING:
    from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.port import Outcome

    from .observation import Method, Observation
    from .ports import NoAnswerError

Stage = t.Literal[
    "preflight",
    "load",
    "trigger",
    "shutdown",
    "down",
    "verify",
    "test_command",
    "confirm",
    "health",
]

# The codes that only the controller can find. The documentation lists them; a test compares.
FAILURES: dict[str, str] = {
    "argument_invalid": "An option is out of its range.",
    "local_connection": "The connection leads to the controller itself.",
    "no_python": "The host has no Python that could run the preflight.",
    "module_failed": "The preflight could not run on the host.",
    "answer_invalid": "What the host returned is no result of the preflight.",
    "firmware_boots_other_kernel": "Firmware would boot another kernel than the one asked for.",
    "task_timeout": "Ansible ended the task by its timeout before it came to its end.",
    "trigger_failed": "The host refused to start the shutdown.",
    "trigger_lost": "The shutdown never started.",
    "other_host": "Another machine answers than the one that was ordered to leave.",
    "image_replaced": "Another run replaced the image before the shutdown began.",
    "did_not_go_down": "The host still runs its old system at the deadline.",
    "did_not_return": "The host went down and did not come back in time.",
    "host_key_changed": "The host came back under another host key.",
    "authentication_refused": "The host came back and refuses the login.",
    "wrong_kernel": "Another kernel came up than the one that was expected.",
    "wrong_method": "The host did not come up in the way that was asked for.",
    "test_command_failed": "The host came back and the test command does not succeed.",
    "did_not_stay": "The host came back and was gone again when post_reboot_delay was over.",
    "not_confirmed": "The host came back and could not be told that it works.",
    "services_unknown": "What runs before the reboot cannot be told, so nor can what must run after it.",
    "unhealthy": "The host came back and is not well.",
}


# Not a failure, but found by the controller, too.
NOTES: dict[str, str] = {
    "kexec_not_proven": "The image was loaded and the host came up through firmware all the same.",
}


class RebootError(Exception):
    """A reboot that cannot be called done."""

    def __init__(
        self,
        code: str,
        message: str,
        remedy: str,
        *,
        stage: Stage,
        rebooted: bool | None,
        blocks: Blocks = "reboot",
        **details: t.Any,
    ) -> None:
        super().__init__(f"{message} {remedy}")
        self.reason = Reason(code, message, remedy, blocks)
        self.stage = stage
        self.rebooted = rebooted
        self.details = details


def local_connection(*, rebooted: bool | None) -> RebootError:
    return RebootError(
        "local_connection",
        "The connection of this task leads to the controller itself.",
        "Connect to the host by ssh; a controller is not rebooted by its own task.",
        stage="preflight",
        rebooted=rebooted,
    )


def unfit(found: Reason) -> RebootError:
    """A host that is refused by what the preflight would have found, before anything else."""
    return RebootError(found.code, found.message, found.remedy, stage="preflight", rebooted=False)


def module_hung(seconds: float) -> RebootError:
    return RebootError(
        "module_failed",
        f"The preflight did not come to an end on the host within {seconds:g} seconds.",
        "See whether the host answers, and what python3 and kexec do on it; it was not rebooted.",
        stage="preflight",
        rebooted=False,
    )


def task_timeout(said: str, *, ordered: bool, **details: t.Any) -> RebootError:
    """Ansible ends a task where it stands: what was ordered by then goes on."""
    left = (
        "Whether the host reboots is not known: see what became of it."
        if ordered
        else "No reboot was ordered."
    )
    return RebootError(
        "task_timeout",
        f"Ansible ended the task on its way: {said.rstrip('.')}. {left}",
        "Give it more time, by the keyword timeout or the setting task_timeout, or leave both out: "
        "reboot_timeout is its end in any case.",
        stage="shutdown" if ordered else "preflight",
        rebooted=None if ordered else False,
        **details,
    )


def trigger_failed(completed: Outcome) -> RebootError:
    return RebootError(
        "trigger_failed",
        f"The host did not accept the order to leave (exit status {completed.rc}), and never began.",
        "See stdout and stderr; the order has expired, and the host was not rebooted.",
        stage="trigger",
        rebooted=False,
        **output(completed),
    )


def trigger_lost(*, acknowledged: bool) -> RebootError:
    """The order has expired by the host's own clock: wherever it is, nothing comes of it."""
    accepted = "accepted" if acknowledged else "may not have received"
    return RebootError(
        "trigger_lost",
        f"The host {accepted} the order to leave and did not begin before it expired.",
        "Nothing was changed on it but the loaded image. Run the task again; if it fails again, "
        "see whether something on the host ends background processes.",
        stage="trigger",
        rebooted=False,
    )


def too_late() -> RebootError:
    return RebootError(
        "trigger_lost",
        "The order came to the host after it had expired, and was not begun.",
        "See what makes logins to the host so slow, such as a name server that it asks. Nothing was "
        "changed on it but the loaded image.",
        stage="trigger",
        rebooted=False,
    )


def already_leaving() -> RebootError:
    return RebootError(
        "already_leaving",
        "Somebody else is shutting the host down.",
        "Wait until it is down or back, and see who asked for it.",
        stage="shutdown",
        rebooted=None,
    )


def image_replaced() -> RebootError:
    return RebootError(
        "image_replaced",
        "Another run loaded an image on the host before the shutdown began, so it was not begun.",
        "See who else is about to reboot the host, and run the task again afterwards.",
        stage="trigger",
        rebooted=None,
    )


def did_not_go_down(seconds: float, last_error: str) -> RebootError:
    return RebootError(
        "did_not_go_down",
        f"The host still ran its old system after {seconds:g} seconds: {last_error}.",
        "It may still go down. Look at its console for a service that does not stop.",
        stage="shutdown",
        rebooted=None,
        last_error=last_error,
    )


def did_not_return(seconds: float, last_error: str, *, gone: bool) -> RebootError:
    what = "went down and did not come back" if gone else "gave no usable answer"
    return RebootError(
        "did_not_return",
        f"The host {what} within {seconds:g} seconds. The last thing heard was: {last_error}.",
        "Look at its console; a reset or a power cycle boots the boot loader's default.",
        stage="down",
        rebooted=None,
        last_error=last_error,
    )


def refused(silence: NoAnswerError) -> RebootError:
    """The failure of a host that answers and lets nobody in."""
    return REFUSALS[silence.kind](silence.text)


def _host_key_changed(last_error: str) -> RebootError:
    return RebootError(
        "host_key_changed",
        "The host answers with a host key that the controller does not know.",
        "Check on its console that it is the same host; its keys may not be on a lasting file "
        "system. Then renew its entry in known_hosts.",
        stage="down",
        rebooted=None,
        last_error=last_error,
    )


def _authentication_refused(last_error: str) -> RebootError:
    return RebootError(
        "authentication_refused",
        f"The host answers and refuses the login: {last_error}.",
        "Check on its console that the user's keys and home directory are there.",
        stage="down",
        rebooted=None,
        last_error=last_error,
    )


REFUSALS: dict[str, t.Callable[[str], RebootError]] = {
    "host_key": _host_key_changed,
    "authentication": _authentication_refused,
}


def other_host(host: str, observation: Observation) -> RebootError:
    return RebootError(
        "other_host",
        f"Another machine answers for {host} than the one that was ordered to leave: its hardware "
        f"number is {observation.hardware_id}.",
        "See where the name and the address of the host lead, and look for the host that left.",
        stage="verify",
        rebooted=None,
    )


def wrong_method(wanted: Method, found: Method | None, observation: Observation) -> RebootError:
    came = "through kexec into another image" if found is None else f"through {found}"
    return RebootError(
        "wrong_method",
        f"The host was to come up through {wanted} and came up {came}: "
        f"its command line is {observation.cmdline!r}.",
        "See its console and its kernel log for what happened between.",
        stage="verify",
        rebooted=True,
        method=found,
        observation=observation,
    )


def wrong_kernel(expected: str, method: Method, observation: Observation) -> RebootError:
    return RebootError(
        "wrong_kernel",
        f"The host was to come up with {expected} and runs {observation.release}.",
        "Check the boot loader's default entry and the files in /boot.",
        stage="verify",
        rebooted=True,
        method=method,
        observation=observation,
    )


def test_failed(
    command: str, completed: Outcome | None, method: Method, observation: Observation
) -> RebootError:
    return RebootError(
        "test_command_failed",
        f"The host came back and the test command {command!r} does not succeed: {_said(completed)}.",
        "Run the command on the host to see why.",
        stage="test_command",
        rebooted=True,
        method=method,
        observation=observation,
        **output(completed),
    )


def did_not_stay(seconds: float, method: Method, observation: Observation) -> RebootError:
    return RebootError(
        "did_not_stay",
        f"The host came back, and did not answer any more {seconds:g} seconds later.",
        "Look at its console for what became of it.",
        stage="verify",
        rebooted=True,
        method=method,
        observation=observation,
    )


def not_confirmed(completed: Outcome | None, observation: Observation) -> RebootError:
    return RebootError(
        "not_confirmed",
        f"The host came back through kexec and could not be told that it works: {_said(completed)}.",
        "Run the task again once the host answers; a host with the service kexec-confirm goes back "
        "to firmware by itself.",
        stage="confirm",
        rebooted=True,
        method="kexec",
        observation=observation,
        **output(completed),
    )


def services_unknown(why: str) -> RebootError:
    return RebootError(
        "services_unknown",
        f"Which services run before the reboot cannot be told: {why}.",
        "See what rc-status says on the host, or ask for no services; it was not rebooted.",
        stage="preflight",
        rebooted=False,
    )


def unhealthy(
    findings: t.Sequence[str], seconds: float, method: Method, observation: Observation
) -> RebootError:
    return RebootError(
        "unhealthy",
        f"The host came back and is not well after {seconds:g} seconds: {'; '.join(findings)}.",
        "See on the host why, and mend it there.",
        stage="health",
        rebooted=True,
        method=method,
        observation=observation,
        unhealthy=list(findings),
    )


def _said(completed: Outcome | None) -> str:
    return "the host did not answer" if completed is None else f"exit status {completed.rc}"


def output(completed: Outcome | None) -> dict[str, t.Any]:
    if completed is None:
        return {}
    return {"rc": completed.rc, "stdout": completed.stdout, "stderr": completed.stderr}
