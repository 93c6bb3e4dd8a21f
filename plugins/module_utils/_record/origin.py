# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What a host was like before it was made able, as it is kept on the host."""

from __future__ import annotations

import json
import os
import typing as t
from dataclasses import dataclass

from .. import _cmdline

# What the role has /sbin/reboot lead to, if it is to be every reboot.
OWN_REBOOT = "kexec-reboot"

# Raised when a key changes its meaning or goes away, not when one is added.
ORIGIN_VERSION = 1


@dataclass(frozen=True)
class HostOrigin:
    """What the role may change, and is to be again when everything is taken back."""

    # The words of each parameter on the configured command line.
    parameters: t.Mapping[str, tuple[str, ...]]
    # Whether kexec-tools was installed.
    package: bool
    # Where the link /sbin/reboot led, None if it was none.
    reboot: str | None

    def as_dict(self) -> dict[str, t.Any]:
        return {
            "version": ORIGIN_VERSION,
            "parameters": {name: list(words) for name, words in self.parameters.items()},
            "package": self.package,
            "reboot": self.reboot,
        }

    def as_text(self) -> str:
        return json.dumps(self.as_dict(), sort_keys=True) + "\n"

    def restore(self) -> dict[str, list[dict[str, str | None]]]:
        """The options of boot_parameter that bring the parameters back: what is set, and removed."""
        had = {name: words[-1] for name, words in self.parameters.items() if words}
        gone = [name for name in self.parameters if name not in had]
        return {
            "present": [_option(word) for word in had.values()],
            "absent": [{"name": name} for name in gone],
        }

    def differences(self, now: HostOrigin) -> list[str]:
        """What is not as it was, in sentences; of a parameter the last word counts."""
        found = [
            f"The parameter {name} was {_shown(words)} and is {_shown(now.parameters.get(name, ()))}."
            for name, words in self.parameters.items()
            if words[-1:] != now.parameters.get(name, ())[-1:]
        ]
        if self.reboot is not None and self.reboot != now.reboot:
            found.append(
                f"/sbin/reboot led to {self.reboot} and leads to {now.reboot or OWN_REBOOT}."
            )
        if self.package != now.package:
            found.append("kexec-tools was " + ("" if self.package else "not ") + "installed.")
        return found


def parse(text: str) -> HostOrigin | None:
    """What a host has kept, None if it is not understood."""
    try:
        found = json.loads(text)
        package, reboot = found["package"], found["reboot"]
        parameters = {name: _words(words) for name, words in found["parameters"].items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    if not isinstance(package, bool) or not isinstance(reboot, (str, type(None))):
        return None
    return HostOrigin(parameters, package, foreign(reboot))


def _words(given: t.Any) -> tuple[str, ...]:
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise TypeError("no list of words")
    return tuple(given)


def foreign(link: str | None) -> str | None:
    """Where the link led before it led to the role's own command, None if that is not known."""
    return None if link is not None and os.path.basename(link) == OWN_REBOOT else link


def _option(word: str) -> dict[str, str | None]:
    return {"name": word.partition("=")[0], "value": _cmdline.value_of(word)}


def _shown(words: t.Sequence[str]) -> str:
    return " ".join(words) or "not set"
