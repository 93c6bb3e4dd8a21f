# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""What the modules have in common: the adapter to AnsibleModule and the error boundary."""

from __future__ import annotations

import typing as t

from ._cmdline import MAX_INT
from ._host import ask_kernel
from ._host.boot import uptime
from ._host.port import Completed, Host
from ._image.boot_set import Wish
from ._jump.frozen import TOKEN
from ._printable import printable
from ._reasons import IGNORABLE, Reason, ReasonError, reason, sentence
from ._write import checkpoint

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

# Messages are compared and shown: they must not depend on the user's language.
ENVIRONMENT = {"LANGUAGE": "C", "LC_ALL": "C"}

# The exit status that shells give to a command that is there and cannot be run.
CANNOT_EXECUTE = 126

# The longest time that a guard of the jump may take, in seconds.
MAX_GUARD = 65535

IMAGE_ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "kernel": {"type": "path"},
    "initramfs": {"type": "list", "elements": "path"},
    "flavour": {"type": "str"},
    "cmdline_source": {
        "type": "str",
        "choices": ["auto", "boot_loader", "running", "explicit"],
        "default": "auto",
    },
    "cmdline": {"type": "str"},
    "cmdline_append": {"type": "list", "elements": "str", "default": []},
    "cmdline_remove": {"type": "list", "elements": "str", "default": []},
    "panic_timeout": {"type": "int", "default": 10},
    "denied_platforms": {"type": "list", "elements": "str", "default": []},
    "ignore_reasons": {
        "type": "list",
        "elements": "str",
        "choices": list(IGNORABLE),
        "default": [],
    },
}
PREFLIGHT_ARGUMENTS: dict[str, dict[str, t.Any]] = {
    **IMAGE_ARGUMENTS,
    "controller_boot_id": {"type": "str"},
}
LOAD_ARGUMENTS: dict[str, dict[str, t.Any]] = {
    **PREFLIGHT_ARGUMENTS,
    "state": {"type": "str", "choices": ["loaded", "unloaded"], "default": "loaded"},
    "token": {"type": "str", "no_log": False},
    "watchdog_timeout": {"type": "int", "default": 0},
    "confirm_timeout": {"type": "int", "default": 0},
}
MUTUALLY_EXCLUSIVE = [("kernel", "flavour")]
REQUIRED_IF = [("cmdline_source", "explicit", ["cmdline"])]


class ModuleRunner:
    """Runs commands through AnsibleModule."""

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module

    def find(self, name: str) -> str | None:
        path: str | None = self._module.get_bin_path(name)
        return path

    def run(self, argv: t.Sequence[str], inherited: t.Sequence[int] = ()) -> Completed:
        """Run the words as they are: a "$" on a command line belongs to the kernel."""
        try:
            rc, stdout, stderr = self._module.run_command(
                list(argv),
                environ_update=ENVIRONMENT,
                expand_user_and_vars=False,
                handle_exceptions=False,
                pass_fds=list(inherited),
            )
        except OSError as error:
            return Completed(CANNOT_EXECUTE, "", str(error))
        return Completed(rc, stdout, stderr)


def wish_of(params: t.Mapping[str, t.Any]) -> Wish:
    """The user's options as a value."""
    token = params.get("token")
    if token is not None and not TOKEN.fullmatch(token):
        raise ReasonError(_token_invalid(token))
    _check_cmdline(params["cmdline"], params["cmdline_source"])
    _check_number("panic_timeout", params["panic_timeout"], MAX_INT)
    guards = {name: params.get(name, 0) for name in ("watchdog_timeout", "confirm_timeout")}
    for name, seconds in guards.items():
        _check_number(name, seconds, MAX_GUARD)
    initramfs = params["initramfs"]
    return Wish(
        kernel=params["kernel"],
        initramfs=None if initramfs is None else tuple(initramfs),
        flavour=params["flavour"],
        cmdline_source=params["cmdline_source"],
        cmdline=params["cmdline"],
        append=tuple(params["cmdline_append"]),
        remove=tuple(params["cmdline_remove"]),
        ignore=tuple(params["ignore_reasons"]),
        token=token,
        controller_boot_id=params.get("controller_boot_id"),
        panic_timeout=params["panic_timeout"],
        denied_platforms=tuple(params["denied_platforms"]),
        **guards,
    )


def _check_cmdline(text: str | None, source: str) -> None:
    """An option that has no effect is a mistake, and so is a command line without a word."""
    if source != "explicit" and text is not None:
        raise ReasonError(_cmdline_not_used(source))
    if source == "explicit" and not (text or "").strip():
        raise ReasonError(_cmdline_empty())


def _check_number(name: str, value: int, most: int) -> None:
    if not 0 <= value <= most:
        raise ReasonError(_number_invalid(name, value, most))


def _number_invalid(name: str, value: int, most: int) -> Reason:
    return reason(
        "cmdline_invalid",
        f"The option {name} is {value} and must be between 0 and {most}.",
        "It is a number of seconds; 0 switches it off.",
    )


def _token_invalid(token: str) -> Reason:
    return reason(
        "cmdline_invalid",
        f"The token {token!r} cannot stand on a command line.",
        "Use letters, digits, dots, dashes and underscores, at most 64 of them.",
    )


def _cmdline_not_used(source: str) -> Reason:
    return reason(
        "cmdline_invalid",
        f"The option cmdline is set and cmdline_source is {source}.",
        "Set cmdline_source to explicit, or add single parameters with cmdline_append.",
    )


def _cmdline_empty() -> Reason:
    return reason(
        "cmdline_invalid",
        "cmdline_source is explicit and the option cmdline is empty.",
        "Write the whole command line into cmdline, or leave cmdline_source out.",
    )


def _host(module: AnsibleModule) -> Host:
    return Host(ModuleRunner(module), ask_kernel=ask_kernel.ask, checkpoint=checkpoint.checkpoint)


def run(module: AnsibleModule, work: t.Callable[[Host], dict[str, t.Any]]) -> t.NoReturn:
    """Do the work and leave with its result; the one place where a module fails."""
    host = _host(module)
    try:
        outcome = work(host)
    except ReasonError as error:
        details = {"stage": "preflight", "reasons": [error.reason.as_dict()], **error.details}
        module.fail_json(**_told(module, host, {"msg": sentence(error.reason), **details}))
    module.exit_json(**_told(module, host, outcome))


def _told(module: AnsibleModule, host: Host, outcome: dict[str, t.Any]) -> dict[str, t.Any]:
    """What leaves the host: files may hold passwords, and are shown to whom asks for a diff."""
    told = {name: value for name, value in outcome.items() if name != "diff" or module._diff}
    # An answer about a boot says when it was given: an order that follows from it expires.
    dated = {"uptime": uptime(host)} if "boot_id" in told else {}
    return t.cast("dict[str, t.Any]", printable({**told, **dated}))
