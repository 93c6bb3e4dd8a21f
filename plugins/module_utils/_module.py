# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What the modules have in common: the adapter to AnsibleModule and the error boundary."""

from __future__ import annotations

import re
import typing as t

from ._host import machine
from ._host.port import Host, Outcome
from ._reasons import ReasonError, sentence

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

# Messages are compared and shown: they must not depend on the user's language.
ENVIRONMENT = {"LANGUAGE": "C", "LC_ALL": "C"}

# The exit status that shells give to a command that is there and cannot be run.
CANNOT_EXECUTE = 126


# What a terminal carries out, but for the ends of lines and tabs; what turns the direction of a
# text; and what stands for bytes that are no text, which nothing can be sent with.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


class ModuleRunner:
    """Runs commands through AnsibleModule."""

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module

    def find(self, name: str) -> str | None:
        path: str | None = self._module.get_bin_path(name)
        return path

    def run(self, argv: t.Sequence[str], inherited: t.Sequence[int] = ()) -> Outcome:
        """Run the words as they are: a "$" on a command line belongs to the kernel."""
        try:
            rc, stdout, stderr = self._module.run_command(
                list(argv),
                environ_update=ENVIRONMENT,
                expand_user_and_vars=False,
                handle_exceptions=False,
                pass_fds=list(inherited),
            )
        except (OSError, ValueError) as error:
            return Outcome(CANNOT_EXECUTE, "", str(error))
        return Outcome(rc, stdout, stderr)


def _write_nothing(directory: str) -> None:
    raise NotImplementedError(f"this module writes no boot file in {directory}")


def run(
    module: AnsibleModule,
    work: t.Callable[[Host], dict[str, t.Any]],
    *,
    checkpoint: t.Callable[[str], None] = _write_nothing,
) -> t.NoReturn:
    """Do the work and leave with its result; the one place where a module fails."""
    host = Host(ModuleRunner(module), ask_kernel=machine.ask_kexec, checkpoint=checkpoint)
    try:
        result = work(host)
    except ReasonError as error:
        details = {"stage": "preflight", "reasons": [error.reason.as_dict()], **error.details}
        module.fail_json(**_told(module, host, {"msg": sentence(error.reason), **details}))
    module.exit_json(**_told(module, host, result))


def _told(module: AnsibleModule, host: Host, result: dict[str, t.Any]) -> dict[str, t.Any]:
    """What leaves the host: files may hold passwords, and are shown to whom asks for a diff."""
    told = {name: value for name, value in result.items() if name != "diff" or module._diff}
    # An answer about a boot says when it was given: an order that follows from it expires.
    dated = {"uptime": machine.uptime(host.text("/proc/uptime"))} if "boot_id" in told else {}
    return t.cast("dict[str, t.Any]", printable({**told, **dated}))


def printable(value: t.Any) -> t.Any:
    """The same value with escapes for what cannot be shown, in all that it holds."""
    if isinstance(value, str):
        return _UNPRINTABLE.sub(_escaped, value)
    if isinstance(value, t.Mapping):
        return {printable(name): printable(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [printable(each) for each in value]
    return value


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:
        # As Python reads a byte that is no letter.
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
