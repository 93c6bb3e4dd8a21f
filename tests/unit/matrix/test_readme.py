# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The README's "Tested with", and what else names versions, is what ./test matrix runs."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import yaml

from tests.matrix.environment import ROOT
from tests.matrix.table import Table, load, number

TABLE = load()


def said_by(readme: str) -> dict[str, list[str]]:
    """Return what the README says was tested, by the first words of its rows."""
    table = readme.partition("| | Supported | Tested with |\n")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return {row[0]: row[-1].split(", ") for row in rows[1:]}


def told(table: Table) -> dict[str, list[str]]:
    """Return what the README is to say."""
    preferred = {core.pythons[0] for core in table.cores}
    return {
        "ansible-core": [core.version for core in table.cores],
        "Python on the controller": sorted(preferred, key=number),
        "Python on the host": list(table.host_pythons),
    }


def differences(readme: str, table: Table) -> list[str]:
    said = said_by(readme)
    return [
        f"{name}: the README says {said.get(name)}, and {versions} is tested"
        for name, versions in told(table).items()
        if said.get(name) != versions
    ]


def test_readme_says_what_is_tested() -> None:
    assert differences((ROOT / "README.md").read_text(), TABLE) == []


@pytest.mark.parametrize("name", ["ansible-core", "Python on the controller", "Python on the host"])
def test_readme_that_says_more_is_seen(name: str) -> None:
    readme = (ROOT / "README.md").read_text()
    more = re.sub(rf"^(\| {name} \|.*) \|$", r"\1, 9.9 |", readme, flags=re.MULTILINE)
    assert [text.partition(":")[0] for text in differences(more, TABLE)] == [name]


def test_readme_that_says_less_is_seen() -> None:
    more = replace(TABLE, host_pythons=(*TABLE.host_pythons, "3.99"))
    assert len(differences((ROOT / "README.md").read_text(), more)) == 1


def test_first_core_is_that_of_every_other_test() -> None:
    pin = f"ansible-core=={TABLE.cores[0].release}\n"
    for name in ("requirements-test.txt", "tests/setup/constraints.txt"):
        assert pin in (ROOT / name).read_text()


def test_oldest_is_what_the_collection_asks_for() -> None:
    runtime = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())
    assert runtime["requires_ansible"] == f">={TABLE.cores[0].version}.0"
    modules = yaml.safe_load((ROOT / "tests/config.yml").read_text())["modules"]
    assert modules["python_requires"] == f">={TABLE.host_pythons[0]}"


def test_table_is_in_order_and_names_releases_of_its_versions() -> None:
    cores = [number(core.version) for core in TABLE.cores]
    hosts = [number(version) for version in TABLE.host_pythons]
    assert (cores, hosts) == (sorted(cores), sorted(hosts))
    assert all(core.release.startswith(f"{core.version}.") for core in TABLE.cores)
