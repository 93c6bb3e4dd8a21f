# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Looking at a host until it is well, or until its time is over."""

from __future__ import annotations

import typing as t

from . import health
from .health import Health
from .ports import Clock, NoAnswerError, OtherBootError, Remote

# Between two looks.
GAP = 1.0
# Where it is no boot of ours that is looked at.
ANY_BOOT = "-"


class Checkup:
    """One host, with what is wanted of it and the services that ran before."""

    def __init__(
        self,
        wanted: Health,
        before: t.Sequence[str],
        remote: Remote,
        clock: Clock,
        log: t.Callable[[str], None],
    ) -> None:
        self._wanted = wanted
        self._before = before
        self._remote = remote
        self._clock = clock
        self._log = log

    def until(self, boot_id: str, seconds: float) -> list[str]:
        """What is wrong with a boot when the time is over; raise OtherBootError if it has ended.

        Each question is asked once at least.
        """
        deadline = self._clock.now() + seconds
        while True:
            findings = self._once(boot_id, deadline - self._clock.now())
            if not findings or self._clock.now() + GAP > deadline:
                return findings
            self._log(f"not well yet: {'; '.join(findings)}")
            self._clock.sleep(GAP)

    def look(self, boot_id: str, seconds: float) -> list[str]:
        """The same; that it runs another boot is what is wrong with a host that has crashed."""
        try:
            return self.until(boot_id, seconds)
        except OtherBootError:
            return [f"another boot than {boot_id}"]

    def _once(self, boot_id: str, within: float) -> list[str]:
        questions = health.questions(self._wanted, self._before)
        try:
            found = self._remote.examine(questions, boot_id, within)
        except NoAnswerError as silence:
            return [f"no answer: {silence.text}"]
        return health.findings(self._wanted, self._before, found)
