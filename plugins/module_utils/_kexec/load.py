# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Loading an image into the kernel, and taking it out again."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import tempfile
import typing as t

from .._host import notes
from .._host.lock import run_directory
from .._host.machine import LOADED, holds_image
from .._host.port import FileProblemError, Host, Outcome
from .._image.initramfs import ALIGNMENT
from .._jump.image import Image
from .._preflight.survey import Survey
from .._reasons import ReasonError, reason


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


def load(host: Host, kexec: str, image: Image) -> Outcome:
    """Load the image, prove that the kernel holds it, and note what it is."""
    with _held(host, _not_prepared) as directory:
        # If this is killed half way, an unknown image is better than a wrong note.
        _forget(host)
        with _one_initramfs(host, directory, image.initramfs) as initramfs:
            completed = host.run(_load_command(kexec, image, initramfs))
        if completed.rc != 0 or not holds_image(host):
            raise _load_failed(completed)
        _write(host.real(notes.IMAGE), json.dumps(image.as_record()).encode())
    return completed


def _load_command(kexec: str, image: Image, initramfs: str | None) -> list[str]:
    """kexec-tools choose the system call."""
    option = [] if initramfs is None else [f"--initrd={initramfs}"]
    return [kexec, "-a", "-l", image.kernel, *option, f"--command-line={image.cmdline}"]


def unload(host: Host, kexec: str) -> Outcome:
    """Take the image out of the kernel, unless another run is about to jump into it."""
    with _held(host, _not_forgotten):
        completed = host.run([kexec, "-u"])
        if completed.rc != 0 or holds_image(host):
            raise _unload_failed(completed)
        _forget(host)
    return completed


def _forget(host: Host) -> None:
    """What is noted of an image that the kernel gives up, whoever loaded it."""
    for place in (notes.IMAGE, notes.FROZEN):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(host.real(place))


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
        yield f"{notes.RUN}/{os.path.basename(target.name)}"


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


# Errors of files that mean that there is no room.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.ENOMEM)

# A part of what kexec says, and what can be done then.
REMEDIES = (
    (
        "Cannot allocate memory",
        "Stop services that take much memory, and try again.",
    ),
    (
        "Operation not permitted",
        "Something locked kexec after the host was looked at: kexec_preflight tells what.",
    ),
    ("resource busy", "Somebody else loads an image at this moment: find out who, and try again."),
    (
        "Cannot determine the file type",
        "Upgrade kexec-tools, or name a kernel of a format that this version knows.",
    ),
)
_ELSE = "Look for the cause in the kernel's log (dmesg), or reboot through firmware."


def _not_prepared(error: Exception) -> ReasonError:
    if isinstance(error, FileProblemError):
        message = f"{error.path} was there when it was looked at and is now {error.problem}."
        remedy = "Wait until whoever replaces it, such as an upgrade, has ended, and try again."
    else:
        message = f"The image could not be laid out or noted in {notes.RUN}: {error}."
        remedy = _remedy_of(error)
    return ReasonError(reason("load_failed", message, remedy))


def _not_forgotten(error: Exception) -> ReasonError:
    return ReasonError(
        reason(
            "unload_failed",
            f"The note of the image in {notes.RUN} cannot be held or removed: {error}.",
            _remedy_of(error),
        )
    )


def _remedy_of(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno in FULL:
        return f"See that /run has room for all initramfs files together; {notes.RUN} is there."
    return (
        f"See that {notes.RUN} is a directory of root's own, on a file system that can be written."
    )


def _load_failed(completed: Outcome) -> ReasonError:
    if completed.rc == 0:
        return _kexec_failed(
            completed,
            "load_failed",
            f"kexec reported success, and {LOADED} says that no image is loaded {completed.told}.",
            "See whether another program unloads images, or whether the kexec that was found is not "
            "that of the package kexec-tools.",
        )
    said = completed.stderr + completed.stdout
    return _kexec_failed(
        completed,
        "load_failed",
        f"kexec could not load the image {completed.told}.",
        next((remedy for sign, remedy in REMEDIES if sign in said), _ELSE),
    )


def _unload_failed(completed: Outcome) -> ReasonError:
    return _kexec_failed(
        completed,
        "unload_failed",
        f"kexec could not unload the image {completed.told}.",
        "Where kexec was locked after loading, only a boot takes the image away.",
    )


def _kexec_failed(completed: Outcome, code: str, message: str, remedy: str) -> ReasonError:
    """A failure with all that the command said."""
    said = {"rc": completed.rc, "stdout": completed.stdout, "stderr": completed.stderr}
    return ReasonError(reason(code, message, remedy), **said)


def _in_progress() -> ReasonError:
    """Whoever loads an image is about to reboot the host."""
    return ReasonError(
        reason(
            "load_in_progress",
            f"Another run is loading an image: it holds {notes.RUN}.",
            "Wait until it has ended, and see who is about to reboot the host.",
        )
    )
