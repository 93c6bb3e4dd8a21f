# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every command of a shell program is counted, and a program that is counted does the same."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.tests.shell_coverage import instrument, report
from ansible_collections.alpinefleet.kexec.tests.unit import shell_runner

PROGRAMS = report.programs(report.ROOT)

PROGRAM = """\
#!/bin/sh
# A comment with an apostrophe that's alone.
f() {
    if [ "$1" = a ]; then
        echo "one
            two"
    elif false ||
        true; then
        return 3
    else
        echo never
    fi
    case $1 in
    b | c) echo empty ;;
    'x y' | *)
        case $1 in
        a) echo nested ;;
        esac
        ;;
    esac
    {
        read -r line
    } <"$0"
    echo "$line" | sed '
        s/#/*/
    '
}
f a
f z
echo "status $?"
while [ "${n:-0}" -lt 2 ]; do
    n=$((${n:-0} + 1))
done
(
    exit 4
)
echo "status $?"
"""
COMMANDS = {4, 5, 7, 9, 11, 13, 14, 16, 17, 22, 24, 28, 29, 30, 31, 32, 35, 37}
NEVER_RUN = {11, 14}


def run(text: str, folder: Path) -> str:
    (folder / "program").write_text(PROGRAM)
    argv = [shell_runner.installed("busybox"), "ash", "-c", text, str(folder / "program")]
    return subprocess.check_output(argv, text=True, stderr=subprocess.STDOUT)


def test_commands_are_told_from_what_only_gives_them_a_form() -> None:
    _text, commands = instrument.instrument(PROGRAM)
    assert commands == COMMANDS


def test_program_that_is_measured_does_the_same(tmp_path: Path) -> None:
    measured = instrument.measured(PROGRAM, "program", str(tmp_path / "ran"))
    said = run(PROGRAM, tmp_path)
    assert said.splitlines()[-2:] == ["status 3", "status 4"]
    assert run(measured, tmp_path) == said


def test_lines_that_run_are_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(instrument.measured(PROGRAM, "program", str(tmp_path / "ran")), tmp_path)
    kept = tmp_path / "kept"
    kept.mkdir()
    monkeypatch.setenv(report.VARIABLE, str(kept))
    report.keep(tmp_path / "ran")
    assert report.read(kept) == {"program": COMMANDS - NEVER_RUN}


def test_nothing_is_kept_unless_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(report.VARIABLE, raising=False)
    (tmp_path / "ran").write_text("program 1\n")
    report.keep(tmp_path / "ran")
    assert (tmp_path / "ran").exists()
    assert shell_runner.measured(PROGRAM, "program", tmp_path) == PROGRAM


def test_program_that_ends_at_an_error_ends_at_no_other(tmp_path: Path) -> None:
    program = (
        'set -eu\nf() {\n    [ "$1" = x ] && echo x\n    echo "f: $?"\n}\nf y\nfalse\necho no\n'
    )
    measured = instrument.measured(program, "program", str(tmp_path / "ran"))
    argv = [shell_runner.installed("busybox"), "ash", "-c"]
    runs = [
        subprocess.run([*argv, text], capture_output=True, text=True, check=False)
        for text in (program, measured)
    ]
    assert [(run.returncode, run.stdout) for run in runs] == [(1, "f: 1\n")] * 2


DOCUMENT = """\
#!/usr/bin/env bash
cat <<-'END'
\techo never
\tEND
cat <<<"$1"
f() { echo "f $1"; }
bash -c "$(declare -f g); g"
"""


def test_text_between_the_lines_of_a_program_is_none_of_them() -> None:
    _text, commands = instrument.instrument(DOCUMENT)
    assert commands == {2, 5, 6, 7}


def test_bash_that_a_program_starts_notes_what_it_was_handed(tmp_path: Path) -> None:
    program = DOCUMENT.replace("f() {", "g() {\n    echo of g\n}\nf() {")
    measured = instrument.measured(program, "program", str(tmp_path / "ran"))
    assert measured.startswith("#!/usr/bin/env bash\n")
    said = [
        subprocess.run(
            ["bash", "-c", text, "program", "x"],
            capture_output=True,
            text=True,
            check=True,
        )
        for text in (program, measured)
    ]
    assert said[0].stdout == said[1].stdout == "echo never\nx\nof g\n"
    assert said[1].stderr == ""
    assert "program 7\n" in (tmp_path / "ran").read_text()


def test_line_that_is_no_pattern_is_refused() -> None:
    with pytest.raises(ValueError, match="line 2 is no pattern of a case"):
        instrument.instrument("case $1 in\na |\n")


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program_can_be_measured(name: str) -> None:
    text, commands = instrument.instrument(PROGRAMS[name])
    assert commands
    is_bash = PROGRAMS[name].startswith("#!/usr/bin/env bash")
    shell = ["bash"] if is_bash else [shell_runner.installed("busybox"), "ash"]
    subprocess.run([*shell, "-n"], input=text, text=True, check=True)
    # Nothing but the notes was added.
    assert re.sub(r"_ran \d+ && :; ", "", text).split() == PROGRAMS[name].split()


# --- The floor ------------------------------------------------------------------------------


def test_program_below_the_floor_is_told_with_its_lines() -> None:
    lines, enough = report.table({"program": PROGRAM}, {"program": COMMANDS - {11, 28, 29, 30}})
    assert not enough
    assert lines[1].split()[:4] == ["program", "18", "4", "77.8%"]
    assert lines[1].endswith("11, 28-30")
    assert lines[-1] == "The programs must each reach 95 % of their lines."


def test_one_program_does_not_make_up_for_another() -> None:
    _lines, enough = report.table({"one": PROGRAM, "other": PROGRAM}, {"one": COMMANDS})
    assert not enough


def test_programs_that_reach_the_floor_are_enough() -> None:
    lines, enough = report.table({"program": PROGRAM}, {"program": COMMANDS})
    assert enough
    assert lines[1].split() == ["program", "18", "0", "100.0%"]
