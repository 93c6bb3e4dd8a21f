# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machines' Alpine turned into one for containers, and when the engine is given it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.lab import LabError, Progress, config, container, tree

INITTAB = """\
::sysinit:/sbin/openrc sysinit
::wait:/sbin/openrc default
# Set up a couple of getty's
tty1::respawn:/sbin/getty 38400 tty1
ttyS0::respawn:/sbin/getty -L 115200 ttyS0 vt100
::shutdown:/sbin/openrc shutdown
"""


def test_without_consoles_keeps_what_starts_and_ends_openrc() -> None:
    assert container.without_consoles(INITTAB).splitlines() == [
        "::sysinit:/sbin/openrc sysinit",
        "::wait:/sbin/openrc default",
        "# Set up a couple of getty's",
        "::shutdown:/sbin/openrc shutdown",
    ]


@pytest.mark.parametrize("line", ['rc_sys=""', 'rc_sys="lxc"', '#rc_sys=""'])
def test_container_settings(line: str) -> None:
    text = container.container_settings(f'rc_parallel="NO"\n{line}\n')
    assert text == 'rc_parallel="NO"\nrc_sys="docker"\n'


def test_contain_leaves_no_file_systems_to_mount_and_names_the_volume(tmp_path: Path) -> None:
    (tmp_path / "etc/apk").mkdir(parents=True)
    (tmp_path / "etc/inittab").write_text(INITTAB)
    (tmp_path / "etc/rc.conf").write_text('rc_sys=""\n')
    container.contain(tmp_path)
    assert (tmp_path / "etc/fstab").read_text() == ""
    repositories = (tmp_path / "etc/apk/repositories").read_text()
    assert repositories == f"{container.REPOSITORY}/{config.ALPINE_RELEASE}/main\n"
    assert "getty " not in (tmp_path / "etc/inittab").read_text()


def test_remove_kernel_empties_boot_and_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "boot/extlinux").mkdir(parents=True)
    (tmp_path / "boot/initramfs-virt").touch()
    # Alpine's /boot/boot leads back to /boot.
    (tmp_path / "boot/boot").symlink_to(".")
    (tmp_path / "lib/modules/6.18.56-0-virt").mkdir(parents=True)
    (tmp_path / "lib/kept").touch()
    container.remove_kernel(tmp_path)
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))
    assert found == ["boot", "lib", "lib/kept"]


def test_runlevels_are_those_of_a_machine() -> None:
    assert container.RUNLEVELS.keys() == tree.RUNLEVELS.keys()
    for level, services in container.RUNLEVELS.items():
        assert set(services) <= set(tree.RUNLEVELS[level])


def test_volume_is_read_only_and_where_apk_looks() -> None:
    image = container.ContainerImage("name", Path("/a/www"))
    assert image.volume == f"/a/www:{container.REPOSITORY}:ro"


# --- The engine's images -------------------------------------------------------------------


class Engine:
    """A Docker client that has these tags, newest first, and notes what it is asked."""

    def __init__(self, tags: Sequence[str], in_use: Sequence[str] = ()) -> None:
        self.tags = list(tags)
        self.in_use = in_use
        self.calls: list[list[str]] = []

    def run(self, argv: Sequence[str | Path]) -> str:
        words = [str(word) for word in argv]
        self.calls.append(words)
        if words[:3] == ["docker", "image", "rm"] and words[3] in self.in_use:
            raise LabError("command-failed", "in use", "wait")
        return "\n".join(self.tags) if words[1:3] == ["image", "ls"] else ""

    def done(self, *verb: str) -> list[str]:
        """The last words of the commands that began like this."""
        return [words[-1] for words in self.calls if words[1 : 1 + len(verb)] == list(verb)]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine without images, and a lab that need not build."""
    made = Engine([])
    monkeypatch.setattr(container, "run", made.run)
    monkeypatch.setattr(container, "image_key", lambda: "new")
    monkeypatch.setattr(container, "ensure_archive", lambda _progress: Path("/a/rootfs.tar"))
    monkeypatch.setattr(container, "repository", lambda _progress: Path("/a/repository"))
    return made


def test_image_is_imported_where_the_engine_lacks_it(engine: Engine) -> None:
    image = container.ensure_container_image(Progress(quiet=True))
    assert image == container.ContainerImage(f"{container.NAME}:new", Path("/a/repository/www"))
    assert engine.done("import") == [image.name]


def test_image_is_imported_once(engine: Engine) -> None:
    engine.tags = ["old", "new"]
    container.ensure_container_image(Progress(quiet=True))
    assert engine.done("import") == []
    assert engine.done("image", "rm") == []


def test_images_that_are_old_and_not_used_are_removed(engine: Engine) -> None:
    engine.tags = ["d", "c", "b", "a"]
    engine.in_use = [f"{container.NAME}:b"]
    container.ensure_container_image(Progress(quiet=True))
    assert engine.done("image", "rm") == [f"{container.NAME}:b", f"{container.NAME}:a"]
