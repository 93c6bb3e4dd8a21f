# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The disk image: an installed Alpine on a partition, behind a boot record of its own."""

from __future__ import annotations

import json
import os
import shutil
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

from . import cache, config
from .base import apk, base_tree
from .commands import run
from .config import ImageSpec
from .errors import LabError
from .loaders import LOADERS, BootFiles, kernel_options
from .packages import KEY, main_dir, repository
from .packages import SOURCES as PACKAGE_SOURCES
from .progress import Progress
from .tree import adapt, repositories, set_runlevels

SOURCES = (*PACKAGE_SOURCES, "config.py", "image.py", "loaders.py", "tree.py")
# What extlinux can read: these two features of today's mke2fs it cannot.
FEATURES = "^64bit,^metadata_csum"
KEPT_IMAGES = 6
KEPT_BASES = 2


@dataclass(frozen=True)
class Image:
    """A finished image in the cache."""

    folder: Path
    boot: BootFiles
    cached: bool

    @property
    def disk(self) -> Path:
        return self.folder / "disk.raw"

    @property
    def rc_conf(self) -> str:
        return (self.folder / "rc.conf").read_text(encoding="utf-8")


def image_key(spec: ImageSpec) -> str:
    """Return the cache's key: every input, and the sources of the builder."""
    inputs = {
        "debian": config.DEBIAN_PACKAGES,
        "loader": spec.loader,
        "mirror": spec.mirror,
        "packages": spec.wanted,
        "wheel": config.WHEEL_SHA256,
    }
    return cache.digest(inputs, SOURCES)


def ensure_image(spec: ImageSpec, progress: Progress) -> Image:
    """Return the image, built if the cache lacks it; a plain user's build goes through sudo."""
    name = f"image-{image_key(spec)}"
    if os.geteuid() != 0 and not (config.cache_dir() / name).is_dir():
        _build_as_root(spec)

    def build(folder: Path) -> None:
        cache.need_space(config.BUILD_SPACE)
        _build(spec, folder, progress)

    folder, cached = cache.artifact(name, build)
    progress.say(f"image: {'cached' if cached else 'built'} ({name})")
    cache.prune("image", KEPT_IMAGES)
    cache.prune("base", KEPT_BASES)
    return load(folder, cached)


def load(folder: Path, cached: bool = True) -> Image:
    """Read an image that is in the cache."""
    stored = json.loads((folder / "image.json").read_text(encoding="utf-8"))
    return Image(folder, BootFiles(stored["uuid"], stored["kernels"]), cached)


def _build_as_root(spec: ImageSpec) -> None:
    if not shutil.which("sudo"):
        raise LabError(
            "not-root",
            "building an image mounts it and keeps owners, which needs root; sudo is not there",
            "run `python -m tests.lab build` once as root with ALPINEFLEET_LAB_CACHE set to "
            f"{config.cache_dir()}",
        )
    cache.ensure_dir(config.cache_dir() / "locks")
    argv = ["sudo", "-n", f"ALPINEFLEET_LAB_CACHE={config.cache_dir()}"]
    argv += [sys.executable, "-m", "tests.lab", "build", "--loader", spec.loader]
    argv += ["--packages", ",".join(spec.packages)]
    argv += ["--mirror", spec.mirror] if spec.mirror else []
    remedy = "allow sudo without a password, or run `python -m tests.lab build` as root"
    run(argv, cwd=Path(__file__).parents[2], timeout=3600, code="not-root", remedy=remedy)


def _build(spec: ImageSpec, folder: Path, progress: Progress) -> None:
    source, repo = base_tree(progress), repository(progress)
    tree, identity = folder / "tree", str(uuid.uuid4())
    with progress.step("image: installing packages with apk"):
        run(["cp", "-a", source, tree])
        adapt(tree, identity, spec.mirror)
        _install(tree, repo, spec)
    with progress.step("image: writing the disk"):
        loader = LOADERS[spec.loader]
        loader.stage(tree)
        boot = boot_files(tree, identity)
        for path, text in loader.configure(boot, kernel_options()).items():
            (tree / path).write_text(text, encoding="utf-8")
        shutil.copy2(tree / "etc/rc.conf", folder / "rc.conf")
        _write_disk(tree, folder / "disk.raw", identity)
        loader.install(tree, folder / "disk.raw")
        run(["e2fsck", "-fn", filesystem(folder / "disk.raw")], code="image")
    details = {"uuid": identity, "kernels": dict(boot.kernels)}
    (folder / "image.json").write_text(json.dumps(details), encoding="utf-8")
    shutil.rmtree(tree)


def _install(tree: Path, repo: Path, spec: ImageSpec) -> None:
    shutil.copy2(repo / f"{KEY}.pub", tree / "etc/apk/keys")
    listing = tree / "etc/apk/repositories"
    # apk splits a line of that file at spaces, which the cache's path may hold.
    local = "/proc/self/cwd\n"
    listing.write_text(repositories(spec.mirror) if spec.mirror else local, encoding="utf-8")
    options: list[str | Path] = ["--root", tree, "--no-cache", "--no-progress"]
    apk(tree, ["add", *options, *spec.wanted], cwd=main_dir(repo))
    listing.write_text(repositories(spec.mirror), encoding="utf-8")
    set_runlevels(tree)


def boot_files(tree: Path, identity: str) -> BootFiles:
    """Return what a boot menu is made from: kernels by name, releases by text."""
    names = [*(tree / "boot").glob("vmlinuz-*"), *(tree / "boot").glob("initramfs-*")]
    found = {str(path.relative_to(tree)): "" for path in sorted(names)}
    for path in sorted((tree / "usr/share/kernel").glob("*/kernel.release")):
        found[str(path.relative_to(tree))] = path.read_text(encoding="utf-8")
    return BootFiles(identity, found)


def filesystem(disk: Path) -> str:
    """Return how e2fsprogs names the file system inside a disk."""
    return f"{disk}?offset={config.PARTITION_OFFSET}"


def _write_disk(tree: Path, disk: Path, identity: str) -> None:
    with disk.open("wb") as stream:
        stream.truncate(config.DISK_SIZE)
    start = config.PARTITION_OFFSET // config.SECTOR
    run(["sfdisk", "--quiet", disk], stdin=f"label: dos\n{start},,83,*\n")
    options = ["-q", "-F", "-t", "ext4", "-O", FEATURES, "-U", identity, "-L", "root"]
    extended = f"offset={config.PARTITION_OFFSET},lazy_itable_init=0,lazy_journal_init=0"
    size = f"{config.PARTITION_SIZE // 1024}k"
    run(["mke2fs", *options, "-E", extended, "-d", tree, disk, size], code="image")
