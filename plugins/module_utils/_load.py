# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""Loading an image into the kernel, and taking it out again."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import typing as t
from dataclasses import dataclass

from ._host import Completed, Host
from ._reasons import ReasonError, reason
from ._survey import Survey

# A tmpfs: what is noted there dies with the boot, as the image does.
RUN_DIRECTORY = "/run/alpinefleet-kexec"
RECORD = "image.json"
LOADED = "/sys/kernel/kexec_loaded"

# The kernel finds the next archive at a multiple of four bytes.
ALIGNMENT = 4


@dataclass(frozen=True)
class Image:
    """What is, or is to be, loaded."""

    kernel: str
    initramfs: tuple[str, ...]
    cmdline: str
    identity: tuple[tuple[str | int, ...], ...]

    def as_record(self) -> dict[str, t.Any]:
        return {
            "kernel": self.kernel,
            "initramfs": list(self.initramfs),
            "cmdline": self.cmdline,
            "identity": [list(entry) for entry in self.identity],
        }

    def as_text(self) -> str:
        """The image as a diff shows it."""
        initramfs = "".join(f"initramfs: {path}\n" for path in self.initramfs)
        return f"kernel: {self.kernel}\n{initramfs}cmdline: {self.cmdline}\n"


def wanted_image(found: Survey) -> Image:
    """The image that a survey without obstacles describes."""
    if found.files is None or found.cmdline is None:
        raise ValueError("the survey found obstacles")
    return Image(
        found.files.kernel,
        found.inspected.ordered_initramfs,
        found.cmdline.text,
        found.inspected.identity,
    )


@dataclass(frozen=True)
class Loaded:
    """What the kernel holds now."""

    present: bool
    # The kernel does not tell which image it holds; only what this collection loaded is known.
    record: t.Mapping[str, t.Any] | None

    def as_text(self) -> str:
        if not self.present:
            return ""
        if self.record is None:
            return "an image that was not loaded by alpinefleet.kexec\n"
        return _from_record(self.record).as_text()

    def is_image(self, image: Image) -> bool:
        return self.present and self.record == image.as_record()


def _from_record(record: t.Mapping[str, t.Any]) -> Image:
    return Image(record["kernel"], tuple(record["initramfs"]), record["cmdline"], ())


def loaded(host: Host, *, present: bool) -> Loaded:
    """What is loaded, by the note that was left when it was loaded."""
    try:
        record = json.loads(host.text(f"{RUN_DIRECTORY}/{RECORD}") or "null")
        return Loaded(present, record if _from_record(record) else None)
    except (ValueError, TypeError, KeyError):
        return Loaded(present, None)


def load(host: Host, kexec: str, image: Image) -> Completed:
    """Load the image, prove that the kernel holds it, and note what it is."""
    directory = _run_directory(host)
    _forget(directory)
    joined: str | None = None
    try:
        if len(image.initramfs) > 1:
            joined = _join(host, directory, image.initramfs)
        completed = host.run(_load_command(kexec, image, joined))
    finally:
        if joined is not None:
            os.unlink(host.real(joined))
    if completed.rc != 0 or not _is_loaded(host):
        raise _load_failed(completed)
    _write(os.path.join(directory, RECORD), json.dumps(image.as_record()).encode())
    return completed


def _load_command(kexec: str, image: Image, joined: str | None) -> list[str]:
    """kexec-tools choose the system call; they take one initramfs only."""
    initramfs = joined or (image.initramfs[0] if image.initramfs else None)
    option = [] if initramfs is None else [f"--initrd={initramfs}"]
    return [kexec, "-a", "-l", image.kernel, *option, f"--command-line={image.cmdline}"]


def unload(host: Host, kexec: str) -> Completed:
    """Take the image out of the kernel."""
    completed = host.run([kexec, "-u"])
    if completed.rc != 0 or _is_loaded(host):
        raise _unload_failed(completed)
    _forget(_run_directory(host))
    return completed


def _is_loaded(host: Host) -> bool:
    return (host.text(LOADED) or "").strip() == "1"


def _run_directory(host: Host) -> str:
    """The real path of a directory that only root can read."""
    path = host.real(RUN_DIRECTORY)
    os.makedirs(path, mode=0o700, exist_ok=True)
    return path


def _forget(directory: str) -> None:
    try:
        os.unlink(os.path.join(directory, RECORD))
    except FileNotFoundError:
        pass


def _join(host: Host, directory: str, paths: t.Sequence[str]) -> str:
    """The archives one after the other in one file, as a boot loader lays them in memory."""
    descriptor, path = tempfile.mkstemp(prefix="initramfs-", dir=directory)
    with os.fdopen(descriptor, "wb") as target:
        for each in paths:
            target.write(b"\0" * (-target.tell() % ALIGNMENT))
            with host.open(each) as source:
                shutil.copyfileobj(source, target)
    return f"{RUN_DIRECTORY}/{os.path.basename(path)}"


def _write(path: str, content: bytes) -> None:
    """Replace a file so that nobody ever sees a part of it."""
    descriptor, temporary = tempfile.mkstemp(prefix=".record-", dir=os.path.dirname(path))
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def _load_failed(completed: Completed) -> ReasonError:
    said = (completed.stderr or completed.stdout).strip() or "nothing"
    found = reason(
        "load_failed",
        f"kexec could not load the image (exit status {completed.rc}): it said {said!r}.",
        "See the kernel's log (dmesg) for the cause.",
    )
    return ReasonError(found, rc=completed.rc, stdout=completed.stdout, stderr=completed.stderr)


def _unload_failed(completed: Completed) -> ReasonError:
    said = (completed.stderr or completed.stdout).strip() or "nothing"
    found = reason(
        "unload_failed",
        f"kexec could not unload the image (exit status {completed.rc}): it said {said!r}.",
        "Where kexec was locked after loading, only a boot takes the image away.",
    )
    return ReasonError(found, rc=completed.rc, stdout=completed.stdout, stderr=completed.stderr)
