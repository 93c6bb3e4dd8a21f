# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tell on stderr what takes long: a spinner on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape

QUIET_SECONDS = 2.0


class Progress:
    """Report steps; silence with `quiet`."""

    def __init__(self, quiet: bool = False) -> None:
        self._console = Console(stderr=True, quiet=quiet, highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        self._console.print(escape(text))

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Show `text` while the body runs, and how long it took if that was long."""
        start = time.monotonic()
        if self._console.is_terminal:
            with self._console.status(escape(text)):
                yield
        else:
            self.say(f"{text} ...")
            yield
        taken = time.monotonic() - start
        if taken > QUIET_SECONDS:
            self.say(f"{text}: {taken:.0f} s")
