# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the user reads when something is wrong: no traceback, a code, a remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab import cli, commands, image, machine, qmp
from tests.lab.config import ImageSpec, MachineSpec
from tests.lab.errors import LabError
from tests.lab.progress import Progress

QUIET = Progress(quiet=True)


def test_error_shows_code_fact_and_remedy() -> None:
    assert str(LabError("a", "b", "c")) == "[a] b\n  remedy: c"


@pytest.mark.parametrize(
    ("tool", "package"),
    [("qemu-system-x86_64", "qemu-system-x86"), ("/usr/sbin/debugfs", "e2fsprogs"), ("x", "x")],
)
def test_missing_tool_names_the_package(tool: str, package: str) -> None:
    error = commands.missing_tool(tool)
    assert (error.code, error.remedy) == ("tool-missing", f"apt-get install {package}")


def test_run_of_a_missing_program() -> None:
    with pytest.raises(LabError, match="no-such-program is not installed"):
        commands.run(["no-such-program"])


def test_run_keeps_the_message_of_a_failure() -> None:
    with pytest.raises(LabError, match="ended with 3:\nwhy") as caught:
        commands.run(["sh", "-c", "echo why >&2; exit 3"], code="x", remedy="y")
    assert (caught.value.code, caught.value.remedy) == ("x", "y")


def test_run_ends_in_time() -> None:
    with pytest.raises(LabError, match="did not end in 0 s"):
        commands.run(["sleep", "9"], timeout=0.1)


def test_run_speaks_the_c_locale() -> None:
    assert commands.run(["sh", "-c", "echo $LC_ALL $X"], env={"X": "1"}) == "C 1\n"


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (MachineSpec("Web_1"), "name-invalid"),
        (MachineSpec("-a"), "name-invalid"),
        (MachineSpec("../a"), "name-invalid"),
        (MachineSpec("a" * 33), "name-invalid"),
        (MachineSpec("a", memory=64), "memory-low"),
        (MachineSpec("a", append='x="y"'), "append-invalid"),
        (MachineSpec("a", append="$(x)"), "append-invalid"),
    ],
)
def test_up_refuses_a_bad_request_first(spec: MachineSpec, code: str) -> None:
    with pytest.raises(LabError) as caught:
        machine.up(spec, QUIET)
    assert caught.value.code == code


def test_up_without_qemu_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "SEARCH_PATH", "/nowhere")
    with pytest.raises(LabError, match="apt-get install qemu-system-x86"):
        machine.up(MachineSpec("web1"), QUIET)


def test_a_plain_user_without_sudo_is_told_how(
    lab_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(LabError, match=str(lab_cache)) as caught:
        image.ensure_image(ImageSpec(), QUIET)
    assert caught.value.code == "not-root"


def test_qmp_without_a_machine(tmp_path: Path) -> None:
    with pytest.raises(LabError) as caught:
        qmp.execute(tmp_path, "quit")
    assert caught.value.code == "qmp"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["down", "web9"], "lab: [no-machine]"),
        (["down"], "lab: [usage]"),
        (["down", "web9", "--all"], "lab: [usage]"),
        (["inventory", "web9"], "lab: [no-machine]"),
        (["power-cycle", "web9"], "lab: [no-machine]"),
        (["up", "UP"], "lab: [name-invalid]"),
    ],
    ids=" ".join,
)
def test_main_prints_errors_without_a_traceback(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 1
    told = capsys.readouterr()
    assert told.err.startswith(message)
    assert told.out == ""


def test_main_on_interrupt(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_spec: MachineSpec, _progress: Progress, _source: None) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(machine, "up", interrupt)
    assert cli.main(["up", "web1"]) == 130
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "packages"),
    [
        ([], ("python3", "kexec-tools")),
        (["--bare"], ()),
        (["--packages", "python3"], ("python3",)),
        (["--packages", ""], ()),
    ],
    ids=["default", "bare", "one package", "no package"],
)
def test_image_spec_from_the_command_line(arguments: list[str], packages: tuple[str, ...]) -> None:
    options = cli.parser().parse_args(["build", *arguments])
    assert cli.image_spec(options) == ImageSpec(packages)
