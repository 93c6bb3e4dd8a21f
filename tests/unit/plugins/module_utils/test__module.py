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
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.port import Completed, Host
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image.boot_set import Wish
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError, reason

PARAMS: dict[str, t.Any] = {
    "kernel": None,
    "initramfs": None,
    "flavour": None,
    "cmdline_source": "auto",
    "cmdline": None,
    "cmdline_append": [],
    "cmdline_remove": [],
    "panic_timeout": 0,
    "denied_platforms": [],
    "ignore_reasons": [],
}


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
    assert runner.run(argv) == Completed(3, "out\n", "err\n")


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


# --- The wish ------------------------------------------------------------------------------


def test_wish_of_no_option() -> None:
    assert _module.wish_of(PARAMS) == Wish()


def test_wish_of_every_option() -> None:
    params = {
        "kernel": "/k",
        "initramfs": ["/a", "/b"],
        "flavour": "virt",
        "cmdline_source": "explicit",
        "cmdline": "root=/dev/vda1",
        "cmdline_append": ["a"],
        "cmdline_remove": ["b"],
        "panic_timeout": 10,
        "denied_platforms": ["QEMU Standard PC"],
        "ignore_reasons": ["memory_low"],
        "token": "abc",
        "watchdog_timeout": 60,
        "confirm_timeout": 300,
        "controller_boot_id": "d7a0c3f2",
    }
    assert _module.wish_of(params) == Wish(
        kernel="/k",
        initramfs=("/a", "/b"),
        flavour="virt",
        cmdline_source="explicit",
        cmdline="root=/dev/vda1",
        append=("a",),
        remove=("b",),
        ignore=("memory_low",),
        token="abc",
        controller_boot_id="d7a0c3f2",
        panic_timeout=10,
        denied_platforms=("QEMU Standard PC",),
        watchdog_timeout=60,
        confirm_timeout=300,
    )


@pytest.mark.parametrize("name", ["watchdog_timeout", "confirm_timeout"])
@pytest.mark.parametrize("seconds", [0, 65535])
def test_wish_takes_the_times_of_a_guard(name: str, seconds: int) -> None:
    assert getattr(_module.wish_of({**PARAMS, name: seconds}), name) == seconds


@pytest.mark.parametrize("seconds", [0, 1, 2147483647])
def test_wish_takes_a_panic_timeout(seconds: int) -> None:
    assert _module.wish_of({**PARAMS, "panic_timeout": seconds}).panic_timeout == seconds


def test_wish_tells_no_initramfs_from_no_word_about_it() -> None:
    assert _module.wish_of({**PARAMS, "initramfs": []}).initramfs == ()
    assert _module.wish_of(PARAMS).initramfs is None


@pytest.mark.parametrize("token", ["a", "A-b_c.9", "x" * 64])
def test_wish_takes_a_token(token: str) -> None:
    assert _module.wish_of({**PARAMS, "token": token}).token == token


WRONG: list[t.Any] = [
    *(
        pytest.param({"token": token}, f"The token {token!r}", "at most 64", id=f"token {name}")
        for name, token in {
            "empty": "",
            "too long": "x" * 65,
            "two words": "a b",
            "line feed": "a\n",
            "quote": 'a"b',
            "not ASCII": "\u00e4",
        }.items()
    ),
    pytest.param(
        {"cmdline": "root=/dev/vda1"},
        "The option cmdline is set and cmdline_source is auto.",
        "Set cmdline_source to explicit",
        id="command line without effect",
    ),
    pytest.param(
        {"cmdline": "", "cmdline_source": "running"},
        "The option cmdline is set and cmdline_source is running.",
        "Set cmdline_source to explicit",
        id="empty command line without effect",
    ),
    *(
        pytest.param(
            {"cmdline": cmdline, "cmdline_source": "explicit"},
            "the option cmdline is empty",
            "Write the whole command line into cmdline",
            id=f"explicit command line {name}",
        )
        for name, cmdline in {"null": None, "empty": "", "blank": " \n"}.items()
    ),
    *(
        pytest.param(
            {"panic_timeout": seconds},
            f"The option panic_timeout is {seconds} and must be between 0 and 2147483647.",
            "It is a number of seconds; 0 switches it off.",
            id=f"panic timeout {name}",
        )
        for name, seconds in {"negative": -1, "too large": 2**31}.items()
    ),
    *(
        pytest.param(
            {name: seconds},
            f"The option {name} is {seconds} and must be between 0 and 65535.",
            "It is a number of seconds; 0 switches it off.",
            id=f"{name} {seconds}",
        )
        for name in ("watchdog_timeout", "confirm_timeout")
        for seconds in (-1, 65536)
    ),
]


@pytest.mark.parametrize(("params", "message", "remedy"), WRONG)
def test_wish_refuses(params: dict[str, t.Any], message: str, remedy: str) -> None:
    with pytest.raises(ReasonError) as caught:
        _module.wish_of({**PARAMS, **params})
    found = caught.value.reason
    assert (found.code, found.blocks) == ("cmdline_invalid", "reboot")
    assert message in found.message
    assert remedy in found.remedy


# --- The error boundary --------------------------------------------------------------------

FOUND = reason("kexec_locked", "It is locked.", "Unlock it.")


def outcome_of(
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
    rc, result = outcome_of(module, lambda _host: {"changed": True, "loaded": True}, capsys)
    assert rc == 0
    assert (result["changed"], result["loaded"]) == (True, True)


def test_run_works_on_the_real_host(
    module: AnsibleModule, capsys: pytest.CaptureFixture[str]
) -> None:
    _rc, result = outcome_of(module, lambda host: {"machine": host.machine}, capsys)
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
    _rc, result = outcome_of(module, lambda _host: {"changed": True, "diff": diff}, capsys)
    assert ("diff" in result, "PASSWD" in str(result)) == (asked, asked)
    _rc, result = outcome_of(module, failing(diff=diff), capsys)
    assert ("diff" in result, "PASSWD" in str(result)) == (asked, asked)


@pytest.mark.parametrize("odd", ["\udcff", "\x1b[2J"])
def test_whatever_a_host_says_can_be_sent_and_shown(
    module: AnsibleModule, capsys: pytest.CaptureFixture[str], odd: str
) -> None:
    rc, result = outcome_of(module, lambda _host: {"facts": {odd: [f"a{odd}"]}}, capsys)
    assert (rc, str(result).isprintable(), odd in str(result)) == (0, True, False)
    rc, result = outcome_of(module, failing(stdout=odd), capsys)
    assert (rc, result["msg"], result["stdout"].isprintable()) == (
        1,
        "It is locked. Unlock it.",
        True,
    )


def test_run_fails_with_message_and_remedy(
    module: AnsibleModule, capsys: pytest.CaptureFixture[str]
) -> None:
    rc, result = outcome_of(module, failing(), capsys)
    assert rc == 1
    assert result["failed"] is True
    assert result["msg"] == "It is locked. Unlock it."
    assert (result["stage"], result["reasons"]) == ("preflight", [FOUND.as_dict()])


def test_run_fails_with_the_details_of_the_failure(
    module: AnsibleModule, capsys: pytest.CaptureFixture[str]
) -> None:
    _rc, result = outcome_of(module, failing(stage="load", reasons=[], rc=255), capsys)
    assert (result["stage"], result["reasons"], result["rc"]) == ("load", [], 255)


def test_run_hides_no_bug(module: AnsibleModule) -> None:
    with pytest.raises(ZeroDivisionError):
        _module.run(module, lambda _host: {"a": 1 // 0})
