# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""What boot_parameter does: read, plan, write, make the menu anew, and prove it or put all back."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from . import _cmdline, _edit, _editors, _load, _loaders, _replaceable
from ._boot_entry import Entry, NotUnderstoodError
from ._edit import Change
from ._editors import Settings
from ._files import Files
from ._host import Completed, FileProblemError, Host
from ._mounts import read_only_mount, writable
from ._reasons import Reason, ReasonError, reason
from ._replaceable import unwritable
from ._state import RUN_DIRECTORY

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
    "boot_loader": {"type": "str", "choices": list(_editors.CHOICES), "default": "auto"},
    "backup": {"type": "bool", "default": False},
}
RULES: dict[str, t.Any] = {
    "mutually_exclusive": [("name", "parameters"), ("value", "parameters")],
    "required_one_of": [("name", "parameters")],
    "required_by": {"value": ("name",)},
}


@dataclass(frozen=True)
class Wish:
    """The user's options as a value."""

    changes: tuple[Change, ...]
    boot_loader: str
    backup: bool


def wish_of(params: t.Mapping[str, t.Any]) -> Wish:
    given = params["parameters"]
    if given is None:
        given = [{"name": params["name"], "value": params["value"]}]
    changes = tuple(
        Change(each["name"], each["value"], params["state"] == "present", params["multiple"])
        for each in given
    )
    _edit.check(changes)
    return Wish(changes, params["boot_loader"], params["backup"])


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
            "before": _shown(self.before[path] or ""),
            "after": _shown(self.after[path]),
            "before_header": path,
            "after_header": path,
        }


def _shown(text: str) -> str:
    """Bytes that are no letters cannot travel to the controller."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def ensure(host: Host, wish: t.Callable[[], Wish], *, check_mode: bool) -> dict[str, t.Any]:
    """Bring the boot loader's configuration into the state that the user named."""
    wanted = wish()
    if check_mode:
        return plan(host, wanted).result()
    try:
        with _load.run_directory(host):
            found = plan(host, wanted)
            outcome = found.result()
            if outcome["changed"]:
                outcome["backup_files"] = _carry_out(host, found, wanted)
    except OSError as error:
        raise _not_held(error) from error
    return outcome


def _not_held(error: OSError) -> ReasonError:
    """Errors of files have become reasons already; what is left is mostly that of the lock."""
    busy = isinstance(error, BlockingIOError)
    why = "another run holds it" if busy else error.strerror or str(error)
    return unwritable(str(error.filename or RUN_DIRECTORY), why, error.errno or 0)


# --- The plan ------------------------------------------------------------------------------


def plan(host: Host, wish: Wish) -> Plan:
    """Everything that can be found wrong is found here, before anything is touched."""
    try:
        settings = _editors.choose(host, wish.boot_loader)
    except NotUnderstoodError as problem:
        raise _not_understood(wish.boot_loader, problem) from problem
    _refuse(settings, wish.changes)
    before = {path: _text(host, path) for path in settings.files}
    texts = {path: text or "" for path, text in before.items()}
    try:
        after = _edit.edit(texts, settings.lines, wish.changes, host.machine)
    except NotUnderstoodError as problem:
        raise _not_understood(", ".join(settings.files), problem) from problem
    if settings.commands is not None:
        settings.commands(host)
    stale = bool(wish.changes) and not _shows(host, settings, wish.changes)
    found = Plan(settings, before, after, stale)
    _check_places(host, found)
    return found


def _check_places(host: Host, found: Plan) -> None:
    """Refuse what could not be put in place, and in check mode, too."""
    for path in found.writes:
        opened_up = path.startswith(MEDIA) and read_only_mount(host, path) is not None
        _replaceable.check(host, path, opened_up=opened_up)
    for path in found.settings.read_at_boot if found.regenerates else ():
        _replaceable.check(host, path, by_a_command=True)


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
    """The text of a file, None if it is not there; one that cannot be read is not empty."""
    try:
        with host.open(path) as file:
            return file.read().decode("utf-8", "surrogateescape")
    except FileProblemError as problem:
        if problem.problem == "missing":
            return None
        raise unwritable(path, f"it is {problem.problem}", 0) from problem
    except OSError as error:
        raise unwritable(path, error.strerror or str(error), error.errno or 0) from error


def _shows(host: Host, settings: Settings, changes: t.Iterable[Change]) -> bool:
    """Tell whether the menu's default entry is as the changes want it."""
    if settings.menu is None:
        return True
    entry = _default_entry(host, settings)
    return isinstance(entry, Entry) and not _missing(entry, changes)


def _default_entry(host: Host, settings: Settings) -> Entry | str:
    """The entry, or why there is none."""
    path = settings.menu or ""
    text = host.text(path)
    if text is None:
        return "it is not there"
    reader = next(loader for loader in _loaders.LOADERS if loader.name == settings.loader)
    try:
        entry = reader.read(host, path, text)
        _cmdline.split(entry.cmdline)
    except (NotUnderstoodError, ReasonError) as problem:
        return str(problem)
    return entry


def _missing(entry: Entry, changes: t.Iterable[Change]) -> list[str]:
    words = _cmdline.split(entry.cmdline)
    return [change.word for change in changes if not change.holds(words)]


# --- Carrying it out -----------------------------------------------------------------------


def _carry_out(host: Host, found: Plan, wish: Wish) -> list[str]:
    """Write and make anew, or leave everything as it was."""
    media = [path for path in found.writes if path.startswith(MEDIA)]
    with writable(host, media):
        files = Files(host, found.settings.read_at_boot)
        done: list[_editors.Command] = []
        try:
            return _write(host, files, found, wish, done)
        except ReasonError as error:
            again = done if found.settings.menu is None else []
            raise _after_restoring(host, files, again, error) from error
        except BaseException:
            files.restore()
            raise


def _write(
    host: Host, files: Files, found: Plan, wish: Wish, done: list[_editors.Command]
) -> list[str]:
    settings = found.settings
    menus = () if settings.menu is None else (settings.menu, *settings.generated)
    for path in menus if found.regenerates else ():
        files.remember(path)
    existing = [path for path in found.writes if found.before[path] is not None]
    backups = [files.back_up(path) for path in existing] if wish.backup else []
    for path in found.writes:
        files.write(path, found.after[path].encode("utf-8", "surrogateescape"))
    if settings.commands is not None and found.regenerates:
        _regenerate(host, files, settings, wish, done)
    return backups


def _regenerate(
    host: Host, files: Files, settings: Settings, wish: Wish, done: list[_editors.Command]
) -> None:
    before = _default_words(host, settings)
    commands = settings.commands(host) if settings.commands else []
    for path in settings.read_at_boot:
        files.keep(path)
    completed = _run(host, commands, done)
    # At once: what the command left on the disk may be a menu that is empty for a boot loader.
    for path in settings.read_at_boot:
        files.settle(path)
    if not commands:
        raise _not_regenerated("No kernel is installed to make an image of.", completed)
    entry = _default_entry(host, settings) if settings.menu else None
    if isinstance(entry, str):
        raise _not_regenerated(f"{settings.menu} cannot be read: {entry}.", completed)
    missing = _missing(entry, wish.changes) if entry else []
    if missing:
        raise _not_regenerated(_unchanged(settings, missing), completed)
    _edit.check_size(before, _default_words(host, settings), host.machine)


def _run(
    host: Host, commands: t.Iterable[_editors.Command], done: list[_editors.Command]
) -> Completed:
    """The outcome of the last one; those that succeeded are noted."""
    completed = Completed(0, "", "")
    for command in commands:
        completed = host.run(command)
        if completed.rc != 0:
            raise _failed(command, completed)
        done.append(command)
    return completed


def _default_words(host: Host, settings: Settings) -> list[str]:
    """What the menu's default entry has, which is more than what its settings have."""
    entry = _default_entry(host, settings) if settings.menu else None
    return _cmdline.split(entry.cmdline) if isinstance(entry, Entry) else []


def _unchanged(settings: Settings, missing: list[str]) -> str:
    words = ", ".join(missing)
    return f"The default entry of {settings.menu} is not as it was wanted, by {words}."


def _after_restoring(
    host: Host, files: Files, again: t.Sequence[_editors.Command], error: ReasonError
) -> ReasonError:
    """What was made of the new settings, and has no copy, is made of the old ones again."""
    problems = files.restore()
    for command in again:
        completed = host.run(command)
        if completed.rc != 0:
            problems.append(f"{command[0]} failed {completed.told}")
    if not problems:
        return error
    found = reason(
        "boot_config_damaged",
        f"{error.reason.message} What had been there could not be restored: {'; '.join(problems)}.",
        "Repair it before the host reboots.",
    )
    return ReasonError(found, **error.details)


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


def _failed(command: _editors.Command, completed: Completed) -> ReasonError:
    return _not_regenerated(f"{command[0]} failed {completed.told}.", completed)


def _not_regenerated(message: str, completed: Completed) -> ReasonError:
    found: Reason = reason(
        "boot_menu_not_regenerated",
        message,
        "The settings and the menu are as they were. See what the command says, and whether "
        "settings such as overwrite or the default entry keep it from writing the menu.",
    )
    return ReasonError(
        found,
        stage="regenerate",
        rc=completed.rc,
        stdout=completed.stdout,
        stderr=completed.stderr,
    )
