# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""What kexec_load does: survey, compare, and only then load or unload."""

from __future__ import annotations

import typing as t

from . import _load, _survey
from ._boot_set import Wish
from ._host import Host
from ._reasons import Reason, ReasonError, reason
from ._survey import Survey


def ensure(
    host: Host, state: str, wish: t.Callable[[], Wish], *, check_mode: bool
) -> dict[str, t.Any]:
    """Bring the kernel into the state that the user named."""
    if state == "unloaded":
        return ensure_unloaded(host, check_mode=check_mode)
    return ensure_loaded(host, wish(), check_mode=check_mode)


def ensure_loaded(host: Host, wish: Wish, *, check_mode: bool) -> dict[str, t.Any]:
    """Make the kernel hold the wanted image; refuse before anything is touched."""
    found = _survey.survey(host, wish)
    outcome = _survey.result(found)
    if not found.able:
        raise ReasonError(found.obstacles[0], **outcome, stage="preflight")
    image = _load.wanted_image(found)
    before = _load.loaded(host, present=found.state.loaded)
    changed = not before.is_image(image)
    if changed and not check_mode:
        _carry_out(host, found, image, outcome)
    outcome.update(_difference(before.as_text(), image.as_text()))
    return {"changed": changed, "loaded": not check_mode or before.present, **outcome}


def _carry_out(
    host: Host, found: Survey, image: _load.Image, outcome: t.Mapping[str, t.Any]
) -> None:
    """Load; a failure carries everything that the survey found, and its own reason."""
    try:
        _load.load(host, str(found.state.kexec_path), image)
    except ReasonError as error:
        reasons = [error.reason.as_dict(), *outcome["reasons"]]
        result = {**outcome, "able": False, "method": "firmware", "reasons": reasons}
        raise ReasonError(error.reason, **{**result, **error.details}, stage="load") from error


def ensure_unloaded(host: Host, *, check_mode: bool) -> dict[str, t.Any]:
    """Make the kernel hold no image."""
    found = _survey.survey(host, Wish())
    before = _load.loaded(host, present=found.state.loaded)
    if before.present and not check_mode:
        if found.state.kexec_path is None:
            raise ReasonError(_cannot_unload(), stage="load")
        _load.unload(host, found.state.kexec_path)
    return {
        "changed": before.present,
        "loaded": before.present and check_mode,
        **_survey.result(found),
        **_difference(before.as_text(), ""),
    }


def _cannot_unload() -> Reason:
    return reason(
        "no_kexec_tools",
        "An image is loaded and the kexec command is not installed.",
        "Install the package kexec-tools.",
    )


def _difference(before: str, after: str) -> dict[str, t.Any]:
    headers = {"before_header": "loaded image", "after_header": "loaded image"}
    return {"diff": {"before": before, "after": after, **headers}}
