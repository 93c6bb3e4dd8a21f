# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which cores go with which Pythons that were found, and when that is no matrix."""

from __future__ import annotations

import pytest

from tests.matrix import plan
from tests.matrix.pythons import Python
from tests.matrix.table import Core, Table, number, parse

TABLE = Table(
    (
        Core("2.19", "2.19.14", ("3.11", "3.12")),
        Core("2.20", "2.20.10", ("3.12", "3.13")),
        Core("2.21", "2.21.5", ("3.13",)),
    ),
    ("3.9", "3.10"),
)


def found(*versions: str) -> dict[str, Python]:
    return {each: Python(f"{each}.1", f"/usr/bin/python{each}") for each in versions}


def rows(*versions: str) -> dict[str, plan.Row]:
    return {row.name: row for row in plan.plan(TABLE, found(*versions))}


def pythons(planned: dict[str, plan.Row]) -> dict[str, str | None]:
    return {name: row.python.version if row.python else None for name, row in planned.items()}


@pytest.mark.parametrize(
    ("versions", "cores"),
    [
        pytest.param(["3.11", "3.12", "3.13"], ["3.11", "3.12", "3.13"], id="the preferred ones"),
        pytest.param(["3.13", "3.12", "3.11"], ["3.11", "3.12", "3.13"], id="in any order"),
        pytest.param(["3.12"], ["3.12", "3.12", None], id="the next ones"),
        pytest.param(["3.11"], ["3.11", None, None], id="the first only"),
        pytest.param(["3.9", "3.14"], [None, None, None], id="none"),
    ],
)
def test_core_gets_the_first_of_its_pythons(versions: list[str], cores: list[str | None]) -> None:
    chosen = pythons(rows(*versions))
    assert [chosen[f"core-{core.version}"] for core in TABLE.cores] == cores


@pytest.mark.parametrize(
    ("versions", "hosts"),
    [
        pytest.param(["3.9", "3.10"], {"3.9": "3.9", "3.10": "3.10"}, id="those of the table"),
        pytest.param(["3.10"], {"3.9": None, "3.10": "3.10"}, id="one is missing"),
        pytest.param(
            ["3.14", "3.8", "3.9"],
            {"3.9": "3.9", "3.10": None, "3.14": "3.14"},
            id="later ones, and no older one",
        ),
    ],
)
def test_modules_run_with_every_python_from_the_oldest_on(
    versions: list[str], hosts: dict[str, str | None]
) -> None:
    chosen = pythons(rows(*versions))
    # In the order of versions, not of letters.
    assert [
        (name.removeprefix("host-"), python)
        for name, python in chosen.items()
        if name.startswith("host-")
    ] == list(hosts.items())


@pytest.mark.parametrize(
    ("versions", "row", "note"),
    [
        pytest.param(["3.11"], "core-2.19", "", id="as told"),
        pytest.param(["3.12"], "core-2.19", "the README has Python 3.11", id="another"),
        pytest.param(["3.9", "3.14"], "host-3.14", "the README has no word of it", id="more"),
        pytest.param(
            [],
            "core-2.19",
            "not found: this machine has no Python 3.11 or 3.12 that makes environments",
            id="none of two",
        ),
        pytest.param(
            [],
            "core-2.21",
            "not found: this machine has no Python 3.13 that makes environments",
            id="not the one",
        ),
    ],
)
def test_row_says_in_what_it_is_not_what_the_readme_says(
    versions: list[str], row: str, note: str
) -> None:
    assert rows(*versions)[row].note == note


@pytest.mark.parametrize(
    ("versions", "complaint"),
    [
        pytest.param(["3.11", "3.13"], None, id="two cores"),
        pytest.param(["3.13"], None, id="not the first"),
        pytest.param(
            ["3.9", "3.10", "3.11"],
            "only ansible-core 2.19 can be tested here: install a Python for one of 2.20, 2.21",
            id="the first only",
        ),
        pytest.param(
            ["3.9", "3.10"],
            "no ansible-core can be tested here: install a Python for one of 2.20, 2.21",
            id="none",
        ),
    ],
)
def test_first_core_alone_is_no_matrix(versions: list[str], complaint: str | None) -> None:
    assert plan.complaint(list(rows(*versions).values())) == complaint


def test_rows_are_chosen_by_name() -> None:
    every = list(rows("3.9").values())
    assert [row.name for row in plan.chosen(every, ["host-3.9", "core-2.20"])] == [
        "core-2.20",
        "host-3.9",
    ]
    assert plan.chosen(every, []) == every
    with pytest.raises(LookupError, match=r"there is no core-2\.1; there are core-2\.19, "):
        plan.chosen(every, ["core-2.1"])


def test_table_is_read() -> None:
    text = """
    [[cores]]
    version = "2.19"
    release = "2.19.1"
    pythons = ["3.11", "3.12"]
    [hosts]
    pythons = ["3.9"]
    """
    assert parse(text) == Table((Core("2.19", "2.19.1", ("3.11", "3.12")),), ("3.9",))


def test_numbers_are_compared_as_numbers() -> None:
    assert sorted(["3.10", "3.9", "3.10.2"], key=number) == ["3.9", "3.10", "3.10.2"]
