# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What host_origin does: look once before anything is changed, and compare at the end."""

from __future__ import annotations

import contextlib
import os
import typing as t
from dataclasses import dataclass, replace

from .. import _cmdline
from .._bootconfig import change, editors, parameter
from .._host import notes
from .._host.lock import run_directory
from .._host.port import Host
from .._reasons import ReasonError, reason
from .._write.boot_file import sync_directory
from .._write.files import Writer, text_or_refuse
from . import origin
from .origin import HostOrigin

PACKAGE = "kexec-tools"
REBOOT = "/sbin/reboot"
# A program that was killed may have left a draft beside a note.
OF_DRAFTS = ".new"
# What is forgotten when all is taken back. A jump that hung is not: whoever jumps next needs to know it.
FORGOTTEN = (notes.ORIGIN, notes.LAST_REBOOT, f"{notes.JUMP}{OF_DRAFTS}")

ORIGIN_ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "parameters": {"type": "list", "elements": "str", "default": []},
    "boot_loader": {"type": "str", "choices": list(editors.CHOICES), "default": "auto"},
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
    """What apk says; what it cannot say is neither, for a package that was there is not to be removed."""
    apk = host.find("apk")
    if apk is None:
        raise _unknown_package("apk was not found")
    answer = host.run([apk, "info", "--installed", PACKAGE])
    if answer.rc not in (0, 1) or (answer.rc and answer.stderr.strip()):
        raise _unknown_package(f"apk info failed {answer.told}")
    return answer.rc == 0


def _kept(host: Host) -> HostOrigin | None:
    text = text_or_refuse(host, notes.ORIGIN)
    if text is None:
        return None
    found = origin.parse(text)
    if found is None:
        raise _not_understood()
    return found


def _keep(host: Host, found: HostOrigin) -> None:
    folder = host.real(notes.MEMORY)
    try:
        with run_directory(host):
            os.makedirs(folder, mode=0o700, exist_ok=True)
            sync_directory(os.path.dirname(folder))
            Writer(host).write(notes.ORIGIN, found.as_text().encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise change.not_held(error) from error


def _forget(
    host: Host, kept: HostOrigin | None, wanted: Wanted, *, check_mode: bool
) -> dict[str, t.Any]:
    """What is not as it was is told, and stays on record. If nothing is, the notes of the services go, too.

    In check mode nothing was put back yet.
    """
    left: list[str] = []
    if kept is not None and not check_mode:
        left = kept.differences(look(host, replace(wanted, parameters=tuple(kept.parameters))))
    gone = [] if left else _forgettable(host)
    if not check_mode:
        _remove(host, gone)
    return {**_told(kept, kept, kept if left else None, gone), "left": left}


def _forgettable(host: Host) -> list[str]:
    """Our files in the folder, and the folder itself if nothing else is in it.

    Whoever goes on with a run that is not over needs to know what came of its reboot.
    """
    names = host.names(notes.MEMORY)
    ours = FORGOTTEN[:1] if os.path.basename(notes.UNFINISHED) in names else FORGOTTEN
    found = [f"{notes.MEMORY}/{name}" for name in names]
    gone = [path for path in found if path in ours or path.removesuffix(OF_DRAFTS) in ours]
    return [*gone, *([notes.MEMORY] if gone == found and host.is_dir(notes.MEMORY) else [])]


def _remove(host: Host, paths: t.Sequence[str]) -> None:
    for path in paths:
        if path != notes.MEMORY:
            Writer(host).discard(path)
            continue
        # Somebody may have made a note in it meanwhile.
        with contextlib.suppress(OSError):
            os.rmdir(host.real(path))


def _told(
    found: HostOrigin | None,
    before: HostOrigin | None,
    after: HostOrigin | None,
    gone: t.Sequence[str] = (),
) -> dict[str, t.Any]:
    """Of a host that has kept nothing it is not known what would bring it back."""
    forgotten = [path for path in gone if path != notes.ORIGIN]
    return {
        "changed": before != after or bool(gone),
        "origin": None if found is None else found.as_dict(),
        "restore": {"present": [], "absent": []} if found is None else found.restore(),
        "diff": [
            _difference(notes.ORIGIN, _text(before), _text(after)),
            *(_difference(path, "present\n", "absent\n") for path in forgotten),
        ],
    }


def _difference(path: str, before: str, after: str) -> dict[str, str]:
    return {"before_header": path, "before": before, "after_header": path, "after": after}


def _text(found: HostOrigin | None) -> str:
    return "" if found is None else found.as_text()


def _unknown_package(why: str) -> ReasonError:
    return ReasonError(
        reason(
            "package_unknown",
            f"Whether {PACKAGE} was installed before is not known: {why}.",
            f"See that apk info --installed {PACKAGE} works on the host, and run it again.",
        )
    )


def _not_understood() -> ReasonError:
    return ReasonError(
        reason(
            "origin_not_understood",
            f"What the host was like before is in {notes.ORIGIN}, and that is not understood.",
            "Remove that file. Then parameters of the kernel and kexec-tools are left as they are.",
        )
    )
