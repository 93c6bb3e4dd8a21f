# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The adapter to AnsibleModule: options become a wish, words stay words, failures have reasons."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args
from ansible_collections.alpinefleet.kexec.plugins.module_utils import _module
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.port import Host, Outcome
from ansible_collections.alpinefleet.kexec.plugins.module_utils._module import printable
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError, reason
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture
def module() -> t.Iterator[AnsibleModule]:
    with patch_module_args({}):
        yield AnsibleModule(argument_spec={})


@pytest.fixture
def runner(module: AnsibleModule) -> _module.ModuleRunner:
    return _module.ModuleRunner(module)


# --- Commands ------------------------------------------------------------------------------


def test_find_looks_where_root_would(
    runner: _module.ModuleRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = tmp_path / "kexec"
    command.touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert runner.find("kexec") == str(command)
    assert runner.find("a-command-that-nobody-has") is None


def test_run_returns_all_that_was_said(runner: _module.ModuleRunner) -> None:
    argv = ["/bin/sh", "-c", "echo out; echo err >&2; exit 3"]
    assert runner.run(argv) == Outcome(3, "out\n", "err\n")


@pytest.mark.parametrize("word", ["$HOME", "${PATH}", "~", "~root", "a b", "$(id)", "*", "'\""])
def test_run_leaves_words_as_they_are(runner: _module.ModuleRunner, word: str) -> None:
    assert runner.run(["/bin/echo", word]).stdout == f"{word}\n"


def test_run_speaks_no_language_but_c(
    runner: _module.ModuleRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGUAGE", "de")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    said = runner.run(["/bin/sh", "-c", 'echo "$LANGUAGE $LC_ALL"']).stdout
    assert said == "C C\n"


def test_run_of_what_cannot_be_executed_is_a_failed_command(
    runner: _module.ModuleRunner, tmp_path: Path
) -> None:
    command = tmp_path / "kexec"
    command.write_bytes(b"\x7fELF")
    command.chmod(0o755)
    completed = runner.run([str(command), "--version"])
    assert (completed.rc, completed.stdout) == (126, "")
    assert "Exec format error" in completed.stderr


def test_run_of_words_that_no_command_can_have_is_a_failed_command(
    runner: _module.ModuleRunner,
) -> None:
    completed = runner.run(["/bin/echo", "a\0b"])
    assert (completed.rc, completed.stdout) == (126, "")
    assert "null byte" in completed.stderr


# --- The error boundary --------------------------------------------------------------------

FOUND = reason("kexec_locked", "It is locked.", "Unlock it.")


def result_of(
    module: AnsibleModule,
    work: t.Callable[[Host], dict[str, t.Any]],
    capsys: pytest.CaptureFixture[str],
) -> tuple[int, dict[str, t.Any]]:
    with pytest.raises(SystemExit) as caught:
        _module.run(module, work)
    result = json.loads(capsys.readouterr().out)
    return t.cast(int, caught.value.code), result


def test_run_leaves_with_the_result(
    module: AnsibleModule, capsys: pytest.CaptureFixture[str]
) -> None:
    rc, result = result_of(module, lambda _host: {"changed": True, "loaded": True}, capsys)
    assert rc == 0
    assert (result["changed"], result["loaded"]) == (True, True)


def test_run_works_on_the_real_host(
    module: AnsibleModule, capsys: pytest.CaptureFixture[str]
) -> None:
    _rc, result = result_of(module, lambda host: {"machine": host.machine}, capsys)
    assert result["machine"] == os.uname().machine


def failing(**details: t.Any) -> t.Callable[[Host], dict[str, t.Any]]:
    def work(_host: Host) -> dict[str, t.Any]:
        raise ReasonError(FOUND, **details)

    return work


@pytest.mark.parametrize("asked", [True, False])
def test_files_are_shown_to_whom_asks_for_them(
    module: AnsibleModule, capsys: pytest.CaptureFixture[str], asked: bool
) -> None:
    module._diff = asked
    diff = {"before": "MENU MASTER PASSWD $4$x", "after": ""}
    _rc, result = result_of(module, lambda _host: {"changed": True, "diff": diff}, capsys)
    assert ("diff" in result, "PASSWD" in str(result)) == (asked, asked)
    _rc, result = result_of(module, failing(diff=diff), capsys)
    assert ("diff" in result, "PASSWD" in str(result)) == (asked, asked)


@pytest.mark.parametrize("odd", ["\udcff", "\x1b[2J"])
def test_whatever_a_host_says_can_be_sent_and_shown(
    module: AnsibleModule, capsys: pytest.CaptureFixture[str], odd: str
) -> None:
    rc, result = result_of(module, lambda _host: {"facts": {odd: [f"a{odd}"]}}, capsys)
    assert (rc, str(result).isprintable(), odd in str(result)) == (0, True, False)
    rc, result = result_of(module, failing(stdout=odd), capsys)
    assert (rc, result["msg"], result["stdout"].isprintable()) == (
        1,
        "It is locked. Unlock it.",
        True,
    )


def test_run_fails_with_message_and_remedy(
    module: AnsibleModule, capsys: pytest.CaptureFixture[str]
) -> None:
    rc, result = result_of(module, failing(), capsys)
    assert rc == 1
    assert result["failed"] is True
    assert result["msg"] == "It is locked. Unlock it."
    assert (result["stage"], result["reasons"]) == ("preflight", [FOUND.as_dict()])


def test_run_fails_with_the_details_of_the_failure(
    module: AnsibleModule, capsys: pytest.CaptureFixture[str]
) -> None:
    _rc, result = result_of(module, failing(stage="load", reasons=[], rc=255), capsys)
    assert (result["stage"], result["reasons"], result["rc"]) == ("load", [], 255)


def test_run_hides_no_bug(module: AnsibleModule) -> None:
    with pytest.raises(ZeroDivisionError):
        _module.run(module, lambda _host: {"a": 1 // 0})


# --- What leaves the host -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("vmlinuz-virt", "vmlinuz-virt", id="plain"),
        pytest.param(
            "Größe\u00a0\U0001f427 \n\t\r\n", "Größe\u00a0\U0001f427 \n\t\r\n", id="letters"
        ),
        pytest.param("a\udcffb", "a\\xffb", id="a byte that is no letter"),
        pytest.param("a\ud800", "a\\ud800", id="half a letter"),
        pytest.param("\x1b]0;title\x07", "\\x1b]0;title\\x07", id="an order to a terminal"),
        pytest.param("\x9b2J\x7f\x00", "\\x9b2J\\x7f\\x00", id="controls"),
        pytest.param("kernel\u202egmi", "kernel\\u202egmi", id="another direction"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_printable_reaches_everything() -> None:
    value = {"a\x1b": [("b\x1b", 1, None), {"c": "\x1b"}], "d": True, "e": 1.5}
    assert printable(value) == {
        "a\\x1b": [["b\\x1b", 1, None], {"c": "\\x1b"}],
        "d": True,
        "e": 1.5,
    }


@given(st.text(st.characters()))
def test_any_text_can_be_sent(text: str) -> None:
    shown = printable(text)
    assert json.loads(json.dumps(shown, ensure_ascii=False).encode()) == shown
    assert printable(shown) == shown
