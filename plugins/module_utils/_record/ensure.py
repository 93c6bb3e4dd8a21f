# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What host_origin does: look once before anything is changed, and compare at the end."""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass, replace

from .. import _cmdline
from .._bootloader import known, parameter
from .._host import places
from .._host.lock import run_directory
from .._host.port import Host
from .._reasons import ReasonError, reason
from .._write.boot_file import sync_directory
from .._write.files import Writer, read_or_refuse
from . import origin
from .origin import HostOrigin

PACKAGE = "kexec-tools"
REBOOT = "/sbin/reboot"

ORIGIN_ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "parameters": {"type": "list", "elements": "str", "default": []},
    "boot_loader": {"type": "str", "choices": list(known.CHOICES), "default": "auto"},
}


@dataclass(frozen=True)
class Wanted:
    """The user's options as a value."""

    state: str
    parameters: tuple[str, ...]
    boot_loader: str


def wanted_of(params: t.Mapping[str, t.Any]) -> Wanted:
    return Wanted(params["state"], tuple(params["parameters"]), params["boot_loader"])


def ensure(host: Host, wanted: Wanted, *, check_mode: bool) -> dict[str, t.Any]:
    """Keep what the host is like, unless that is known, or see that it is so again."""
    kept = _kept(host)
    if wanted.state == "absent":
        return _forget(host, kept, wanted, check_mode=check_mode)
    known = {} if kept is None else kept.parameters
    missing = tuple(name for name in wanted.parameters if name not in known)
    if kept is not None and not missing:
        return _told(kept, kept, kept)
    now = look(host, replace(wanted, parameters=missing))
    if kept is not None:
        # What is set for the first time now was nobody's but the user's until now.
        now = replace(kept, parameters={**kept.parameters, **now.parameters})
    if not check_mode:
        _keep(host, now)
    return _told(now, kept, now)


def look(host: Host, wanted: Wanted) -> HostOrigin:
    """What the host is like now."""
    words = parameter.configured(host, wanted.boot_loader)
    return HostOrigin(
        {name: _words_of(name, words) for name in wanted.parameters},
        _is_installed(host),
        origin.foreign(host.link(REBOOT)),
    )


def _words_of(name: str, words: t.Iterable[str]) -> tuple[str, ...]:
    same = _cmdline.name_of(name)
    return tuple(word for word in words if _cmdline.name_of(word) == same)


def _is_installed(host: Host) -> bool:
    apk = host.find("apk")
    return apk is not None and host.run([apk, "info", "--installed", PACKAGE]).rc == 0


def _kept(host: Host) -> HostOrigin | None:
    content = read_or_refuse(host, places.ORIGIN)
    if content is None:
        return None
    found = origin.parse(content.decode("utf-8", "surrogateescape"))
    if found is None:
        raise _not_understood()
    return found


def _keep(host: Host, found: HostOrigin) -> None:
    folder = host.real(places.MEMORY)
    try:
        with run_directory(host):
            os.makedirs(folder, mode=0o700, exist_ok=True)
            sync_directory(os.path.dirname(folder))
            Writer(host).write(places.ORIGIN, found.as_text().encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise parameter.not_held(error) from error


def _forget(
    host: Host, kept: HostOrigin | None, wanted: Wanted, *, check_mode: bool
) -> dict[str, t.Any]:
    """What is not as it was is told, and stays on record; in check mode nothing was put back yet."""
    left: list[str] = []
    if kept is not None and not check_mode:
        left = kept.differences(look(host, replace(wanted, parameters=tuple(kept.parameters))))
        if not left:
            Writer(host).discard(places.ORIGIN)
    return {**_told(kept, kept, kept if left else None), "left": left}


def _told(
    found: HostOrigin | None, before: HostOrigin | None, after: HostOrigin | None
) -> dict[str, t.Any]:
    """Of a host that has kept nothing it is not known what would bring it back."""
    headers = {"before_header": places.ORIGIN, "after_header": places.ORIGIN}
    return {
        "changed": before != after,
        "origin": None if found is None else found.as_dict(),
        "restore": {"present": [], "absent": []} if found is None else found.restore(),
        "diff": {"before": _text(before), "after": _text(after), **headers},
    }


def _text(found: HostOrigin | None) -> str:
    return "" if found is None else found.as_text()


def _not_understood() -> ReasonError:
    return ReasonError(
        reason(
            "origin_not_understood",
            f"What the host was like before is in {places.ORIGIN}, and that is not understood.",
            "Remove that file. Then parameters of the kernel and kexec-tools are left as they are.",
        )
    )
