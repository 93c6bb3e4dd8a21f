# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The container image: the machines' Alpine, with OpenRC as the first process.

It is imported from the root file system of the lab, so no registry of images is asked. A container
has no network; it reaches the lab's packages through a volume.
"""

from __future__ import annotations

import os
import re
import shutil
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from . import cache, config
from .base import apk, base_tree
from .commands import run
from .errors import LabError
from .image import install, lab_as_root
from .packages import KEY, repository, trusts
from .packages import SOURCES as PACKAGE_SOURCES
from .progress import Progress
from .tree import adapt, set_runlevels

SOURCES = (*PACKAGE_SOURCES, "config.py", "container.py", "image.py", "tree.py")
NAME = "alpinefleet-lab"
ARCHIVE = "rootfs.tar"
PACKAGES = ("python3",)
# A container boots the kernel of its host, and gets its network from the engine.
UNWANTED = ("dhcpcd", "linux-virt")
# Of Alpine's services, what is of use without hardware, consoles and network.
RUNLEVELS = {
    "sysinit": (),
    "boot": ("bootmisc", "syslog"),
    "default": ("crond",),
    "shutdown": ("killprocs", "savecache"),
}
REPOSITORY = "/media/lab"
KEPT_ARCHIVES = 2
KEPT_IMAGES = 3


@dataclass(frozen=True)
class ContainerImage:
    """An image that the engine has, and the folder of packages that its apk reads."""

    name: str
    repository: Path

    @property
    def volume(self) -> str:
        """How `docker run --volume` gives a container its packages."""
        return f"{self.repository}:{REPOSITORY}:ro"


def image_key() -> str:
    """Return the key of archive and image: every input, and the sources of the builder."""
    inputs = {
        "debian": config.DEBIAN_PACKAGES,
        "packages": PACKAGES,
        "unwanted": UNWANTED,
        "wheel": config.ALPINES[config.NEWEST].sha256,
    }
    return cache.digest(inputs, SOURCES)


def ensure_container_image(progress: Progress) -> ContainerImage:
    """Return the image, imported if the engine lacks it."""
    name = f"{NAME}:{image_key()}"
    archive = ensure_archive(progress)
    with cache.locked("container-import"):
        tags = run(["docker", "image", "ls", "--format", "{{.Tag}}", NAME]).split()
        if image_key() not in tags:
            with progress.step(f"containers: importing {name}"):
                change = 'CMD ["/sbin/init"]'
                run(["docker", "import", "--change", change, archive, name])
            _forget(tags[KEPT_IMAGES - 1 :])
    return ContainerImage(name, repository(progress) / "www")


def _forget(tags: list[str]) -> None:
    """Remove images of earlier keys; one that a container uses stays."""
    for tag in tags:
        with suppress(LabError):
            run(["docker", "image", "rm", f"{NAME}:{tag}"])


def ensure_archive(progress: Progress) -> Path:
    """Return the root file system as an archive; a plain user's build goes through sudo."""
    name = f"container-{image_key()}"
    if os.geteuid() != 0 and not trusts(config.cache_dir() / name):
        lab_as_root("container-archive")

    def build(folder: Path) -> None:
        cache.need_space(config.BUILD_SPACE)
        _build(folder, progress)

    folder, _cached = cache.artifact(name, build, whole=trusts)
    cache.prune("container", KEPT_ARCHIVES)
    return folder / ARCHIVE


def _build(folder: Path, progress: Progress) -> None:
    source, repo = base_tree(progress), repository(progress)
    tree = folder / "tree"
    with progress.step("containers: installing packages with apk"):
        run(["cp", "-a", source, tree])
        adapt(tree, str(uuid.uuid4()), "")
        contain(tree)
        options: list[str | Path] = ["--root", tree, "--no-cache", "--no-progress"]
        apk(tree, ["del", *options, *UNWANTED])
        remove_kernel(tree)
        install(tree, repo, PACKAGES)
        set_runlevels(tree, RUNLEVELS)
    run(
        ["tar", "--numeric-owner", "--create", "--file", folder / ARCHIVE, "--directory", tree, "."]
    )
    shutil.copy2(repo / f"{KEY}.pub", folder)
    shutil.rmtree(tree)


def remove_kernel(tree: Path) -> None:
    """Remove what was generated for the kernel, which apk does not know."""
    for path in [*(tree / "boot").iterdir(), tree / "lib/modules", tree / "lost+found"]:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def contain(tree: Path) -> None:
    """Turn an installed Alpine into one that runs in a container."""
    texts = {
        # The engine mounts what a container has.
        "etc/fstab": "",
        "etc/apk/repositories": f"{REPOSITORY}/{config.ALPINE_RELEASE}/main\n",
        "etc/inittab": without_consoles((tree / "etc/inittab").read_text("utf-8")),
        "etc/rc.conf": container_settings((tree / "etc/rc.conf").read_text("utf-8")),
    }
    for name, text in texts.items():
        (tree / name).write_text(text, encoding="utf-8")


def without_consoles(text: str) -> str:
    """Return inittab without logins at consoles, which a container has not."""
    return re.sub(r"(?m)^[^#\n]*/getty .*\n", "", text)


def container_settings(text: str) -> str:
    """Return rc.conf for a container: services that need a machine do not start."""
    return re.sub(r"(?m)^#?rc_sys=.*$", 'rc_sys="docker"', text)
