# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Alpine packages of the names the product asks for, made from Debian's programs.

No registry offers Alpine's own python3, kexec-tools, openssh, syslinux and GRUB. Debian's programs
run beside musl once glibc's loader and libraries are there, so they are put into packages of
Alpine's names, in a repository that the image's own apk makes and signs. Its kernel is Alpine's own.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import config, kernels
from .base import SOURCES as BASE_SOURCES
from .base import apk, base_tree
from .cache import artifact, digest
from .commands import run
from .fetch import debian_packages
from .progress import Progress
from .recipes import RECIPES, Recipe

FILES = Path(__file__).parent / "files"
# A service's first line is added here: ansible-test knows no script of OpenRC.
SERVICE_SUFFIX = ".initd"
SERVICE_START = "#!/sbin/openrc-run\n"
SOURCES = (
    *BASE_SOURCES,
    "packages.py",
    "files/doas.conf",
    "files/mdev.initd",
    "files/pam",
    "files/sshd.initd",
    "files/sshd_config",
    "files/update-extlinux",
    "files/update-grub",
    "grub_scripts.py",
    "kernels.py",
    "recipes.py",
)
KEY = "alpinefleet-lab.rsa"
MAIN = "main"
# What only a machine with an older Alpine is told of: there its kernel can be upgraded.
KERNELS = "kernels"
GLIBC = "glibc-compat"
LIBRARY_DIRS = ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu")
# Loaded by name at run time, so no program lists them as needed.
LOADED_LATER = (
    "libgcc_s.so.1",
    "libnss_dns.so.2",
    "libnss_files.so.2",
    "security/pam_permit.so",
)
# On Debian's packages, but of no use to a machine of the lab.
UNWANTED = ("usr/share", "usr/lib/x86_64-linux-gnu/pkgconfig")


def alpine_version(debian: str) -> str:
    """Turn the version of a .deb file's name into one that apk accepts.

    >>> alpine_version("1%3a9.2p1-2+deb12u10")
    '9.2_p1-r2'
    """
    upstream, revision = debian.rsplit("-", 1) if "-" in debian else (debian, "0")
    upstream = re.sub(r"^\d+(?:%3a|:)", "", upstream)
    number = re.match(r"\d+(?:\.\d+)*", upstream)
    patch = re.match(r"p(\d+)", upstream[number.end() :] if number else "")
    release = re.match(r"\d+", revision)
    suffix = f"_p{patch.group(1)}" if patch else ""
    return f"{number.group() if number else '0'}{suffix}-r{release.group() if release else '0'}"


def repository(progress: Progress) -> Path:
    """Return the directory of the signed repository: `www` to serve, and its key pair."""

    def build(folder: Path) -> None:
        with progress.step("packages: making Alpine packages from Debian's programs"):
            _build(base_tree(progress), folder)

    return artifact(_repository_name(), build)[0]


def _repository_name() -> str:
    newest = config.ALPINES[config.NEWEST].sha256
    return f"repository-{digest([config.DEBIAN_PACKAGES, newest], SOURCES)}"


def trusts(folder: Path) -> bool:
    """Tell whether what was made in a folder trusts the packages that there are now.

    A repository that was made anew has another key.
    """
    now = config.cache_dir() / _repository_name() / f"{KEY}.pub"
    try:
        return (folder / f"{KEY}.pub").read_bytes() == now.read_bytes()
    except OSError:
        return False


@dataclass(frozen=True)
class Part:
    """A part of the repository in a folder."""

    folder: Path
    name: str

    @property
    def path(self) -> Path:
        """The directory that a line of /etc/apk/repositories names."""
        return self.folder / "www" / config.ALPINE_RELEASE / self.name

    @property
    def packages(self) -> Path:
        return self.path / config.ARCH


def main_dir(folder: Path) -> Path:
    """Return the directory of all packages but kernels."""
    return Part(folder, MAIN).path


def _build(tree: Path, folder: Path) -> None:
    debs = {path.name.split("_")[0]: path for path in debian_packages(config.DEBIAN_PACKAGES)}
    stage, work = folder / "stage", folder / "work"
    stage.mkdir()
    for path in debs.values():
        run(["dpkg-deb", "-x", path, stage])
    _compile_python(stage)
    make_key(folder)
    main = Part(folder, MAIN)
    main.packages.mkdir(parents=True)
    for recipe in RECIPES:
        _gather(recipe, stage, debs, work / recipe.name)
    _gather_libraries(stage, work)
    glibc = {"name": GLIBC, "version": _version("libc6", debs), "description": GLIBC}
    make_package(tree, main, work / GLIBC, glibc)
    for recipe in RECIPES:
        info = _info(recipe, _version(recipe.version_from, debs))
        make_package(tree, main, work / recipe.name, info, recipe.trigger, recipe.setuid)
    make_index(tree, main)
    _add_kernel(tree, Part(folder, KERNELS), work)
    shutil.rmtree(stage)
    shutil.rmtree(work)


def _add_kernel(tree: Path, part: Part, work: Path) -> None:
    """Make Alpine's package of the tree's kernel anew, of what the tree has of it."""
    package = kernels.installed(tree)
    package.copy(tree, work / kernels.PACKAGE)
    part.packages.mkdir(parents=True)
    make_package(tree, part, work / kernels.PACKAGE, package.info)
    make_index(tree, part)


def _version(source: str, debs: dict[str, Path]) -> str:
    return alpine_version(debs[source].name.split("_")[1]) if source in debs else source


def _info(recipe: Recipe, version: str) -> dict[str, str]:
    info = {
        "name": recipe.name,
        "version": version,
        "description": recipe.summary,
    }
    if recipe.copies or recipe.whole:
        info["depends"] = GLIBC
    if recipe.provides:
        info["provides"] = " ".join(f"{name}={version}" for name in recipe.provides)
    return info


def _compile_python(stage: Path) -> None:
    # Compiling at each start would take the emulated machine seconds; apk keeps no other order.
    python = next((stage / "usr/bin").glob("python3.*[0-9]"))
    library = f"/usr/lib/{python.name}"
    options = ["-q", "--invalidation-mode", "unchecked-hash", library]
    run(["chroot", stage, f"/usr/bin/{python.name}", "-I", "-m", "compileall", *options])


def _gather(recipe: Recipe, stage: Path, debs: dict[str, Path], target: Path) -> None:
    target.mkdir(parents=True)
    if recipe.whole:
        _unpack_whole(recipe, stage, debs, target)
    for source, destination in recipe.copies:
        _copy(stage / source, target / destination)
    for edit in recipe.edits:
        edit.apply(target)
    for name, destination, mode in recipe.own:
        _write_own(FILES / name, target / destination, mode)
    for folder in recipe.folders:
        (target / folder).mkdir(parents=True)


def _unpack_whole(recipe: Recipe, stage: Path, debs: dict[str, Path], target: Path) -> None:
    for pattern in recipe.whole:
        for name in sorted(debs):
            if re.fullmatch(pattern.replace(".*", r"\.\d+"), name):
                run(["dpkg-deb", "-x", debs[name], target])
    for unwanted in UNWANTED:
        shutil.rmtree(target / unwanted, ignore_errors=True)
    _copy_compiled(stage, target)


def _write_own(source: Path, target: Path, mode: int) -> None:
    _copy(source, target)
    if source.suffix == SERVICE_SUFFIX:
        text = SERVICE_START + source.read_text(encoding="utf-8")
        target.write_text(text, encoding="utf-8")
    target.chmod(mode)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)


def _copy_compiled(stage: Path, target: Path) -> None:
    for cache in (stage / "usr/lib").glob("python3.*/**/__pycache__"):
        if (target / cache.relative_to(stage)).parent.is_dir():
            _copy(cache, target / cache.relative_to(stage))


def elf_files(tree: Path) -> Iterator[Path]:
    """Yield the dynamic programs and libraries below `tree`."""
    for path in sorted(tree.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as stream:
                head = stream.read(18)
            # e_type 2 and 3 are programs and shared objects; a .c32 is a 32 bit one.
            if head[:5] == b"\x7fELF\x02" and head[16] in (2, 3):
                yield path


def parse_ldd(text: str) -> list[Path]:
    """Return the files that the loader's --list resolved."""
    return [Path(found) for found in re.findall(r" => (.+) \(0x", text)]


def _gather_libraries(stage: Path, work: Path) -> None:
    loader = stage / "lib64/ld-linux-x86-64.so.2"
    search = ":".join(str(stage / folder) for folder in LIBRARY_DIRS)
    start: list[str | Path] = [loader, "--library-path", search, "--list"]
    needed = {stage / folder / name for folder in LIBRARY_DIRS for name in LOADED_LATER}
    for program in elf_files(work):
        text = run([*start, program], code="library", remedy="add its package to DEBIAN_PACKAGES")
        needed.update(parse_ldd(text))
    for library in sorted(path for path in needed if path.is_file()):
        # Each is stored under the name it is looked up by, so no symbolic links are needed.
        _copy(library, work / GLIBC / library.relative_to(stage))
    for locale in (stage / "usr/lib/locale").glob("C.utf8"):
        _copy(locale, work / GLIBC / "usr/lib/locale" / locale.name)


def make_key(folder: Path) -> None:
    """Make the key pair that signs packages, index and nothing else."""
    run(["openssl", "genrsa", "-out", folder / KEY, "2048"])
    (folder / KEY).chmod(0o600)
    run(["openssl", "rsa", "-in", folder / KEY, "-pubout", "-out", folder / f"{KEY}.pub"])


def make_package(
    tree: Path,
    part: Part,
    files: Path,
    info: dict[str, str],
    trigger: str = "",
    setuid: Sequence[str] = (),
) -> None:
    """Make one signed package in a part of the repository."""
    run(["chown", "-R", "root:root", files])
    for name in setuid:
        # A change of the owner takes the bit away.
        (files / name).chmod(0o4755)
    output = part.packages / f"{info['name']}-{info['version']}.apk"
    details = {"arch": config.ARCH, "license": "see Debian's package", **info}
    words: list[str | Path] = ["mkpkg", "-F", files, "-o", output, "--sign-key", part.folder / KEY]
    for key, value in details.items():
        words += ["-I", f"{key}:{value}"]
    if trigger:
        script = part.folder / "trigger.sh"
        script.write_text(f"#!/bin/sh\n{trigger}\n", encoding="utf-8")
        words += ["-s", f"trigger:{script}", "-t", "/boot"]
    apk(tree, words)


def make_index(tree: Path, part: Part) -> None:
    """Make the signed index over all packages of a part."""
    names = sorted(path.name for path in part.packages.glob("*.apk"))
    options = ["-d", "alpinefleet lab", "-o", "APKINDEX.tar.gz", "--allow-untrusted"]
    apk(tree, ["mkndx", *options, "--sign-key", part.folder / KEY, *names], cwd=part.packages)
