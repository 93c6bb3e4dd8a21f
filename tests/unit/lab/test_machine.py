# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine's life without a machine: ports, greetings, failures that clean up."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab import Lab, cache, cli, machine, qmp, records, snapshot, states
from tests.lab.config import ImageSpec, MachineSpec
from tests.lab.errors import LabError
from tests.lab.progress import Progress
from tests.lab.records import Record

QUIET = Progress(quiet=True)


@pytest.fixture
def no_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `up` pass without QEMU being installed."""
    monkeypatch.setattr(machine, "_need_tools", lambda: None)


def saved(name: str = "web1", phase: records.Phase = "ready") -> Record:
    folder = records.machines_dir() / name
    folder.mkdir(parents=True)
    record = Record(name, str(folder), 2222, 1024, "/r/www", False, phase)
    records.save(record)
    return record


def serve(listener: socket.socket, answer: bytes) -> threading.Thread:
    def talk() -> None:
        connection = listener.accept()[0]
        # The reader may hang up before it has read all.
        with connection, suppress(OSError):
            connection.sendall(answer)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1024):
                pass

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    return thread


def test_free_port_can_be_bound() -> None:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", machine.free_port()))
        assert probe.getsockname()[1] > 1023


@pytest.mark.parametrize(("answer", "expected"), [(b"SSH-2.0-x", True), (b"", False)])
def test_banner_needs_a_greeting(answer: bytes, expected: bool) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        thread = serve(listener, answer)
        assert machine.banner(listener.getsockname()[1]) is expected
        thread.join()


def test_banner_without_a_listener() -> None:
    assert machine.banner(machine.free_port()) is False


def test_up_refuses_a_name_that_is_taken(no_tools: None) -> None:
    saved()
    with pytest.raises(LabError, match="down web1") as caught:
        machine.up(MachineSpec("web1"), QUIET)
    assert caught.value.code == "name-taken"
    assert records.find("web1").name == "web1"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), LabError("a", "b", "c")])
def test_up_that_ends_early_leaves_nothing(
    no_tools: None, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fail(_spec: ImageSpec, _progress: Progress) -> None:
        assert (records.machines_dir() / "web1").is_dir()
        raise error

    monkeypatch.setattr(machine, "ensure_image", fail)
    with pytest.raises(type(error)):
        machine.up(MachineSpec("web1"), QUIET)
    assert list(records.machines_dir().iterdir()) == []


def test_up_without_uefi_firmware_names_its_package(
    no_tools: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "UEFI_CODE", Path("/nowhere/OVMF_CODE_4M.fd"))
    spec = MachineSpec("web1", image=ImageSpec(loader="grub-efi"))
    with pytest.raises(LabError, match="apt-get install ovmf"):
        machine.up(spec, QUIET)


def test_wait_for_login_shows_the_console_of_a_dead_machine() -> None:
    record = saved()
    record.serial_log.write_text("".join(f"line {number}\n" for number in range(30)))
    with pytest.raises(LabError, match="QEMU ended") as caught:
        machine.wait_for_login(record, 5)
    assert "line 29" in caught.value.found
    assert "line 5\n" not in caught.value.found


def test_down_removes_the_directory() -> None:
    record = saved()
    machine.down("web1")
    assert not record.path.exists()


def test_down_does_not_wait_for_a_live_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "LOCK_SECONDS", 0.2)
    record = saved(phase="starting")
    with cache.locked(records.lock_name("web1")), pytest.raises(LabError) as caught:
        machine.down("web1")
    assert caught.value.code == "busy"
    assert record.path.exists()


def test_lab_takes_down_what_it_brought_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "up", lambda spec, _progress, _source: saved(spec.name))
    with Lab(quiet=True) as lab:
        lab.up(MachineSpec("web1"))
        lab.up(MachineSpec("web2"))
        lab.down("web1")
        assert [record.name for record in records.listed()] == ["web2"]
    assert records.listed() == []


def test_qmp_reads_past_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    answers = [{"QMP": {}}, {"return": {}}, {"event": "RESET"}, {"return": {"status": "running"}}]
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind("qmp.sock")
        listener.listen()
        text = "".join(json.dumps(answer) + "\n" for answer in answers)
        thread = serve(listener, text.encode())
        assert qmp.execute(tmp_path, "query-status") == {"status": "running"}
        thread.join()


def test_status_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    record = saved()
    assert cli.main(["status", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(row["name"], row["status"]) for row in told] == [("web1", "stopped")]
    assert told[0]["inventory"] == str(record.inventory)


def test_status_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status"]) == 0
    assert capsys.readouterr().out == "no machines\n"


def test_console_prints_log_or_path(capsys: pytest.CaptureFixture[str]) -> None:
    record = saved()
    record.serial_log.write_text("hello\n")
    assert cli.main(["console", "web1"]) == 0
    assert cli.main(["console", "web1", "--path"]) == 0
    assert cli.main(["console", "web1", "--follow"]) == 0
    assert capsys.readouterr().out == f"hello\n{record.serial_log}\nhello\n"


def test_down_all(capsys: pytest.CaptureFixture[str]) -> None:
    saved("web1")
    saved("web2")
    assert cli.main(["down", "--all"]) == 0
    assert capsys.readouterr().out == "web1: down\nweb2: down\n"


def test_restore_of_a_machine_that_was_booted_names_the_remedy(
    capsys: pytest.CaptureFixture[str],
) -> None:
    saved()
    assert cli.main(["restore", "web1"]) == 1
    assert "[no-state]" in (told := capsys.readouterr().err)
    assert "up web1 --from booted" in told


def test_restore_ends_the_machine_and_goes_on_from_its_snapshot(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record = replace(saved(), overlay=True)
    records.save(record)
    done: list[str] = []
    monkeypatch.setattr(records, "kill", lambda folder: done.append(f"kill {folder.name}"))
    monkeypatch.setattr(snapshot, "rewind", lambda folder: done.append(f"rewind {folder.name}"))

    def resume(found: Record, timeout: float) -> Record:
        done.append(f"resume {found.name} within {timeout:.0f}")
        return found

    monkeypatch.setattr(machine, "_resume", resume)
    assert cli.main(["restore", "web1", "--timeout=9"]) == 0
    assert done == ["kill web1", "rewind web1", "resume web1 within 9"]
    assert capsys.readouterr().out.startswith("web1: up in ")


@pytest.mark.parametrize(("options", "source"), [([], None), (["--from", "booted"], "a state")])
def test_up_takes_a_state_only_when_it_is_told_to(
    monkeypatch: pytest.MonkeyPatch, options: list[str], source: str | None
) -> None:
    taken: list[object] = []

    def up(spec: MachineSpec, _progress: Progress, found: object) -> Record:
        taken.append(found)
        return saved(spec.name)

    monkeypatch.setattr(states, "booted", lambda _spec, _progress: "a state")
    monkeypatch.setattr(machine, "up", up)
    assert cli.main(["up", "web1", *options]) == 0
    assert taken == [source]
