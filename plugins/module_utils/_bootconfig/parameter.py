# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What boot_parameter does: parameters set and removed, and seen on the entry that they are for."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .. import _cmdline
from .._bootloader.loader import Entry, NotUnderstoodError
from .._host.port import Host
from .._reasons import ReasonError, reason
from .._write.files import text_or_refuse
from . import change, edit, editors
from .change import Plan, not_understood
from .edit import Change
from .editors import Settings
from .slots import configured as configured_entry

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "name": {"type": "str"},
    "value": {"type": "str"},
    "parameters": {
        "type": "list",
        "elements": "dict",
        "options": {"name": {"type": "str", "required": True}, "value": {"type": "str"}},
    },
    "multiple": {"type": "bool", "default": False},
    "boot_loader": {"type": "str", "choices": list(editors.CHOICES), "default": "auto"},
    "backup": {"type": "bool", "default": False},
}
ARGUMENT_RULES: dict[str, t.Any] = {
    "mutually_exclusive": [("name", "parameters"), ("value", "parameters")],
    "required_one_of": [("name", "parameters")],
    "required_by": {"value": ("name",)},
}


@dataclass(frozen=True)
class Options:
    """The user's options as a value."""

    changes: tuple[Change, ...]
    boot_loader: str
    backup: bool


def options_of(params: t.Mapping[str, t.Any]) -> Options:
    given = params["parameters"]
    if given is None:
        given = [{"name": params["name"], "value": params["value"]}]
    # A template may make nothing of a name.
    changes = tuple(
        Change(each["name"] or "", each["value"], params["state"] == "present", params["multiple"])
        for each in given
    )
    edit.check(changes)
    return Options(changes, params["boot_loader"], params["backup"])


@dataclass(frozen=True)
class Parameters:
    """What the default entry must say of them."""

    changes: tuple[Change, ...]

    def entry(self, host: Host, settings: Settings, text: str | None) -> Entry | str:
        return configured_entry.entry(host, settings, text)

    def missing(self, entry: Entry) -> list[str]:
        words = _cmdline.split(entry.cmdline)
        return [each.word for each in self.changes if not each.holds(words)]

    @property
    def names(self) -> t.Collection[str]:
        """The entries are other people's."""
        return ()

    def dropped(self, before: Entry, entry: Entry) -> list[str]:
        # A kernel that was installed meanwhile has another name, and any other parameter may have
        # gone because somebody edited the settings by hand: that is theirs to decide.
        of_changes = any(each.names("root") for each in self.changes)
        found = {
            "its kernel": bool(before.kernel) and not entry.kernel,
            "its initramfs": bool(before.initramfs) and not any(entry.initramfs),
            "root=": _has_root(before) and not of_changes and not _has_root(entry),
        }
        return [what for what, dropped in found.items() if dropped]


def _has_root(entry: Entry) -> bool:
    words = _cmdline.split(entry.cmdline)
    return bool(_cmdline.last_value(_cmdline.kernel_part(words)[0], "root"))


@dataclass(frozen=True)
class Seen:
    """A boot loader's configuration as it is."""

    settings: Settings
    # None where a file is not there, which counts as empty.
    files: t.Mapping[str, str | None]
    machine: str
    # The default entry of the menu that is made, or why there is none; None where there is no menu.
    entry: Entry | str | None = None
    # Whether what is made, and cannot be read, was left undone.
    owed: bool = False

    @property
    def texts(self) -> dict[str, str]:
        return {path: text or "" for path, text in self.files.items()}


def ensure(host: Host, options: t.Callable[[], Options], *, check_mode: bool) -> dict[str, t.Any]:
    """Bring the boot loader's configuration into the state that the user named."""
    wanted = options()
    return change.ensure(
        host,
        lambda: plan(see(host, wanted.boot_loader), wanted),
        check_mode=check_mode,
        backup=wanted.backup,
    )


def configured(host: Host, boot_loader: str) -> list[str]:
    """The words of the configured command line; of several, those of the first one."""
    settings = _choose(host, boot_loader)
    texts = {path: text or "" for path, text in _read(host, settings).items()}
    try:
        (line, *_others) = settings.lines(texts) or [()]
        return edit.words_of(texts, line)
    except NotUnderstoodError as problem:
        raise not_understood(boot_loader, problem) from problem


def see(host: Host, boot_loader: str) -> Seen:
    """What there is of the boot loader that was named, or of the one that boots this host."""
    settings = _choose(host, boot_loader)
    made, mark = settings.menu, settings.mark
    entry = configured_entry.entry(host, settings, host.text(made)) if made is not None else None
    owed = mark is not None and host.exists(mark)
    return Seen(settings, _read(host, settings), host.machine, entry, owed)


def _choose(host: Host, boot_loader: str) -> Settings:
    try:
        return editors.choose(host, boot_loader)
    except NotUnderstoodError as problem:
        raise not_understood(boot_loader, problem) from problem


def _read(host: Host, settings: Settings) -> dict[str, str | None]:
    return {path: text_or_refuse(host, path) for path in settings.files}


# --- The plan ------------------------------------------------------------------------------


def plan(seen: Seen, options: Options) -> Plan:
    """What is to be written, and whether a menu is to be made of it."""
    settings, wanted = seen.settings, Parameters(options.changes)
    _refuse(settings, options.changes)
    try:
        after = edit.edit(seen.texts, settings.lines, options.changes, seen.machine)
    except NotUnderstoodError as problem:
        raise not_understood(", ".join(settings.files), problem) from problem
    stale = bool(options.changes) and not _shows(seen, wanted)
    return Plan(settings, wanted, seen.files, after, stale)


def _shows(seen: Seen, wanted: Parameters) -> bool:
    """Tell whether the menu is as the changes want it, or no image is owed."""
    if seen.settings.menu is None:
        return not seen.owed
    return isinstance(seen.entry, Entry) and not wanted.missing(seen.entry)


def _refuse(settings: Settings, changes: t.Iterable[Change]) -> None:
    for each in changes:
        found = [char for char in settings.forbidden if char in each.word]
        if each.present and found:
            problem = f"{settings.loader} would not hand on the character {found[0]!r}"
            raise _invalid(each, problem)
        generated = _cmdline.name_of(each.name) in settings.fixed
        if generated and not each.present and each.value is None:
            raise _invalid(each, "it is made of settings of its own")


def _invalid(wanted: Change, problem: str) -> ReasonError:
    return ReasonError(
        reason(
            "parameter_invalid",
            f"The kernel parameter {wanted.word!r} cannot be set or removed: {problem}.",
            "Edit the boot loader's configuration by hand.",
        )
    )
