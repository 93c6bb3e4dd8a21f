# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What a module said of a host, parsed once, for whoever asks: only what has its form is known."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.alpinefleet.kexec.plugins.module_utils import _cmdline
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.machine import (
    canonical_hardware_id,
    valid_boot_id,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._jump.note import TOKEN
from ansible_collections.alpinefleet.kexec.plugins.module_utils._preflight.state import Sysctl
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Reason

from . import forms
from .forms import Fields

# Longer than any host has been running, in seconds.
UPTIME_LIMIT = 1e10
# More lines than any file of settings has.
LINES_LIMIT = 10**6
HARDWARE_ID = re.compile(r"[a-z]+:.+", re.ASCII)
# What is looked at of what a module printed.
PRINTED_LIMIT = 1000


def valid_hardware_id(text: str | None) -> str | None:
    """A machine's number counts only with its kind, without which it is compared with no other."""
    number = canonical_hardware_id(text)
    return number if number and HARDWARE_ID.fullmatch(number) else None


@dataclass(frozen=True)
class Watchdog:
    """What the new system was told to feed."""

    device: str
    timeout: int


@dataclass(frozen=True)
class Answer:
    """A module's answer; None is what it did not say, or not in the form that it has."""

    unreachable: bool = False
    failed: bool = False
    changed: bool = False
    # Whether the image was to be loaded when it failed.
    loading: bool = False
    # What Ansible says of a failure, and the last line that the host printed about it.
    said: str = ""
    # Those that are reasons; None where it did not come to a judgement.
    reasons: tuple[Reason, ...] | None = None
    able: bool | None = None
    boot_id: str | None = None
    uptime: float | None = None
    hardware_id: str | None = None
    token: str | None = None
    watchdog: Watchdog | None = None
    kernel: str | None = None
    release: str | None = None
    firmware_kernel: str | None = None
    running_release: str | None = None
    running_cmdline: str | None = None
    started_by_kexec: bool = False
    boot_loader: str | None = None
    reboot_needed: bool | None = None
    # Why, in sentences; whether kexec is locked, and which lines of files lock it after a boot.
    reboot_needed_because: tuple[str, ...] = ()
    load_disabled: bool | None = None
    lock_settings: tuple[Sysctl, ...] = ()
    # What firmware says of the machine, and what is known of a jump that did not arrive.
    platform: t.Mapping[str, str] | None = None
    hung: t.Mapping[str, str | None] | None = None
    diff: t.Mapping[str, t.Any] = field(default_factory=dict)
    # What was said in another form, by its name, each as a sentence.
    odd: t.Mapping[str, str] = field(default_factory=dict)

    @property
    def loader_ends_in_kexec(self) -> bool:
        """Whether a boot through firmware looks like a kexec there, which then proves nothing."""
        words = _cmdline.running_words(self.running_cmdline or "")
        return self.started_by_kexec and not _cmdline.last_value(words, _cmdline.TOKEN_PARAMETER)

    def defects(self, needed: t.Iterable[str], used: t.Iterable[str] = ()) -> list[str]:
        """Why it is of no use to who needs some values, and uses others where they are."""
        missing = {name: f"its {name} is None" for name in needed if getattr(self, name) is None}
        wrong = {name: self.odd[name] for name in (*needed, *used) if name in self.odd}
        return [*{**missing, **wrong}.values()]


def parse(said: object) -> Answer:
    """Take from an answer what can be used; nothing in it is an error here."""
    odd: dict[str, str] = {}
    top = Fields(said, odd)
    facts = Fields(top.take("facts", forms.mapping), odd)
    found, others = forms.reasons(top.take("reasons", forms.items))
    if others:
        odd["reasons"] = others[0]
    return Answer(
        unreachable=top.take("unreachable", forms.truth) is True,
        failed=bool(top.take("failed", lambda value: value)),
        changed=top.take("changed", forms.truth) is True,
        loading=top.take("stage", forms.text) == "load",
        said=_said(top.take("msg", forms.text), top.take("module_stderr", forms.text)),
        reasons=found,
        able=top.take("able", forms.truth),
        boot_id=top.take("boot_id", lambda value: valid_boot_id(forms.text(value))),
        uptime=top.take("uptime", _seconds),
        hardware_id=facts.take("hardware_id", lambda value: valid_hardware_id(forms.text(value))),
        token=top.take("token", _token),
        watchdog=top.take("watchdog", _watchdog),
        kernel=top.take("kernel", forms.text),
        release=top.take("release", forms.text),
        firmware_kernel=facts.take("firmware_kernel", forms.text),
        running_release=facts.take("running_release", forms.text),
        running_cmdline=facts.take("running_cmdline", forms.text),
        started_by_kexec=facts.take("started_by_kexec", forms.truth) is True,
        boot_loader=facts.take("boot_loader", forms.text),
        reboot_needed=facts.take("reboot_needed", forms.truth),
        reboot_needed_because=facts.take("reboot_needed_because", _sentences) or (),
        load_disabled=facts.take("kexec_load_disabled", forms.truth),
        lock_settings=facts.take("lock_settings", _settings) or (),
        platform=facts.take("platform", forms.texts),
        hung=facts.take("hung", _jump),
        diff=top.take("diff", forms.mapping) or {},
        odd=odd,
    )


# --- The forms: a value, or None of one that has another -----------------------------------


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if 0 <= value < UPTIME_LIMIT else None


def _token(value: object) -> str | None:
    """The token of an image that the host had loaded before."""
    token = forms.text(value)
    return token if token is not None and TOKEN.fullmatch(token) else None


def _watchdog(value: object) -> Watchdog | None:
    fields = forms.mapping(value) or {}
    device, timeout = forms.text(fields.get("device")), fields.get("timeout")
    if device is None or isinstance(timeout, bool) or not isinstance(timeout, int):
        return None
    return Watchdog(device, timeout)


def _jump(value: object) -> dict[str, str | None] | None:
    fields = forms.mapping(value)
    if fields is None:
        return None
    known = {name: fields.get(name) for name in ("release", "time")}
    whole = all(each is None or isinstance(each, str) for each in known.values())
    return known if whole else None


def _sentences(value: object) -> tuple[str, ...] | None:
    found = forms.items(value)
    whole = found is not None and all(isinstance(each, str) for each in found)
    return tuple(found) if found is not None and whole else None


def _settings(value: object) -> tuple[Sysctl, ...] | None:
    """Lines of files, all of them or none: what is half understood is not touched."""
    found = [_setting(each) for each in forms.items(value) or ()]
    known = [each for each in found if each is not None]
    return tuple(known) if isinstance(value, list) and len(known) == len(value) else None


def _setting(value: object) -> Sysctl | None:
    fields = forms.mapping(value) or {}
    path, word, line = (
        forms.text(fields.get("path")),
        forms.text(fields.get("value")),
        fields.get("line"),
    )
    if path is None or word is None or isinstance(line, bool) or not isinstance(line, int):
        return None
    return Sysctl(path, line, word) if 0 < line < LINES_LIMIT else None


# --- Words ---------------------------------------------------------------------------------


def _said(message: str | None, printed: str | None) -> str:
    lines = (printed or "")[-PRINTED_LIMIT:].strip().splitlines()[-1:]
    return " ".join(each.strip() for each in (message or "", *lines) if each.strip())
