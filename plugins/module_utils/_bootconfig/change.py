# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""A change of a boot loader's files: planned, written, its menu made anew, proven, or all put back."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._bootloader.loader import NotUnderstoodError
from .._host import notes
from .._host.lock import run_directory
from .._host.mounts import not_mounted, unmounted
from .._host.port import Host
from .._reasons import ReasonError, reason
from .._write import replaceable
from .._write.files import Writer
from .._write.media import read_only_mount, writable
from .._write.replaceable import unwritable
from .editors import Settings
from .menu import Expectation, Making
from .menu_commands import installed_on

# The only mounts that are read-only as a rule, and not because somebody meant it or an error.
MEDIA = "/media/"


@dataclass(frozen=True)
class Plan:
    """What is to be done, and what a user sees of it."""

    settings: Settings
    expected: Expectation
    # None where a file is not there, which counts as empty.
    before: t.Mapping[str, str | None]
    # In the order in which they are written, None where a file is not to be there.
    after: t.Mapping[str, str | None]
    # Whether the menu does not say what its files do.
    stale: bool
    # What files must have, whatever they have; those that lack it are written, too.
    modes: t.Mapping[str, int] = field(default_factory=dict)
    wrong_modes: t.Collection[str] = ()

    @property
    def writes(self) -> tuple[str, ...]:
        return tuple(path for path in self.after if path in self.wrong_modes or self._differs(path))

    def _differs(self, path: str) -> bool:
        """A file of nothing is as good as none, unless none is what is wanted."""
        before, after = self.before[path], self.after[path]
        return before is not None if after is None else after != (before or "")

    @property
    def regenerates(self) -> bool:
        return self.settings.commands is not None and bool(self.stale or self.writes)

    def result(self) -> dict[str, t.Any]:
        return {
            "changed": bool(self.writes or self.regenerates),
            "diff": [self._difference(path) for path in self.writes if self._differs(path)],
            "boot_loader": self.settings.loader,
            "files": list(self.settings.files),
            "regenerated": self.regenerates,
            "backup_files": [],
        }

    def _difference(self, path: str) -> dict[str, str]:
        return {
            "before": self.before[path] or "",
            "after": self.after[path] or "",
            "before_header": path,
            "after_header": path,
        }


def _bytes(text: str) -> bytes:
    """What was read as text, as it is in the file."""
    return text.encode("utf-8", "surrogateescape")


def ensure(
    host: Host, plan: t.Callable[[], Plan], *, check_mode: bool, backup: bool = False
) -> dict[str, t.Any]:
    """Carry out what is planned; in check mode, say what that would be.

    Everything that can be found wrong is found before anything is touched.
    """

    def checked() -> Plan:
        found = plan()
        _check_commands(host, found.settings)
        check_places(host, found)
        return found

    if check_mode:
        return checked().result()
    try:
        with run_directory(host):
            found = checked()
            result = found.result()
            Writer(host).tidy([*found.settings.files, *found.settings.read_at_boot])
            if result["changed"]:
                result["backup_files"] = carry_out(host, found, backup=backup)
    except OSError as error:
        raise not_held(error) from error
    return result


def not_held(error: OSError) -> ReasonError:
    """Errors of files have become reasons already; what is left is mostly that of the lock."""
    busy = isinstance(error, BlockingIOError)
    why = "another run holds it" if busy else error.strerror or str(error)
    return unwritable(str(error.filename or notes.RUN), why, error.errno or 0)


def _check_commands(host: Host, settings: Settings) -> None:
    """What is not installed cannot make a menu."""
    try:
        if settings.commands is not None:
            settings.commands(installed_on(host))
    except NotUnderstoodError as problem:
        raise not_understood(", ".join(settings.files), problem) from problem


def check_places(host: Host, found: Plan) -> None:
    """Refuse what could not be put in place, and in check mode, too."""
    for path in (*found.settings.files, *found.settings.read_at_boot):
        point = unmounted(host, path)
        if point is not None:
            raise ReasonError(not_mounted(point), stage="write")
    for path in found.writes:
        opened_up = path.startswith(MEDIA) and read_only_mount(host, path) is not None
        size = len(_bytes(found.after[path] or ""))
        replaceable.check(host, path, size, opened_up=opened_up)
    by_a_command = found.settings.draft is None
    for path in found.settings.read_at_boot if found.regenerates else ():
        if host.exists(path):
            replaceable.check(host, path, by_a_command=by_a_command)


def carry_out(host: Host, found: Plan, *, backup: bool = False) -> list[str]:
    """Write and make anew, or leave everything as it was."""
    media = [path for path in found.writes if path.startswith(MEDIA)]
    with writable(host, media):
        files = Writer(host, found.settings.read_at_boot)
        making = Making(host, files, found.settings, found.expected)
        try:
            return _write(files, found, making, backup=backup)
        except (OSError, ReasonError, ValueError) as error:
            raise _after_restoring(files, making, error) from error
        except BaseException:
            files.restore()
            raise


def _write(files: Writer, found: Plan, making: Making, *, backup: bool) -> list[str]:
    if found.regenerates:
        making.remember()
    existing = [path for path in found.writes if found.before[path] is not None]
    backups = [files.back_up(path) for path in existing] if backup else []
    for path in found.writes:
        before = found.before[path]
        files.expect(path, None if before is None else _bytes(before))
        after = found.after[path]
        if after is None:
            files.remove(path)
        else:
            files.write(path, _bytes(after), found.modes.get(path))
    if found.regenerates:
        making.make()
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


def not_understood(what: str, problem: NotUnderstoodError) -> ReasonError:
    return ReasonError(
        reason(
            "boot_loader_not_understood",
            f"{what} was not understood: {problem}.",
            "Nothing was changed; edit it by hand, or write it as plain text.",
        )
    )
