# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Loading an image into the kernel, and taking it out again."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import typing as t
from dataclasses import dataclass

from .._host import places
from .._host.lock import run_directory
from .._host.port import Completed, FileProblemError, Host
from .._preflight.survey import Survey
from .._reasons import ReasonError, reason

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
        record = json.loads(host.text(places.IMAGE) or "null")
        _from_record(record)
    except (ValueError, TypeError, KeyError):
        return Loaded(present, None)
    return Loaded(present, record)


@contextlib.contextmanager
def _held(host: Host, failed: t.Callable[[Exception], ReasonError]) -> t.Iterator[str]:
    """Hold the lock of what changes the image; whatever the file system says becomes a reason."""
    try:
        with run_directory(host) as directory:
            yield directory
    except BlockingIOError as error:
        raise _in_progress() from error
    except (FileProblemError, OSError) as error:
        raise failed(error) from error


def load(host: Host, kexec: str, image: Image) -> Completed:
    """Load the image, prove that the kernel holds it, and note what it is."""
    with _held(host, _not_prepared) as directory:
        # If this is killed half way, an unknown image is better than a wrong note.
        _forget(host)
        with _one_initramfs(host, directory, image.initramfs) as initramfs:
            completed = host.run(_load_command(kexec, image, initramfs))
        if completed.rc != 0 or not _is_loaded(host):
            raise _load_failed(completed)
        _write(host.real(places.IMAGE), json.dumps(image.as_record()).encode())
    return completed


def _load_command(kexec: str, image: Image, initramfs: str | None) -> list[str]:
    """kexec-tools choose the system call."""
    option = [] if initramfs is None else [f"--initrd={initramfs}"]
    return [kexec, "-a", "-l", image.kernel, *option, f"--command-line={image.cmdline}"]


def unload(host: Host, kexec: str) -> Completed:
    """Take the image out of the kernel, unless another run is about to jump into it."""
    with _held(host, _not_forgotten):
        completed = host.run([kexec, "-u"])
        if completed.rc != 0 or _is_loaded(host):
            raise _unload_failed(completed)
        _forget(host)
    return completed


def _is_loaded(host: Host) -> bool:
    return (host.text(LOADED) or "").strip() == "1"


def _forget(host: Host) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(host.real(places.IMAGE))


@contextlib.contextmanager
def _one_initramfs(host: Host, directory: str, paths: t.Sequence[str]) -> t.Iterator[str | None]:
    """kexec-tools take one file: join several as a boot loader lays them in memory."""
    if len(paths) < 2:
        yield paths[0] if paths else None
        return
    with _temporary(directory, "initramfs-") as target:
        for path in paths:
            target.write(b"\0" * (-target.tell() % ALIGNMENT))
            with host.open(path) as source:
                shutil.copyfileobj(source, target)
        target.flush()
        yield f"{places.RUN}/{os.path.basename(target.name)}"


@contextlib.contextmanager
def _temporary(directory: str, prefix: str) -> t.Iterator[t.IO[bytes]]:
    """A file that only root can read, and that is gone afterwards unless it was renamed."""
    with tempfile.NamedTemporaryFile(prefix=prefix, dir=directory, delete=False) as file:
        try:
            yield file
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(file.name)


def _write(path: str, content: bytes) -> None:
    """Replace a note in /run so that nobody ever sees a part of it.

    What replaces files on disks is of no use here: it keeps owner, mode and the old inode, and syncs
    what a boot loader reads. This has nothing to outlive, and is the only note that Python writes.
    """
    with _temporary(os.path.dirname(path), ".record-") as file:
        file.write(content)
        file.flush()
        os.replace(file.name, path)


def _in_progress() -> ReasonError:
    """Whoever loads an image is about to reboot the host."""
    return ReasonError(
        reason(
            "load_in_progress",
            f"Another run is loading an image: it holds {places.RUN}.",
            "Wait until it has ended, and see who is about to reboot the host.",
        )
    )


def _not_prepared(error: Exception) -> ReasonError:
    return ReasonError(
        reason(
            "load_failed",
            f"The image could not be laid out or noted in {places.RUN}: {error}.",
            "See that /run has room.",
        )
    )


def _not_forgotten(error: Exception) -> ReasonError:
    return ReasonError(
        reason(
            "unload_failed",
            f"The note of the image in {places.RUN} cannot be held or removed: {error}.",
            "See whose that directory is, and whether its file system is writable.",
        )
    )


def _load_failed(completed: Completed) -> ReasonError:
    return _kexec_failed(
        completed,
        "load_failed",
        f"kexec could not load the image {completed.told}.",
        "See the kernel's log (dmesg) for the cause.",
    )


def _unload_failed(completed: Completed) -> ReasonError:
    return _kexec_failed(
        completed,
        "unload_failed",
        f"kexec could not unload the image {completed.told}.",
        "Where kexec was locked after loading, only a boot takes the image away.",
    )


def _kexec_failed(completed: Completed, code: str, message: str, remedy: str) -> ReasonError:
    """A failure with all that the command said."""
    said = {"rc": completed.rc, "stdout": completed.stdout, "stderr": completed.stderr}
    return ReasonError(reason(code, message, remedy), **said)
