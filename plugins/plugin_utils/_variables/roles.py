# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The variables of roles and playbooks, taken once before the host is asked anything."""

from __future__ import annotations

import re
import shlex
import typing as t

from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig import editors
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot import ensure as slots
from ansible_collections.alpinefleet.kexec.plugins.module_utils._trial import ensure as trials

from .._reboot import spec
from .family import Family, Given, VariableError

_FLAVOUR = re.compile(r"[A-Za-z0-9._-]{0,64}")
# With one slot alone there would be nothing to go back to.
LEAST_KEPT = 2
# What a boot takes at least, in seconds.
LEAST_DEADLINE = 60

# What the role fast_reboot has for each option of kexec_reboot, and for those of its health.
OPTIONS = {
    "method": "method",
    "fallback": "fallback",
    "timeout": "reboot_timeout",
    "shutdown_timeout": "shutdown_timeout",
    "test_command": "test_command",
    "other_host_key": "other_host_key",
    "cmdline_append": "cmdline_append",
    "ignore_reasons": "ignore_reasons",
    "denied_platforms": "denied_platforms",
    "panic_timeout": "panic_timeout",
    "watchdog_timeout": "watchdog_timeout",
    "confirm_timeout": "confirm_timeout",
}
HEALTH = {
    "health_services": "services",
    "ignore_services": "ignore_services",
    "health_commands": "commands",
    "health_ports": "ports",
    "health_timeout": "timeout",
    "stable_seconds": "stable_seconds",
}
# What is its own.
HOOK_SPEC: dict[str, dict[str, t.Any]] = {
    name: {"type": "str", "required": True} for name in ("name", "drain", "undrain")
}
OWN_SPEC: dict[str, dict[str, t.Any]] = {
    "hooks": {"type": "list", "elements": "dict", "options": HOOK_SPEC},
    "health_tasks": {"type": "list", "elements": "str"},
    "power_cycle_command": {"type": "list", "elements": "str"},
    "power_cycle_no_log": {"type": "bool"},
    "power_cycle_delegate": {"type": "str"},
    "power_cycle_tasks": {"type": "str"},
    "power_cycle_timeout": {"type": "float"},
}
FAST_REBOOT = Family(
    "fast_reboot",
    {
        **{name: spec.ARGUMENT_SPEC[option] for name, option in OPTIONS.items()},
        **{name: spec.HEALTH_SPEC[option] for name, option in HEALTH.items()},
        **OWN_SPEC,
    },
    # Those of the brake and of the playbooks, what the role leaves for the play, and what another role
    # says where it includes this one.
    others=(
        *("error_budget", "hosts", "output", "result", "serial", "status"),
        *("boot", "changed", "changes", "frozen", "noted"),
    ),
    forms={"power_cycle_command": shlex.split},
    secrets=("power_cycle_command",),
)
KEXEC_HOST = Family(
    "kexec_host",
    {
        "state": {"type": "str", "choices": ["present", "absent"]},
        "boot_loader": {"type": "str", "choices": list(editors.CHOICES)},
        "panic_timeout": {"type": "int"},
        "remove_lock": {"type": "bool"},
        "services": {"type": "bool"},
        "confirm": {"type": "bool"},
        "watchdog": {"type": "bool"},
        "mode": {"type": "str", "choices": ["on_request", "every_reboot"]},
        "lock_after_load": {"type": "bool"},
        "flavour": {"type": "str"},
        "kernel": {"type": "str"},
        "initramfs": {"type": "str"},
        "cmdline": {"type": "str"},
        "reboot_allowed": {"type": "bool"},
        "reboot_timeout": {"type": "float"},
    },
    others=("result",),
    forms={"cmdline": str.strip},
)
ROLLING_UPGRADE = Family(
    "rolling_upgrade",
    {
        "packages": {"type": "list", "elements": "str"},
        "reboot": {"type": "str", "choices": ["auto", "always", "never"]},
    },
    # Those of the playbook, what the role leaves, and what another role says where it includes its tasks.
    others=("error_budget", "hosts", "output", "serial", "upgraded", "frozen", "needs"),
)
KERNEL_UPGRADE = Family(
    "kernel_upgrade",
    {
        "slots": {"type": "str", "choices": ["present", "absent"]},
        "packages": {"type": "list", "elements": "str"},
        "flavour": {"type": "str"},
        "keep": {"type": "int"},
        "deadline": {"type": "int"},
        "cold_proof": {"type": "str", "choices": ["first_batch", "always", "never"]},
        "force": {"type": "bool"},
    },
    others=("error_budget", "hosts", "output", "serial", "result"),
)
AUDIT = Family(
    "audit",
    {"output": {"type": "str"}, "strict": {"type": "bool"}, "timeout": {"type": "int"}},
    others=("hosts",),
    shares_prefix=True,
)
# Playbooks that have no role of their name.
PREPARE = Family(
    "prepare", {}, others=("error_budget", "hosts", "output", "serial"), shares_prefix=True
)
LOOK_AFTER = Family("look_after", {}, others=("hosts", "output", "serial", "variable"))
STATUS = Family("status", {}, others=("hosts", "output"), shares_prefix=True)
# A new role or playbook has its variables above, and its place here.
FAMILIES = {
    family.role: family
    for family in (
        *(FAST_REBOOT, KEXEC_HOST, KERNEL_UPGRADE, ROLLING_UPGRADE),
        *(AUDIT, PREPARE, LOOK_AFTER, STATUS),
    )
}


def freeze(role: str, given: Given, names: t.Iterable[str]) -> dict[str, t.Any]:
    """The variables of a role as they will be used, or all that is wrong with them."""
    family = FAMILIES[role]
    family.refuse_unknown(names)
    values = family.validated(given)
    problems = list(ROLE_CHECKS[role](values))
    if problems:
        raise VariableError(problems)
    return values


def _of_kexec_host(values: Given) -> t.Iterator[str]:
    """What has the right type and cannot be meant."""
    for name in ("kernel", "initramfs"):
        path = values[name]
        if path and not (path.startswith("/") and path.isprintable()):
            yield f"The variable kexec_host_{name} is {path!r} and must be an absolute path."
    if not values["cmdline"].isprintable():
        yield (
            f"The variable kexec_host_cmdline is {values['cmdline']!r} and must be one line without "
            "control characters."
        )
    yield from _flavour("kexec_host_flavour", values["flavour"])
    yield from _numbers(values)


def _flavour(name: str, value: str) -> t.Iterator[str]:
    if not _FLAVOUR.fullmatch(value):
        yield (
            f"The variable {name} is {value!r} and must be as in the name of the package, such as virt."
        )


def _numbers(values: Given) -> t.Iterator[str]:
    if not 0 <= values["panic_timeout"] <= spec.TIME_LIMIT:
        yield (
            f"The variable kexec_host_panic_timeout is {values['panic_timeout']} and must be at least "
            f"0 and at most {spec.TIME_LIMIT:.0f}, in seconds."
        )
    yield from _time("kexec_host_reboot_timeout", values["reboot_timeout"])


def _time(name: str, value: float) -> t.Iterator[str]:
    if not 0 < value <= spec.TIME_LIMIT:
        yield (
            f"The variable {name} is {value:g} and must be more than 0 and at most "
            f"{spec.TIME_LIMIT:.0f}, in seconds."
        )


def _of_audit(values: Given) -> t.Iterator[str]:
    yield from _time("audit_timeout", values["timeout"])


def _of_rolling_upgrade(values: Given) -> t.Iterator[str]:
    yield from _packages("rolling_upgrade_packages", values["packages"])


def _packages(variable: str, names: t.Iterable[str]) -> t.Iterator[str]:
    """A name that begins with a dash would be an option of apk."""
    for name in names:
        if not name or name.startswith("-") or not name.isprintable() or {*" ,"} & {*name}:
            yield (
                f"The variable {variable} has {name!r}, which is no name of a package; it must "
                "be a list with one name in each element."
            )


def _of_kernel_upgrade(values: Given) -> t.Iterator[str]:
    yield from _packages("kernel_upgrade_packages", values["packages"])
    yield from _flavour("kernel_upgrade_flavour", values["flavour"])
    keep, deadline = values["keep"], values["deadline"]
    if not LEAST_KEPT <= keep <= slots.MOST_KEPT:
        yield (
            f"The variable kernel_upgrade_keep is {keep} and must be at least {LEAST_KEPT}, which are what "
            f"firmware boots and what it has booted before, and at most {slots.MOST_KEPT}."
        )
    if not LEAST_DEADLINE <= deadline <= trials.MAX_DEADLINE:
        yield (
            f"The variable kernel_upgrade_deadline is {deadline} and must be at least {LEAST_DEADLINE} and at "
            f"most {trials.MAX_DEADLINE}, in seconds."
        )


ROLE_CHECKS: dict[str, t.Callable[[Given], t.Iterator[str]]] = {
    "kexec_host": _of_kexec_host,
    "kernel_upgrade": _of_kernel_upgrade,
    "rolling_upgrade": _of_rolling_upgrade,
    "audit": _of_audit,
}
# The options of the action freeze_variables.
FREEZE_ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "role": {"type": "str", "required": True, "choices": list(ROLE_CHECKS)},
    "wanted": {"type": "dict", "required": True},
}
