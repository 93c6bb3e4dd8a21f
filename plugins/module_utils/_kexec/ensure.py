# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What kexec_load does: survey, compare, and only then load or unload."""

from __future__ import annotations

import contextlib
import os
import typing as t

from .._host import notes
from .._host.port import Host
from .._image.choose import Wish
from .._jump import note
from .._jump.image import Image, Loaded, loaded
from .._jump.note import Frozen
from .._preflight import survey
from .._preflight.state import State
from .._preflight.survey import Survey
from .._reasons import ReasonError
from . import load
from .once import Armed, Once, arm

# Why the kernel takes no image, gives none up, and still jumps into the one that it holds.
FORBIDS_LOADING = {
    "kexec_denied",
    "kexec_limit_reached",
    "kexec_locked",
    "kexec_relocked",
    "lockdown",
}
FORBIDS_UNLOADING = FORBIDS_LOADING | {
    "already_leaving",
    "container",
    # It holds the service's image then, and not one that a module has noted.
    "kexec_frozen",
    "no_cap_sys_boot",
    "no_kexec_tools",
    "not_root",
}

# An image that is loaded needs no more room, and has taken some.
ONLY_FOR_LOADING = FORBIDS_LOADING | {"memory_low"}


def ensure(
    host: Host, state: str, wishes: t.Callable[[], tuple[Wish, Once]], *, check_mode: bool
) -> dict[str, t.Any]:
    """Bring the kernel into the state that the user named."""
    if state == "unloaded":
        return ensure_unloaded(host, check_mode=check_mode)
    return ensure_loaded(host, *wishes(), check_mode=check_mode)


def ensure_loaded(host: Host, wish: Wish, once: Once, *, check_mode: bool) -> dict[str, t.Any]:
    """Make the kernel hold the wanted image; refuse before anything is touched."""
    found = survey.survey(host, wish, lambda state: _arm(state, once).words)
    if not check_mode:
        _forget_proven_jump(host, found.state)
    if found.frozen is not None and found.able:
        return _already_frozen(found)
    before = loaded(host, present=found.state.loaded)
    if _holds_wanted(before, found):
        found = found.without_blocks(ONLY_FOR_LOADING)
    result = _result(found, once)
    if not found.able:
        raise ReasonError(found.obstacles[0], **result, stage="preflight")
    image = load.wanted_image(found)
    changed = not before.is_image(image)
    if changed and not check_mode:
        with _stage_of_load(result):
            load.load(host, str(found.state.kexec_path), image)
    result.update(_difference(before.as_text(), image.as_text()))
    return {"changed": changed, "loaded": not check_mode or before.present, **result}


def _forget_proven_jump(host: Host, state: State) -> None:
    """The running kernel proves the jump that is noted; after it the note would tell a lie.

    One that stays does no harm as long as this boot runs.
    """
    if note.arrived(state.jump, state.words):
        with contextlib.suppress(OSError):
            os.unlink(host.real(notes.JUMP))


def _arm(state: State, once: Once) -> Armed:
    return arm(state.guard, state.words, once)


def _result(found: Survey, once: Once) -> dict[str, t.Any]:
    """What the survey found, and how the jump into the image is guarded."""
    # An image that was loaded before kexec was locked cannot be told of a guard any more.
    armed = _arm(found.state, once) if found.frozen is None else Armed()
    watchdog = armed.watchdog and armed.watchdog.as_dict()
    return {**survey.result(found), "watchdog": watchdog, "confirm": armed.confirm}


def _already_frozen(found: Survey) -> dict[str, t.Any]:
    """The image that is wished for is loaded, with a token of the service that loaded it."""
    frozen = t.cast(Frozen, found.frozen)
    kernel, *initramfs = frozen.files
    image = Image(kernel, tuple(initramfs), frozen.cmdline, ()).as_text()
    result = {**_result(found, Once()), "token": frozen.token, **_difference(image, image)}
    return {"changed": False, "loaded": True, **result}


def _holds_wanted(before: Loaded, found: Survey) -> bool:
    chosen = found.files is not None and found.cmdline is not None
    return chosen and before.is_image(load.wanted_image(found))


@contextlib.contextmanager
def _stage_of_load(result: t.Mapping[str, t.Any]) -> t.Iterator[None]:
    """A failure carries everything that the survey found, and its own reason."""
    try:
        yield
    except ReasonError as error:
        reasons = [error.reason.as_dict(), *result["reasons"]]
        failed = {**result, "able": False, "method": "firmware", "reasons": reasons}
        raise ReasonError(error.reason, **{**failed, **error.details}, stage="load") from error


def ensure_unloaded(host: Host, *, check_mode: bool) -> dict[str, t.Any]:
    """Make the kernel hold no image."""
    found = survey.survey(host, Wish())
    if not check_mode:
        _forget_proven_jump(host, found.state)
    result = _result(found, Once())
    before = loaded(host, present=found.state.loaded)
    if before.present:
        _refuse_unloading(found, result)
    if before.present and not check_mode:
        with _stage_of_load(result):
            load.unload(host, str(found.state.kexec_path))
    result.update(_difference(before.as_text(), ""))
    return {"changed": before.present, "loaded": before.present and check_mode, **result}


def _refuse_unloading(found: Survey, result: t.Mapping[str, t.Any]) -> None:
    """What makes unloading wrong or impossible; an image that cannot be built does not.

    What is no obstacle to a jump into the image that was locked is one to give it up.
    """
    reasons = [each for each in found.reasons if each.code in FORBIDS_UNLOADING]
    if reasons:
        raise ReasonError(reasons[0], **result, stage="preflight")


def _difference(before: str, after: str) -> dict[str, t.Any]:
    headers = {"before_header": "loaded image", "after_header": "loaded image"}
    return {"diff": {"before": before, "after": after, **headers}}
