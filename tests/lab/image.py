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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import cache, config
from .base import apk, base_tree
from .commands import run
from .config import ImageSpec
from .errors import LabError
from .layout import ROOT_SIZE, Layout
from .loaders import LOADERS, BootFiles, kernel_options
from .loaders import SOURCES as LOADER_SOURCES
from .loaders.grub import MENU
from .packages import KEY, main_dir, repository, trusts
from .packages import SOURCES as PACKAGE_SOURCES
from .progress import Progress
from .tree import adapt, set_runlevels

SOURCES = (*PACKAGE_SOURCES, *LOADER_SOURCES, "config.py", "image.py", "tree.py")
# What every boot loader can read: these two features of today's mke2fs extlinux cannot.
FEATURES = "^64bit,^metadata_csum"
KEPT_IMAGES = 8
# That of this source and that of another checkout, of each Alpine.
KEPT_BASES = 4


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


def wanted_packages(spec: ImageSpec) -> list[str]:
    """Return what apk installs: the lab's own, the boot loader's, and what the user asked for."""
    return sorted({*config.BASE_PACKAGES, *LOADERS[spec.loader].packages, *spec.packages})


def image_key(spec: ImageSpec) -> str:
    """Return the cache's key: every input, and the sources of the builder."""
    inputs = {
        "debian": config.DEBIAN_PACKAGES,
        "loader": spec.loader,
        "mirror": spec.mirror,
        "packages": wanted_packages(spec),
        # The packages are made with the newest.
        "wheels": [config.ALPINES[alpine].sha256 for alpine in (spec.alpine, config.NEWEST)],
    }
    return cache.digest(inputs, SOURCES)


def ensure_image(spec: ImageSpec, progress: Progress) -> Image:
    """Return the image, built if the cache lacks it; a plain user's build goes through sudo."""
    name = f"image-{image_key(spec)}"
    if os.geteuid() != 0 and not trusts(config.cache_dir() / name):
        _build_as_root(spec)

    def build(folder: Path) -> None:
        cache.need_space(config.BUILD_SPACE)
        _build(spec, folder, progress)

    folder, cached = cache.artifact(name, build, whole=trusts)
    progress.say(f"image: {'cached' if cached else 'built'} ({name})")
    cache.prune("image", KEPT_IMAGES)
    cache.prune("base", KEPT_BASES)
    return load(folder, cached)


def load(folder: Path, cached: bool = True) -> Image:
    """Read an image that is in the cache."""
    stored = json.loads((folder / "image.json").read_text(encoding="utf-8"))
    return Image(folder, BootFiles(stored["uuid"], stored["files"]), cached)


def _build_as_root(spec: ImageSpec) -> None:
    options = ["--loader", spec.loader, "--packages", ",".join(spec.packages)]
    options += ["--alpine", spec.alpine]
    options += ["--mirror", spec.mirror] if spec.mirror else []
    lab_as_root("build", *options)


def lab_as_root(command: str, *options: str) -> None:
    """Run a command of the lab through sudo, with this user's cache."""
    if not shutil.which("sudo"):
        raise LabError(
            "not-root",
            "building an image mounts it and keeps owners, which needs root; sudo is not there",
            f"run `python -m tests.lab {command}` once as root with ALPINEFLEET_LAB_CACHE set to "
            f"{config.cache_dir()}",
        )
    cache.ensure_dir(config.cache_dir() / "locks")
    argv = ["sudo", "-n", f"ALPINEFLEET_LAB_CACHE={config.cache_dir()}"]
    argv += [sys.executable, "-m", "tests.lab", command, *options]
    remedy = f"allow sudo without a password, or run `python -m tests.lab {command}` as root"
    run(argv, cwd=Path(__file__).parents[2], timeout=3600, code="not-root", remedy=remedy)


def _build(spec: ImageSpec, folder: Path, progress: Progress) -> None:
    source, repo = base_tree(progress, spec.alpine), repository(progress)
    tree, identity = folder / "tree", str(uuid.uuid4())
    with progress.step("image: installing packages with apk"):
        run(["cp", "-a", source, tree])
        adapt(tree, identity, spec.mirror)
        with _held(tree, LOADERS[spec.loader].while_installing):
            install(tree, repo, wanted_packages(spec), from_mirror=bool(spec.mirror))
        set_runlevels(tree)
    with progress.step("image: writing the disk"):
        loader = LOADERS[spec.loader]
        loader.stage(tree, identity)
        boot = boot_files(tree, identity)
        for path, text in loader.configure(boot, kernel_options()).items():
            (tree / path).write_text(text, encoding="utf-8")
        shutil.copy2(tree / "etc/rc.conf", folder / "rc.conf")
        _write_disk(tree, folder / "disk.raw", identity, loader.layout)
        loader.install(tree, folder / "disk.raw")
        run(["e2fsck", "-fn", loader.layout.filesystem(folder / "disk.raw")], code="image")
    details = {"uuid": identity, "files": dict(boot.files)}
    (folder / "image.json").write_text(json.dumps(details), encoding="utf-8")
    shutil.copy2(repo / f"{KEY}.pub", folder)
    shutil.rmtree(tree)


def install(tree: Path, repo: Path, packages: Sequence[str], *, from_mirror: bool = False) -> None:
    """Let the tree's own apk add packages, from its mirror or from the lab's repository."""
    shutil.copy2(repo / f"{KEY}.pub", tree / "etc/apk/keys")
    listing = tree / "etc/apk/repositories"
    text = listing.read_text(encoding="utf-8")
    if not from_mirror:
        # apk splits a line of that file at spaces, which the cache's path may hold.
        listing.write_text("/proc/self/cwd\n", encoding="utf-8")
    options: list[str | Path] = ["--root", tree, "--no-cache", "--no-progress"]
    apk(tree, ["add", *options, *packages], cwd=main_dir(repo))
    listing.write_text(text, encoding="utf-8")


@contextmanager
def _held(tree: Path, files: Mapping[str, str]) -> Iterator[None]:
    """Keep files in the tree only while its packages are installed."""
    for path, text in files.items():
        (tree / path).write_text(text, encoding="utf-8")
    yield
    for path in files:
        (tree / path).unlink()


def boot_files(tree: Path, identity: str) -> BootFiles:
    """Return what a boot menu is made from: kernels by name, releases and GRUB's menu by text."""
    names = [*(tree / "boot").glob("vmlinuz-*"), *(tree / "boot").glob("initramfs-*")]
    texts = [*(tree / "usr/share/kernel").glob("*/kernel.release"), *tree.glob(MENU)]
    found = {str(path.relative_to(tree)): "" for path in sorted(names)}
    for path in sorted(texts):
        found[str(path.relative_to(tree))] = path.read_text(encoding="utf-8")
    return BootFiles(identity, found)


def _write_disk(tree: Path, disk: Path, identity: str, layout: Layout) -> None:
    with disk.open("wb") as stream:
        stream.truncate(layout.disk_size)
    run(["sfdisk", "--quiet", disk], stdin=layout.script())
    options = ["-q", "-F", "-t", "ext4", "-O", FEATURES, "-U", identity, "-L", "root"]
    extended = f"offset={layout.root_offset},lazy_itable_init=0,lazy_journal_init=0"
    size = f"{ROOT_SIZE // 1024}k"
    run(["mke2fs", *options, "-E", extended, "-d", tree, disk, size], code="image")
