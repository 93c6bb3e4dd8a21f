# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Artifacts: built once, complete or absent, keyed by their inputs."""

from __future__ import annotations

import os
import stat
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab import cache, config, image
from tests.lab.config import ImageSpec
from tests.lab.errors import LabError


def build_file(folder: Path) -> None:
    (folder / "content").write_text("x")


def refuse(_folder: Path) -> None:
    pytest.fail("a cached artifact was built again")


def test_artifact_is_built_once(lab_cache: Path) -> None:
    assert cache.artifact("image-1", build_file) == (lab_cache / "image-1", False)
    assert cache.artifact("image-1", refuse) == (lab_cache / "image-1", True)
    assert (lab_cache / "image-1" / "content").read_text() == "x"


@pytest.mark.parametrize(("public", "mode"), [(True, 0o755), (False, 0o700)])
def test_artifact_is_closed_while_it_is_built(public: bool, mode: int) -> None:
    def build(folder: Path) -> None:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    folder = cache.artifact("base-1", build, public=public)[0]
    assert stat.S_IMODE(folder.stat().st_mode) == mode


def test_artifact_leaves_nothing_when_its_build_fails(lab_cache: Path) -> None:
    def fail(folder: Path) -> None:
        build_file(folder)
        raise LabError("x", "y", "z")

    with pytest.raises(LabError):
        cache.artifact("image-1", fail)
    assert [path.name for path in lab_cache.iterdir()] == ["locks"]


def test_artifact_removes_what_a_killed_build_left(lab_cache: Path) -> None:
    for name in ("image-1.partial", "image-2.partial"):
        (lab_cache / name).mkdir(parents=True)
    cache.artifact("image-1", build_file)
    assert sorted(path.name for path in lab_cache.iterdir()) == ["image-1", "locks"]


def test_clean_partials_spares_a_live_build(lab_cache: Path) -> None:
    (lab_cache / "image-2.partial").mkdir(parents=True)
    with cache.locked("image-2"):
        cache.clean_partials()
        assert (lab_cache / "image-2.partial").is_dir()
    cache.clean_partials()
    assert not (lab_cache / "image-2.partial").exists()


def test_tried_tells_whether_the_lock_is_free() -> None:
    with cache.tried("one") as first, cache.tried("one") as second, cache.tried("two") as other:
        assert (first, second, other) == (True, False, True)
    with cache.tried("one") as again:
        assert again


def test_prune_keeps_the_artifacts_used_last(lab_cache: Path) -> None:
    for age, name in enumerate(["image-a", "image-b", "image-c", "base-a"]):
        cache.artifact(name, build_file)
        os.utime(lab_cache / name, (1000 - age, 1000 - age))
    cache.prune("image", 1)
    assert {path.name for path in lab_cache.iterdir()} == {"image-a", "base-a", "locks"}


def test_prune_spares_an_image_in_use(lab_cache: Path) -> None:
    cache.artifact("image-a", build_file)
    with cache.locked("image-a", shared=True):
        cache.prune("image", 0)
    assert (lab_cache / "image-a").is_dir()


def test_need_space_names_needed_and_free() -> None:
    with pytest.raises(LabError, match=r"1000000000000 MB are needed .* MB are free") as caught:
        cache.need_space(10**18)
    assert caught.value.code == "disk-space"
    cache.need_space(0)


@pytest.mark.parametrize(
    "other",
    [
        {"packages": ("python3",)},
        {"packages": ()},
        {"mirror": "http://192.0.2.1/alpine"},
        {"loader": "grub"},
        {"alpine": "3.23.5"},
    ],
    ids=str,
)
def test_image_key_changes_with_each_input(other: dict[str, t.Any]) -> None:
    spec = ImageSpec()
    changed = replace(spec, **other)
    assert image.image_key(changed) != image.image_key(spec)


def test_image_key_ignores_the_order_of_packages() -> None:
    one, two = ImageSpec(("a", "b")), ImageSpec(("b", "a"))
    assert image.image_key(one) == image.image_key(two)


@pytest.mark.parametrize("alpine", config.ALPINES)
def test_image_key_changes_with_the_pins(monkeypatch: pytest.MonkeyPatch, alpine: str) -> None:
    before = image.image_key(ImageSpec(alpine=alpine))
    pinned = config.ALPINES[config.NEWEST]
    others = [
        ("DEBIAN_PACKAGES", "other"),
        # Its packages are in every image.
        ("ALPINES", {**config.ALPINES, config.NEWEST: replace(pinned, sha256="other")}),
    ]
    for name, value in others:
        with monkeypatch.context() as patch:
            patch.setattr(config, name, value)
            assert image.image_key(ImageSpec(alpine=alpine)) != before


def test_digest_changes_with_the_sources() -> None:
    keys = {cache.digest({}, names) for names in [(), ("image.py",), ("image.py", "tree.py")]}
    assert len(keys) == 3


def test_every_source_of_the_key_exists() -> None:
    folder = Path(cache.__file__).parent
    assert [name for name in image.SOURCES if not (folder / name).is_file()] == []


def test_prune_keeps_what_was_made_last_whatever_age_its_content_has(lab_cache: Path) -> None:
    first = cache.artifact("thing-a", lambda _folder: None)[0]
    second = cache.artifact("thing-b", lambda folder: os.utime(folder, (0, 0)))[0]
    cache.prune("thing", 1)
    assert (first.exists(), second.exists()) == (False, True)
