# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""A menu that a command of the host makes: put in place whole, proven, or made of the old again."""

from __future__ import annotations

import contextlib
import os
import typing as t
from dataclasses import dataclass, field

from .. import _cmdline
from .._bootloader import find, listing
from .._bootloader.listing import Listing
from .._bootloader.loader import Entry, Loader, NotUnderstoodError
from .._host.port import Host, Outcome
from .._reasons import ReasonError, reason
from .._write.files import Writer
from . import edit
from .editors import Settings
from .menu_commands import Argv, installed_on

NOTHING_RUN = Outcome(0, "", "")

# What a menu is made of that holds nothing, as a power cut or a killed command leaves it.
_BLANK = "\0 \t\r\n"

# The images by their paths, each as its content is told from another.
Digests = t.Mapping[str, t.Optional[str]]


class Expectation(t.Protocol):
    """What a menu that was made must say, or it gives way to the one before.

    The whole of it may matter, and not its default entry alone.
    """

    def entry(self, host: Host, settings: Settings, text: str | None) -> Entry | str:
        """The entry that tells it, or why there is none."""

    def missing(self, entry: Entry) -> list[str]:
        """What is not in it."""

    @property
    def names(self) -> t.Collection[str]:
        """By what the menu must have entries, whatever its default entry is."""

    def dropped(self, before: Entry, entry: Entry) -> list[str]:
        """What has gone, and without which the host does not boot."""


@dataclass
class _Started:
    """A command that was started, and how it left the images."""

    command: Argv
    before: Digests
    # Of a run that was broken off nothing is known, and everything may have changed.
    after: Digests = field(default_factory=dict)
    succeeded: bool = False

    def touched(self) -> list[str]:
        return [path for path, digest in self.before.items() if digest != self.after.get(path)]

    def damaged(self, whole: Digests, now: Digests) -> list[str]:
        """What it touched and is not as it was."""
        return [path for path in self.touched() if now[path] is None or now[path] != whole[path]]

    def is_needed_again(self, whole: Digests, now: Digests) -> bool:
        """Tell whether something that it made cannot be known to be as it was."""
        if self.touched():
            return bool(self.damaged(whole, now))
        # One that succeeded made something where nobody looked.
        return self.succeeded or not self.before


@dataclass
class Making:
    """One attempt to make the menu, or the images, of one boot loader."""

    host: Host
    files: Writer
    settings: Settings
    expected: Expectation
    _runs: list[_Started] = field(default_factory=list)
    _last: Outcome = NOTHING_RUN
    # What an earlier run left undone, so that there is no telling how the images are.
    _owed: bool = False

    def remember(self) -> None:
        """Take down what there is, before the first file is written."""
        settings = self.settings
        if settings.mark is not None:
            self._owed = self.host.exists(settings.mark)
            # Should this run be killed, the next one makes the images: they do not tell themselves.
            self.files.mark(settings.mark)
        for path in settings.generated if settings.draft is not None else ():
            self.files.discard(path)
        if settings.menu is None:
            return
        if not (self.host.text(settings.menu) or "").strip(_BLANK):
            # Of no use to anybody, so that it is not what is put back after a failure.
            self._revive(settings.menu)
        for path in (settings.menu, *settings.generated):
            self.files.remember(path)
        if settings.draft is None:
            self._revive(settings.menu)

    def _revive(self, menu: str) -> None:
        """Put the menu before the last change back where a run was killed before it proved its own.

        The command is about to write, and it would be the last good one that is given up.
        """
        readable = isinstance(self._entry(), Entry)
        if not readable and isinstance(self._entry_of(self.files.second(menu)), Entry):
            self.files.revive(menu)

    def undone(self) -> None:
        """All is as it was, so that only what was owed before is owed."""
        # A mark that cannot be removed costs no more than images that are made once more.
        with contextlib.suppress(ReasonError):
            if not self._owed:
                self.settled()

    def settled(self) -> None:
        """Nothing is owed any more: the images are on the disk, and made of the settings there."""
        if self.settings.mark is not None:
            self.files.discard(self.settings.mark)

    def make(self) -> None:
        """Run the commands, and see that the menu says what is wanted."""
        settings = self.settings
        before = self._entry()
        commands = settings.commands(installed_on(self.host)) if settings.commands else []
        if not commands:
            raise self._not_made("No kernel is installed to make an image of.")
        if settings.menu is not None and settings.draft is not None:
            content = self._make_elsewhere(commands, settings.draft)
            self._prove(content.decode("utf-8", "surrogateescape"), before)
            # Until here the old menu is what it was.
            self.files.write(settings.menu, content)
        else:
            self._keep()
            self._run(commands)
            # Before it is made to last, so that a wrong menu gives way before a power cut keeps it.
            if settings.menu is not None:
                self._prove(self.host.text(settings.menu), before)
            self._settle()

    def _make_elsewhere(self, commands: list[Argv], draft: str) -> bytes:
        self._run(commands)
        content = self.files.take(draft)
        if not content:
            raise self._not_made(f"{commands[0][0]} left no menu in {draft}.")
        return content

    def _keep(self) -> None:
        for path in self.settings.read_at_boot:
            self.files.keep(path)

    def _settle(self) -> None:
        for path in self.settings.read_at_boot:
            self.files.settle(path)
        if self.settings.mark is not None and not self.settings.images:
            # They are somewhere, and have to be on the disk before it says that none is owed.
            os.sync()

    def _run(self, commands: t.Iterable[Argv]) -> None:
        """Run them until one fails."""
        for command in commands:
            run = _Started(command, self._images())
            self._runs.append(run)
            self._last = self.host.run(command)
            run.succeeded = self._last.rc == 0
            run.after = self._images()
            if not run.succeeded:
                raise self._not_made(f"{command[0]} failed {self._last.told}.")

    def _images(self) -> Digests:
        return {path: self.host.digest(path) for path in self.settings.images}

    def _entry(self) -> Entry | str | None:
        menu = self.settings.menu
        return self._entry_of(self.host.text(menu)) if menu else None

    def _entry_of(self, text: str | None) -> Entry | str:
        return self.expected.entry(self.host, self.settings, text)

    def _prove(self, text: str | None, before: Entry | str | None) -> None:
        menu, entry = self.settings.menu, self._entry_of(text)
        if isinstance(entry, str):
            raise self._not_made(f"{menu} cannot be read: {entry}.")
        there = {each.name for each in listed(self.host, self.settings, text).entries}
        absent = ", ".join(sorted(set(self.expected.names) - there))
        if absent:
            raise self._not_made(f"{menu} has no entry {absent}.")
        self._prove_entry(entry, before)

    def _prove_entry(self, entry: Entry, before: Entry | str | None) -> None:
        shown = f"The entry {entry.title!r} of {self.settings.menu}"
        lacks = ", ".join(self.expected.missing(entry))
        if lacks:
            raise self._not_made(f"{shown} is not as it was wanted, by {lacks}.")
        dropped = self.expected.dropped(before, entry) if isinstance(before, Entry) else []
        if dropped:
            raise self._not_made(f"{shown} has dropped {', '.join(dropped)}.")
        edit.check_size(_words(before), _words(entry), self.host.machine)

    def _not_made(self, message: str) -> ReasonError:
        found = reason(
            "boot_menu_not_regenerated",
            message,
            "The settings and the menu are as they were. See what the command says, and whether "
            "settings such as overwrite or the default entry keep it from writing the menu.",
        )
        last = self._last
        details = {"rc": last.rc, "stdout": last.stdout, "stderr": last.stderr}
        return ReasonError(found, stage="regenerate", **details)

    def make_again(self) -> list[str]:
        """Make of the old settings what could not be put back; what failed, as sentences."""
        if self.settings.menu is not None or not self._runs:
            return []
        whole, now = self._runs[0].before, self._images()
        needed = [run for run in self._runs if self._owed or run.is_needed_again(whole, now)]
        try:
            problems = [self._again(run, run.damaged(whole, now)) for run in needed]
            for path in self.settings.images if needed else ():
                if self.host.exists(path):
                    self.files.sync(path)
        except OSError as error:
            problems = [f"the images may not be on the disk: {error}"]
        return [problem for problem in problems if problem]

    def _again(self, run: _Started, damaged: t.Iterable[str]) -> str:
        """What is wrong after a command ran again, nothing if it succeeded."""
        completed = self.host.run(run.command)
        if completed.rc == 0:
            return ""
        what = ", ".join(damaged) or "what it makes"
        return f"{run.command[0]} failed {completed.told}, and {what} may not be whole"


def _reader(settings: Settings) -> Loader:
    """What reads the menu of a boot loader."""
    return next(loader for loader in find.LOADERS if loader.name == settings.loader)


def listed(host: Host, settings: Settings, text: str | None) -> Listing:
    """All entries of a menu's text, as far as they can be told."""
    return listing.listed(settings.loader, host, settings.menu or settings.files[0], text)


def default_entry(host: Host, settings: Settings, text: str | None) -> Entry | str:
    """The default entry of a menu's text, or why there is none."""
    if text is None:
        return "it is not there"
    try:
        entry = _reader(settings).read(host, settings.menu or "", text)
        _cmdline.split(entry.cmdline)
    except (NotUnderstoodError, ReasonError) as problem:
        return str(problem)
    return entry


def _words(entry: Entry | str | None) -> list[str]:
    """What an entry has, which is more than what its settings have."""
    return _cmdline.split(entry.cmdline) if isinstance(entry, Entry) else []
