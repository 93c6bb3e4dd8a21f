# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The options of kexec_reboot."""

from __future__ import annotations

import math
import re
import shlex
import typing as t
from dataclasses import dataclass

from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.machine import valid_boot_id
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image.choose import (
    IMAGE_ARGUMENTS,
    MUTUALLY_EXCLUSIVE,
    REQUIRED_IF,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._jump.note import TOKEN

from .._parsing.answer import valid_hardware_id
from .failure import RebootError
from .health import TCP_PORTS, Health
from .observation import Fallback, Method, OtherHostKey

METHODS = list(t.get_args(Method))
FALLBACKS = list(t.get_args(Fallback))

# What a task with wait=false hands over to the one that waits.
ORDER_SPEC: dict[str, dict[str, t.Any]] = {
    "host": {"type": "str", "required": True},
    "hardware_id": {"type": "str"},
    "method": {"type": "str", "choices": METHODS, "required": True},
    "fallback": {"type": "str", "choices": FALLBACKS, "default": "firmware"},
    "token": {"type": "str", "required": True, "no_log": False},
    "boot_id": {"type": "str", "required": True},
    "expires": {"type": "int", "required": True},
    "mark": {"type": "str", "required": True},
    "release": {"type": "str"},
    "firmware_release": {"type": "str"},
    "loader_ends_in_kexec": {"type": "bool", "default": False},
    "acknowledged": {"type": "bool", "default": False},
    "running_release": {"type": "str"},
    "running_cmdline": {"type": "str"},
    "services": {"type": "list", "elements": "str"},
}

# What a host that has come back must be found in.
HEALTH_SPEC: dict[str, dict[str, t.Any]] = {
    "services": {"type": "bool", "default": True},
    "required_services": {"type": "list", "elements": "str", "default": []},
    "ignore_services": {"type": "list", "elements": "str", "default": []},
    "commands": {"type": "list", "elements": "raw", "default": []},
    "ports": {"type": "list", "elements": "int", "default": []},
    "timeout": {"type": "float", "default": 120},
    "stable_seconds": {"type": "float", "default": 0},
}


def _not_expanded(option: dict[str, t.Any]) -> dict[str, t.Any]:
    """A path of the host, in which only the host may replace something."""
    return {name: "str" if value == "path" else value for name, value in option.items()}


ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    **{name: _not_expanded(option) for name, option in IMAGE_ARGUMENTS.items()},
    "method": {"type": "str", "choices": METHODS, "default": "kexec"},
    "fallback": {"type": "str", "choices": FALLBACKS, "default": "firmware"},
    "reboot_timeout": {"type": "float", "default": 600},
    "connect_timeout": {"type": "float", "default": 5},
    "pre_reboot_delay": {"type": "float", "default": 0},
    "post_reboot_delay": {"type": "float", "default": 0},
    "shutdown_timeout": {"type": "float", "default": 120},
    "test_command": {"type": "str", "default": "whoami"},
    "other_host_key": {"type": "str", "choices": list(t.get_args(OtherHostKey)), "default": "fail"},
    "watchdog_timeout": {"type": "int", "default": 60},
    "confirm_timeout": {"type": "int", "default": 300},
    "health": {"type": "dict", "options": HEALTH_SPEC},
    "wait": {"type": "bool", "default": True},
    "wait_for": {"type": "dict", "options": ORDER_SPEC},
}

RULES: dict[str, t.Any] = {
    "mutually_exclusive": MUTUALLY_EXCLUSIVE,
    "required_if": REQUIRED_IF,
}

# Times that mean nothing at zero.
POSITIVE = ("reboot_timeout", "connect_timeout", "shutdown_timeout")
NOT_NEGATIVE = ("pre_reboot_delay", "post_reboot_delay")
# Those of the host, which would be refused there.
WHOLE = ("watchdog_timeout", "confirm_timeout")
# Parameters of the kernel.
PARAMETERS = ("cmdline_append", "cmdline_remove")
HEALTH_TIMES = ("timeout", "stable_seconds")

SERVICES = ("required_services", "ignore_services")
# As a file in /etc/init.d can be called that somebody is to type.
SERVICE = re.compile(r"[^\s,/]+")

# A week; the system's own timers end far above it.
TIME_LIMIT = 604800.0

# What a delay must leave of the whole time, so that the host can at least be seen to leave.
AFTER_DELAY = 10.0


@dataclass(frozen=True)
class Handed:
    """The order of an earlier task, with what the host said of itself before it."""

    host: str
    hardware_id: str | None
    method: Method
    fallback: Fallback
    token: str
    boot_id: str
    expires: int
    mark: str
    release: str | None
    firmware_release: str | None
    loader_ends_in_kexec: bool
    acknowledged: bool
    running_release: str | None
    running_cmdline: str | None
    # What ran before, as the host had said; None where it was not asked.
    services: tuple[str, ...] | None


@dataclass(frozen=True)
class Request:
    """What a user wants of one host."""

    host: str
    method: Method
    fallback: Fallback
    reboot_timeout: float
    connect_timeout: float
    pre_reboot_delay: float
    post_reboot_delay: float
    shutdown_timeout: float
    test_command: str
    other_host_key: OtherHostKey
    watchdog_timeout: int
    confirm_timeout: int
    # None where nobody asks whether the host is well.
    health: Health | None
    wait: bool
    # The order of another task, to be waited for instead of one's own.
    wait_for: Handed | None
    # The options about the image, as far as they were given: the host itself parses them.
    image: t.Mapping[str, t.Any]

    @property
    def names_a_kernel(self) -> bool:
        return "kernel" in self.image or "flavour" in self.image


def parse(arguments: t.Mapping[str, t.Any], host: str) -> Request:
    """Refuse what no reboot of this host can keep, and no wait can prove."""
    own = {name: arguments[name] for name in ARGUMENT_SPEC if name not in IMAGE_ARGUMENTS}
    image = {name: arguments[name] for name in IMAGE_ARGUMENTS if arguments[name] is not None}
    given, wanted = own.pop("wait_for"), own.pop("health")
    try:
        handed = None if given is None else _handed(given, host)
        health = None if wanted is None else _health(wanted)
        request = Request(host=host, image=image, wait_for=handed, health=health, **own)
        _check_times(request)
        _check_texts(request)
        _check_wait(request)
    except InvalidArgumentError as error:
        message, remedy = error.args
        raise refusal(message, remedy, waits=given is not None) from None
    return request


def refusal(message: str, remedy: str, *, waits: bool) -> RebootError:
    """What an earlier task ordered goes on, whatever is wrong with the one that waits."""
    rebooted = None if waits else False
    return RebootError("argument_invalid", message, remedy, stage="preflight", rebooted=rebooted)


class InvalidArgumentError(Exception):
    """What is wrong, and the remedy."""


def _check_times(request: Request) -> None:
    for name in (*POSITIVE, *NOT_NEGATIVE, *WHOLE):
        _check_time(name, getattr(request, name))
    _check_time("panic_timeout", request.image.get("panic_timeout", 0))
    delay, timeout = request.pre_reboot_delay, request.reboot_timeout
    both = request.wait and request.wait_for is None
    if both and delay and delay + AFTER_DELAY > timeout:
        # The task would fail, and the host would be rebooted afterwards.
        wanted = f"less than reboot_timeout, which is {timeout:g}, by at least {AFTER_DELAY:g}"
        raise _out_of_range("pre_reboot_delay", delay, wanted)


def _check_time(name: str, value: float) -> None:
    if not math.isfinite(value):
        raise _out_of_range(name, value, "a number")
    if name in POSITIVE and value <= 0:
        raise _out_of_range(name, value, "more than 0")
    if value < 0:
        raise _out_of_range(name, value, "0 or more")
    if value > TIME_LIMIT:
        raise _out_of_range(name, value, f"at most {TIME_LIMIT:.0f}, which is a week")


def _health(given: t.Mapping[str, t.Any]) -> Health:
    """What is wanted of the host, in a form that it can be asked in."""
    for name in HEALTH_TIMES:
        _check_time(f"health.{name}", given[name])
    for port in given["ports"]:
        if port not in TCP_PORTS:
            raise InvalidArgumentError(
                f"The option health.ports has {port}, which is no TCP port.",
                "Ports are numbers from 1 to 65535.",
            )
    names = {name: tuple(given[name]) for name in (*SERVICES, "ports")}
    for service in (name for option in SERVICES for name in names[option]):
        if not SERVICE.fullmatch(service):
            raise InvalidArgumentError(
                f"The options about services have {service!r}, which is no name of one.",
                "Give a list with one name in each element.",
            )
    return Health(
        services=given["services"],
        commands=tuple(map(_words, given["commands"])),
        timeout=given["timeout"],
        stable_seconds=given["stable_seconds"],
        **names,
    )


def _words(command: t.Any) -> tuple[str, ...]:
    """The words of a command that is given as a text, or as a list of them."""
    try:
        words = shlex.split(command) if isinstance(command, str) else [*command]
    except (ValueError, TypeError):
        words = []
    if not words or not all(isinstance(word, str) for word in words):
        raise InvalidArgumentError(
            f"The option health.commands has {command!r}, which is no command.",
            "A command is a text, in which quotes are closed, or a list of texts.",
        )
    for word in words:
        _check_text("health.commands", word)
    return tuple(words)


def _check_texts(request: Request) -> None:
    """Refuse now what no program of the host could be given, or not before the host is back."""
    _check_text("test_command", request.test_command)
    for name, value in request.image.items():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str):
                _check_text(name, text)
    for name in PARAMETERS:
        for word in request.image.get(name, ()):
            _check_parameter(name, word)


def _check_text(name: str, text: str) -> None:
    try:
        whole = b"\0" not in text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        whole = False
    if not whole:
        raise InvalidArgumentError(
            f"The option {name} has a character that no command can have: {text!r}.",
            "Take out NUL characters and halves of characters.",
        )


def _check_parameter(name: str, word: str) -> None:
    """The host would refuse it, which may be after its packages were upgraded."""
    if not (word.strip() and word.isprintable()):
        raise InvalidArgumentError(
            f"The option {name} has {word!r}, which is no parameter of a kernel.",
            "Give one that has no control characters.",
        )


def _check_wait(request: Request) -> None:
    if request.wait_for is not None and not request.wait:
        raise _order_invalid("it waits, so wait=false means nothing")
    if request.wait_for is None or request.health is None or not request.health.services:
        return
    if request.wait_for.services is None:
        raise InvalidArgumentError(
            "The option health.services is true, and the order does not say what ran before.",
            "Give the task with wait=false the option health, too, or set health.services=false.",
        )


def _handed(given: t.Mapping[str, t.Any], host: str) -> Handed:
    """The order of an earlier task; nothing could be proven by one of another form, or host."""
    if given["host"] != host:
        raise _order_invalid(f"it is the order of {given['host']!r}, and this is {host!r}")
    known = {
        "boot_id": valid_boot_id(given["boot_id"]),
        "hardware_id": valid_hardware_id(given["hardware_id"]),
        **{name: _one_time_value(given[name]) for name in ("token", "mark")},
        # The uptime at which an order is void is one that the host has after it was asked.
        "expires": given["expires"] if given["expires"] > 0 else None,
    }
    for name, value in known.items():
        if value is None and given[name] is not None:
            raise _order_invalid(f"its {name} is {given[name]!r}")
    services = given["services"]
    return Handed(**{**given, **known, "services": None if services is None else tuple(services)})


def _one_time_value(text: str) -> str | None:
    return text if TOKEN.fullmatch(text) else None


def _order_invalid(why: str) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"The option wait_for cannot be used: {why}.",
        "Give it the order that an earlier task with wait=false returned for this host.",
    )


def _out_of_range(name: str, value: float, wanted: str) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"The option {name} is {value:g} and must be {wanted}.", "It is a time in seconds."
    )
