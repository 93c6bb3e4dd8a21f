# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build each artifact once: keyed by its inputs, locked, complete or absent."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .config import cache_dir
from .errors import LabError

PARTIAL = ".partial"


def digest(inputs: object, sources: tuple[str, ...]) -> str:
    """Return the key of inputs (JSON) plus the builder's own source files."""
    total = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode())
    for name in sorted(sources):
        total.update((Path(__file__).parent / name).read_bytes())
    return total.hexdigest()[:16]


def ensure_dir(path: Path) -> Path:
    """Return the directory, made if it did not exist."""
    path.mkdir(parents=True, exist_ok=True, mode=0o755)
    return path


def _open_lock(name: str) -> int:
    folder = ensure_dir(cache_dir() / "locks")
    # Read-only is enough for flock and lets a user wait for a build that sudo runs.
    return os.open(folder / f"{name}.lock", os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)


@contextmanager
def locked(name: str, *, shared: bool = False) -> Iterator[None]:
    """Hold the named lock; the kernel frees it if this process dies."""
    handle = _open_lock(name)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def tried(name: str) -> Iterator[bool]:
    """Yield whether the named lock could be taken without waiting."""
    handle = _open_lock(name)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


def need_space(needed: int) -> None:
    """Refuse to start what the disk cannot hold."""
    found = shutil.disk_usage(ensure_dir(cache_dir())).free
    if found < needed:
        raise LabError(
            "disk-space",
            f"{needed // 10**6} MB are needed in {cache_dir()}, {found // 10**6} MB are free",
            "free some space, or set ALPINEFLEET_LAB_CACHE to a directory on another disk",
        )


def artifact(
    name: str,
    build: Callable[[Path], None],
    *,
    public: bool = True,
    whole: Callable[[Path], bool] = lambda _folder: True,
) -> tuple[Path, bool]:
    """Return the finished directory `name` and whether it was there already.

    One that is not whole any more is made anew. While it is built, and after that unless it is
    public, only its owner may enter: trees of a root file system hold set-user-id programs.
    """
    final = cache_dir() / name
    with locked(name):
        if final.is_dir() and whole(final):
            os.utime(final)
            return final, True
        shutil.rmtree(final, ignore_errors=True)
        clean_partials(own=name)
        partial = final.with_name(name + PARTIAL)
        partial.mkdir(parents=True, mode=0o700)
        try:
            build(partial)
            partial.chmod(0o755 if public else 0o700)
            partial.rename(final)
            # What unpacks an archive may give the folder that one's age, and the oldest are pruned.
            os.utime(final)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return final, False


def clean_partials(own: str = "") -> None:
    """Remove what killed builds left; a lock that is held marks a live one."""
    for partial in cache_dir().glob(f"*{PARTIAL}"):
        name = partial.name.removesuffix(PARTIAL)
        if name == own:
            shutil.rmtree(partial, ignore_errors=True)
            continue
        with tried(name) as free:
            if free:
                shutil.rmtree(partial, ignore_errors=True)


def prune(prefix: str, keep: int) -> None:
    """Keep the `keep` artifacts used last; leave those in use alone."""
    found = [path for path in cache_dir().glob(f"{prefix}-*") if not path.name.endswith(PARTIAL)]
    found.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in found[keep:]:
        with tried(path.name) as free:
            if free:
                shutil.rmtree(path, ignore_errors=True)
