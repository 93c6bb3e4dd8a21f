# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""States of machines: made once, kept by a hash of all that took part, and taken in a second."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from . import cache, machine, records, snapshot
from .config import MachineSpec
from .emulator import Emulator, ensure_emulator
from .endings import shell
from .errors import LabError
from .fetch import sha256
from .image import ensure_image
from .loaders import LOADERS
from .packages import repository
from .progress import Progress
from .qemu import UEFI_CODE, UEFI_VARIABLES, kvm_works
from .records import Record
from .snapshot import Snapshot

SOURCES = tuple(path.name for path in sorted(Path(__file__).parent.glob("*.py")))
KEPT = 20
QUIET_SECONDS = 120
# Services may still be starting when the first login works; what they wrote is on the disk then.
QUIET = "while [ -e /run/openrc/rc.starting ]; do sleep 0.2; done; sync; echo quiet"


@dataclass(frozen=True)
class Preparation:
    """What a machine goes through before it is kept."""

    title: str
    inputs: str
    """A hash of all that takes part."""
    run: Callable[[Record], None]


def booted(spec: MachineSpec, progress: Progress) -> Snapshot:
    """Return a machine that has booted and done nothing since."""
    packages, emulator = repository(progress), ensure_emulator(progress)
    inputs = _booted_inputs(spec, packages, emulator, progress)
    folder = _ensure(inputs, "a booted machine", spec, None, lambda _record: None, progress)
    return snapshot.load(folder, str(packages / "www"), emulator.command)


def prepared(spec: MachineSpec, preparation: Preparation, progress: Progress) -> Snapshot:
    """Return a booted machine that something was done to."""
    parent = booted(spec, progress)
    inputs = [parent.folder.name, preparation.inputs]
    folder = _ensure(inputs, preparation.title, spec, parent, preparation.run, progress)
    return snapshot.load(folder, parent.repository, parent.emulator)


def _booted_inputs(
    spec: MachineSpec, packages: Path, emulator: Emulator, progress: Progress
) -> object:
    image = ensure_image(spec.image, progress)
    uefi = LOADERS[spec.image.loader].uefi
    return {
        # An image that was made anew has another one.
        "image": [image.folder.name, image.boot.uuid],
        "repository": packages.name,
        "emulator": emulator.identity,
        "kvm": kvm_works(),
        "firmware": [sha256(path) for path in (UEFI_CODE, UEFI_VARIABLES)] if uefi else [],
        "machine": asdict(replace(spec, name="", timeout=0, write_log=False)),
    }


def _ensure(
    inputs: object,
    title: str,
    spec: MachineSpec,
    parent: Snapshot | None,
    prepare: Callable[[Record], None],
    progress: Progress,
) -> Path:
    key = cache.digest(inputs, SOURCES)

    def build(folder: Path) -> None:
        with progress.step(f"state: making {title}"):
            _make(replace(spec, name=f"making-{key}", write_log=False), parent, prepare, folder)

    name = f"state-{key}"
    folder, _cached = cache.artifact(name, build, public=False, whole=snapshot.is_whole)
    cache.prune("state", KEPT)
    return folder


def _make(
    spec: MachineSpec, parent: Snapshot | None, prepare: Callable[[Record], None], folder: Path
) -> None:
    # What a killed run left; nobody else makes this state now.
    with suppress(LabError):
        machine.down(spec.name)
    record = machine.up(spec, Progress(quiet=True), parent)
    try:
        prepare(record)
        _settle(record)
        snapshot.take(records.find(spec.name), folder)
    finally:
        machine.down(spec.name)


def _settle(record: Record) -> None:
    if shell(record, QUIET, timeout=QUIET_SECONDS) != "quiet":
        raise LabError(
            "state",
            f"the services of {record.name!r} were not started in {QUIET_SECONDS} s",
            f"read its console: {record.serial_log}",
        )
