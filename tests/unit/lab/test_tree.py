# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wheel's root file system turned into an installed Alpine's."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.lab import tree

RC_CONF = 'rc_parallel="YES"\n#rc_logger="NO"\nrc_sys="lxc"\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a small root file system with the traps of the wheel's."""
    files = {
        ".dockerenv": "",
        "etc/init.d/quicksand-guest-agent": "x",
        "etc/init.d/bootmisc": "x",
        "etc/init.d/mount-ro": "x",
        "etc/runlevels/boot/quicksand-guest-agent": "x",
        "etc/network/interfaces": "x",
        "etc/apk/repositories": "x",
        "etc/passwd": "root:x:0:0::/root:/bin/sh\nquicksand:x:1000:1000::/:/bin/sh\n",
        "etc/group": "wheel:x:10:root,quicksand\naudio:x:18:quicksand\nquicksand:x:1000:\n",
        "etc/shadow": "root:*::0:::::\nquicksand:!::0:::::\n",
        "etc/rc.conf": RC_CONF,
        "etc/inittab": f"#{tree.SERIAL_GETTY}\n",
        "etc/resolv.conf": "",
        "root/.profile": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(("parallel", "word"), [(True, "YES"), (False, "NO")])
def test_rc_settings(parallel: bool, word: str) -> None:
    expected = f'rc_parallel="{word}"\n#rc_logger="NO"\nrc_sys=""\n'
    assert tree.rc_settings(RC_CONF, parallel=parallel) == expected


@pytest.mark.parametrize(
    ("mirror", "expected"),
    [
        ("", "http://10.0.2.100/v3.23/main\n"),
        (
            "http://192.0.2.1/a/",
            "http://192.0.2.1/a/v3.23/main\nhttp://192.0.2.1/a/v3.23/community\n",
        ),
    ],
)
def test_repositories(mirror: str, expected: str) -> None:
    assert tree.repositories(mirror) == expected


def test_repositories_of_the_lab_can_have_more_parts() -> None:
    first, second = tree.repositories("", "kernels").splitlines()
    assert (first, second) == (
        "http://10.0.2.100/v3.23/main",
        "http://10.0.2.100/v3.23/kernels",
    )


def test_adapt_removes_what_the_wheels_maker_added(root: Path) -> None:
    tree.adapt(root, "1-2", "")
    assert not (root / ".dockerenv").exists()
    assert not list(root.rglob("quicksand*"))
    for name in ("passwd", "group", "shadow"):
        assert "quicksand" not in (root / "etc" / name).read_text()
    assert (root / "etc/group").read_text() == "wheel:x:10:root\naudio:x:18:\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("etc/fstab", "UUID=1-2\t/\text4\trw,relatime 0 1\n"),
        ("etc/rc.conf", 'rc_sys=""'),
        ("etc/inittab", f"\n{tree.SERIAL_GETTY}\n"),
        ("etc/network/interfaces", "address 10.0.2.15/24"),
        ("etc/resolv.conf", "nameserver 10.0.2.3\n"),
    ],
)
def test_adapt_writes_what_setup_would(root: Path, name: str, text: str) -> None:
    tree.adapt(root, "1-2", "")
    assert text in "\n" + (root / name).read_text()


def test_adapt_lets_only_root_read_its_keys(root: Path) -> None:
    tree.adapt(root, "1-2", "")
    assert stat.S_IMODE((root / "root/.ssh").stat().st_mode) == 0o700


def test_set_runlevels_links_installed_services_only(root: Path) -> None:
    tree.set_runlevels(root)
    links = {str(path.relative_to(root)) for path in root.glob("etc/runlevels/*/*")}
    assert links == {"etc/runlevels/boot/bootmisc", "etc/runlevels/shutdown/mount-ro"}
    assert (root / "etc/runlevels/boot/bootmisc").readlink() == Path("/etc/init.d/bootmisc")
