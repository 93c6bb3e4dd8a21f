# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What boot_parameter does: read, plan, write, make the menu anew, and prove it or put all back."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .. import _cmdline
from .._bootloader.loader import Entry, NotUnderstoodError
from .._host import notes
from .._host.lock import run_directory
from .._host.mounts import not_mounted, unmounted
from .._host.port import Host
from .._reasons import ReasonError, reason
from .._write import replaceable
from .._write.files import Writer, read_or_refuse
from .._write.media import read_only_mount, writable
from .._write.replaceable import unwritable
from . import edit, editors, menu
from .edit import Change
from .editors import Settings
from .menu import Making

# The only mounts that are read-only as a rule, and not because somebody meant it or an error.
MEDIA = "/media/"

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
class Plan:
    """What is to be done, and what a user sees of it."""

    settings: Settings
    # None where a file is not there.
    before: t.Mapping[str, str | None]
    after: t.Mapping[str, str]
    stale: bool

    @property
    def writes(self) -> tuple[str, ...]:
        return tuple(path for path, text in self.after.items() if text != (self.before[path] or ""))

    @property
    def regenerates(self) -> bool:
        return self.settings.commands is not None and bool(self.stale or self.writes)

    def result(self) -> dict[str, t.Any]:
        return {
            "changed": bool(self.writes or self.regenerates),
            "diff": [self._difference(path) for path in self.writes],
            "boot_loader": self.settings.loader,
            "files": list(self.settings.files),
            "regenerated": self.regenerates,
            "backup_files": [],
        }

    def _difference(self, path: str) -> dict[str, str]:
        return {
            "before": self.before[path] or "",
            "after": self.after[path],
            "before_header": path,
            "after_header": path,
        }


def _bytes(text: str) -> bytes:
    """What was read as text, as it is in the file."""
    return text.encode("utf-8", "surrogateescape")


def ensure(host: Host, options: t.Callable[[], Options], *, check_mode: bool) -> dict[str, t.Any]:
    """Bring the boot loader's configuration into the state that the user named."""
    wanted = options()
    if check_mode:
        return plan(host, wanted).result()
    try:
        with run_directory(host):
            found = plan(host, wanted)
            result = found.result()
            Writer(host).tidy([*found.settings.files, *found.settings.read_at_boot])
            if result["changed"]:
                result["backup_files"] = _carry_out(host, found, wanted)
    except OSError as error:
        raise not_held(error) from error
    return result


def not_held(error: OSError) -> ReasonError:
    """Errors of files have become reasons already; what is left is mostly that of the lock."""
    busy = isinstance(error, BlockingIOError)
    why = "another run holds it" if busy else error.strerror or str(error)
    return unwritable(str(error.filename or notes.RUN), why, error.errno or 0)


def configured(host: Host, boot_loader: str) -> list[str]:
    """The words of the configured command line; of several, those of the first one."""
    try:
        settings = editors.choose(host, boot_loader)
        texts = {path: _text(host, path) or "" for path in settings.files}
        (line, *_others) = settings.lines(texts) or [()]
        return edit.words_of(texts, line)
    except NotUnderstoodError as problem:
        raise _not_understood(boot_loader, problem) from problem


# --- The plan ------------------------------------------------------------------------------


def plan(host: Host, options: Options) -> Plan:
    """Everything that can be found wrong is found here, before anything is touched."""
    try:
        settings = editors.choose(host, options.boot_loader)
    except NotUnderstoodError as problem:
        raise _not_understood(options.boot_loader, problem) from problem
    _refuse(settings, options.changes)
    before = {path: _text(host, path) for path in settings.files}
    texts = {path: text or "" for path, text in before.items()}
    try:
        after = edit.edit(texts, settings.lines, options.changes, host.machine)
        if settings.commands is not None:
            settings.commands(host)
    except NotUnderstoodError as problem:
        raise _not_understood(", ".join(settings.files), problem) from problem
    stale = bool(options.changes) and not _shows(host, settings, options.changes)
    found = Plan(settings, before, after, stale)
    _check_places(host, found)
    return found


def _check_places(host: Host, found: Plan) -> None:
    """Refuse what could not be put in place, and in check mode, too."""
    for path in (*found.settings.files, *found.settings.read_at_boot):
        point = unmounted(host, path)
        if point is not None:
            raise ReasonError(not_mounted(point), stage="write")
    for path in found.writes:
        opened_up = path.startswith(MEDIA) and read_only_mount(host, path) is not None
        replaceable.check(host, path, len(_bytes(found.after[path])), opened_up=opened_up)
    by_a_command = found.settings.draft is None
    for path in found.settings.read_at_boot if found.regenerates else ():
        if host.exists(path):
            replaceable.check(host, path, by_a_command=by_a_command)


def _refuse(settings: Settings, changes: t.Iterable[Change]) -> None:
    for change in changes:
        found = [char for char in settings.forbidden if char in change.word]
        if change.present and found:
            problem = f"{settings.loader} would not hand on the character {found[0]!r}"
            raise _invalid(change, problem)
        generated = _cmdline.name_of(change.name) in settings.fixed
        if generated and not change.present and change.value is None:
            raise _invalid(change, "it is made of settings of its own")


def _text(host: Host, path: str) -> str | None:
    content = read_or_refuse(host, path)
    return None if content is None else content.decode("utf-8", "surrogateescape")


def _shows(host: Host, settings: Settings, changes: t.Iterable[Change]) -> bool:
    """Tell whether the menu's default entry is as the changes want it, or no image is owed."""
    if settings.menu is None:
        return settings.mark is None or not host.exists(settings.mark)
    entry = menu.default_entry(host, settings, host.text(settings.menu))
    return isinstance(entry, Entry) and not menu.missing(entry, changes)


# --- Carrying it out -----------------------------------------------------------------------


def _carry_out(host: Host, found: Plan, options: Options) -> list[str]:
    """Write and make anew, or leave everything as it was."""
    media = [path for path in found.writes if path.startswith(MEDIA)]
    with writable(host, media):
        files = Writer(host, found.settings.read_at_boot)
        making = Making(host, files, found.settings)
        try:
            return _write(files, found, options, making)
        except (OSError, ReasonError, ValueError) as error:
            raise _after_restoring(files, making, error) from error
        except BaseException:
            files.restore()
            raise


def _write(files: Writer, found: Plan, options: Options, making: Making) -> list[str]:
    if found.regenerates:
        making.remember()
    existing = [path for path in found.writes if found.before[path] is not None]
    backups = [files.back_up(path) for path in existing] if options.backup else []
    for path in found.writes:
        before = found.before[path]
        files.expect(path, None if before is None else _bytes(before))
        files.write(path, _bytes(found.after[path]))
    if found.regenerates:
        making.make(options.changes)
        making.settled()
    return backups


def _after_restoring(files: Writer, making: Making, error: Exception) -> Exception:
    """What was made of the new settings, and has no copy, is made of the old ones again.

    Whatever went wrong, what is damaged by it has to be told.
    """
    problems = files.restore() + making.make_again()
    if not problems:
        making.undone()
        return error
    found = reason(
        "boot_config_damaged",
        f"{_message(error)} What had been there could not be restored: {'; '.join(problems)}.",
        "Repair it before the host reboots. Where the command of an image failed, run it when its "
        "cause is gone, or the task again, which makes the images.",
    )
    return ReasonError(found, **(error.details if isinstance(error, ReasonError) else {}))


def _message(error: Exception) -> str:
    return error.reason.message if isinstance(error, ReasonError) else f"{error}."


# --- What can go wrong ---------------------------------------------------------------------


def _not_understood(what: str, problem: NotUnderstoodError) -> ReasonError:
    return ReasonError(
        reason(
            "boot_loader_not_understood",
            f"{what} was not understood: {problem}.",
            "Nothing was changed; edit it by hand, or write it as plain text.",
        )
    )


def _invalid(change: Change, problem: str) -> ReasonError:
    return ReasonError(
        reason(
            "parameter_invalid",
            f"The kernel parameter {change.word!r} cannot be set or removed: {problem}.",
            "Edit the boot loader's configuration by hand.",
        )
    )
