# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Failures carry all that a result needs, and every code has its test."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.port import Outcome
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import VOCABULARY
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot import failure
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.failure import RebootError
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.observation import (
    Method,
    Observation,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.ports import NoAnswerError

TESTS = Path(__file__).resolve().parents[2]
SOURCES = Path(failure.__file__).resolve().parents[2]
CODES_HERE = [*failure.FAILURES, *failure.NOTES]


def texts(folder: Path, *, without: str) -> str:
    paths = [*folder.glob("plugin_utils/**/*.py"), *folder.glob("action/*.py")]
    return "".join(path.read_text() for path in paths if path.name != without)


def test_another_leaver_is_reported_as_the_preflight_does() -> None:
    error = failure.already_leaving()
    assert error.reason.code == "already_leaving"
    assert (error.reason.code in VOCABULARY, error.stage, error.rebooted) == (
        True,
        "shutdown",
        None,
    )
    assert error.reason.blocks == VOCABULARY[error.reason.code]


def test_error_carries_its_reason_and_details() -> None:
    error = failure.RebootError(
        "did_not_return", "It is gone.", "Look.", stage="down", rebooted=None, last_error="x"
    )
    assert str(error) == "It is gone. Look."
    assert error.reason.as_dict() == {
        "code": "did_not_return",
        "message": "It is gone.",
        "remedy": "Look.",
        "blocks": "reboot",
    }
    assert (error.stage, error.rebooted, error.details) == ("down", None, {"last_error": "x"})


def test_local_connection_says_that_nothing_happened() -> None:
    error = failure.local_connection(rebooted=False)
    assert error.reason.code == "local_connection"
    assert (error.stage, error.rebooted) == ("preflight", False)


CAME_UP = Observation("b00t", "6.18", "quiet", "208", "", "", 2.5)
SAID = Outcome(3, "out", "err")
OUTPUT = {"rc": 3, "stdout": "out", "stderr": "err"}
FOUND = {"method": "kexec", "observation": CAME_UP}
HEARD = {"last_error": "x"}


@pytest.mark.parametrize(
    ("error", "stage", "rebooted", "details"),
    [
        pytest.param(failure.local_connection(rebooted=False), "preflight", False, {}, id="local"),
        pytest.param(failure.trigger_failed(SAID), "trigger", False, OUTPUT, id="not accepted"),
        pytest.param(
            failure.trigger_lost(acknowledged=True), "trigger", False, {}, id="never began"
        ),
        pytest.param(
            failure.trigger_lost(acknowledged=False), "trigger", False, {}, id="under way or lost"
        ),
        pytest.param(failure.already_leaving(), "shutdown", None, {}, id="another leaver"),
        pytest.param(failure.did_not_go_down(9, "x"), "shutdown", None, HEARD, id="stays"),
        pytest.param(failure.did_not_return(9, "x", gone=True), "down", None, HEARD, id="gone"),
        pytest.param(
            failure.refused(NoAnswerError("host_key", "x")), "down", None, HEARD, id="host key"
        ),
        pytest.param(
            failure.refused(NoAnswerError("authentication", "x")),
            "down",
            None,
            HEARD,
            id="refused",
        ),
        pytest.param(
            failure.wrong_method("firmware", "kexec", CAME_UP), "verify", True, FOUND, id="method"
        ),
        pytest.param(
            failure.wrong_kernel("6.12", "kexec", CAME_UP), "verify", True, FOUND, id="kernel"
        ),
        pytest.param(
            failure.test_failed("id", SAID, "kexec", CAME_UP),
            "test_command",
            True,
            {**OUTPUT, **FOUND},
            id="test command",
        ),
        pytest.param(
            failure.test_failed("id", None, "kexec", CAME_UP),
            "test_command",
            True,
            FOUND,
            id="no answer to the test command",
        ),
    ],
)
def test_failure_says_how_far_it_came_and_what_was_found(
    error: RebootError, stage: str, rebooted: bool | None, details: dict[str, t.Any]
) -> None:
    assert (error.stage, error.rebooted, error.details) == (stage, rebooted, details)
    assert error.reason.message.endswith(".")
    assert error.reason.remedy.endswith(".")


@pytest.mark.parametrize(
    ("found", "said"),
    [
        pytest.param("firmware", "came up through firmware", id="the other way"),
        pytest.param(None, "came up through kexec into another image", id="another image"),
    ],
)
def test_wrong_method_says_how_the_host_came_up(found: Method | None, said: str) -> None:
    error = failure.wrong_method("kexec", found, CAME_UP)
    assert said in str(error)
    assert error.details["method"] == found


@pytest.mark.parametrize("code", CODES_HERE)
def test_code_is_no_code_of_the_modules(code: str) -> None:
    assert code not in VOCABULARY


@pytest.mark.parametrize("code", CODES_HERE)
def test_code_is_used(code: str) -> None:
    assert f'"{code}"' in texts(SOURCES, without="failure.py") + local_source()


@pytest.mark.parametrize("code", CODES_HERE)
def test_code_is_raised_by_some_test(code: str) -> None:
    assert f'"{code}"' in texts(TESTS, without=Path(__file__).name)


@pytest.mark.parametrize("text", [*failure.FAILURES.values(), *failure.NOTES.values()])
def test_summary_is_a_sentence(text: str) -> None:
    assert text[0].isupper()
    assert text.endswith(".")


def local_source() -> str:
    """What the module says after its tables."""
    return Path(failure.__file__).read_text().rpartition("class RebootError")[2]
