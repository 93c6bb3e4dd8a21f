# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Loading: what kexec is called with, what is left behind, and what a failure says."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import stat
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.lock import run_directory
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image.choose import Wish
from ansible_collections.alpinefleet.kexec.plugins.module_utils._jump import image as image_note
from ansible_collections.alpinefleet.kexec.plugins.module_utils._jump.image import Image, Loaded
from ansible_collections.alpinefleet.kexec.plugins.module_utils._kexec import load as load_module
from ansible_collections.alpinefleet.kexec.plugins.module_utils._preflight import survey
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

RUN = "/run/alpinefleet-kexec"
RECORD = f"{RUN}/image.json"
CMDLINE = "root=/dev/vda1 quiet"
UCODE, INITRAMFS = "/boot/intel-ucode.img", "/boot/initramfs-virt"
IDENTITY = (("/boot/vmlinuz-virt", 1, 2, 3, 4, 5), ("/boot/gone",))
IMAGE = Image("/boot/vmlinuz-virt", (INITRAMFS,), CMDLINE, IDENTITY)
SEVERAL = Image("/boot/vmlinuz-virt", (UCODE, INITRAMFS), CMDLINE, IDENTITY)


@pytest.fixture(autouse=True)
def microcode(alpine: fakes.FakeHost) -> None:
    alpine.write(UCODE, fakes.microcode())


def load(alpine: fakes.FakeHost, image: Image = IMAGE) -> None:
    load_module.load(alpine.host, fakes.KEXEC, image)


def failure(alpine: fakes.FakeHost, image: Image = IMAGE) -> ReasonError:
    with pytest.raises(ReasonError) as caught:
        load(alpine, image)
    return caught.value


def left_behind(alpine: fakes.FakeHost) -> list[str]:
    return [path.name for path in alpine.path(RUN).iterdir()]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# --- The command ---------------------------------------------------------------------------

COMMANDS = [
    pytest.param((INITRAMFS,), [f"--initrd={INITRAMFS}"], id="one initramfs"),
    pytest.param((), [], id="none"),
]


@pytest.mark.parametrize(("initramfs", "option"), COMMANDS)
def test_load_calls_kexec(
    alpine: fakes.FakeHost, initramfs: tuple[str, ...], option: list[str]
) -> None:
    load(alpine, Image("/boot/vmlinuz-virt", initramfs, CMDLINE, ()))
    assert alpine.runner.calls == [
        (fakes.KEXEC, "-a", "-l", "/boot/vmlinuz-virt", *option, f"--command-line={CMDLINE}")
    ]


def test_load_passes_a_command_line_as_one_word(alpine: fakes.FakeHost) -> None:
    cmdline = 'root=/dev/vda1 dyndbg="file a.c +p; $HOME" `reboot`'
    load(alpine, Image("/boot/vmlinuz-virt", (), cmdline, ()))
    assert alpine.runner.calls[0][-1] == f"--command-line={cmdline}"


def test_load_returns_what_the_command_said(alpine: fakes.FakeHost) -> None:
    alpine.runner.on(fakes.KEXEC, "-a", stdout="loaded", effect=lambda: alpine.hold_image(True))
    assert load_module.load(alpine.host, fakes.KEXEC, IMAGE).stdout == "loaded"


# --- Several initramfs files ---------------------------------------------------------------


def joined_by(alpine: fakes.FakeHost, image: Image = SEVERAL) -> tuple[Path, bytes, int]:
    """Load, and look at the joined file while kexec would."""
    seen: list[tuple[Path, bytes, int]] = []

    def look() -> None:
        option = alpine.runner.calls[-1][4]
        path = alpine.path(option.removeprefix("--initrd="))
        seen.append((path, path.read_bytes(), mode(path)))
        alpine.hold_image(True)

    alpine.runner.on(fakes.KEXEC, "-a", effect=look)
    load(alpine, image)
    return seen[0]


def test_join_lays_microcode_first_and_aligns_what_follows(alpine: fakes.FakeHost) -> None:
    _path, content, _mode = joined_by(alpine)
    first = fakes.microcode()
    assert len(first) % 4 != 0
    assert content == first + b"\0" * (-len(first) % 4) + fakes.initramfs()


def test_join_is_for_root_only_and_gone_afterwards(alpine: fakes.FakeHost) -> None:
    path, _content, permissions = joined_by(alpine)
    assert permissions == 0o600
    assert path.parent == alpine.path(RUN)
    assert left_behind(alpine) == ["image.json"]


def test_join_is_gone_after_a_failure_of_kexec(alpine: fakes.FakeHost) -> None:
    alpine.runner.on(fakes.KEXEC, "-a", rc=255)
    failure(alpine, SEVERAL)
    assert left_behind(alpine) == []


def test_join_of_a_file_that_has_vanished_leaves_nothing(alpine: fakes.FakeHost) -> None:
    alpine.remove(INITRAMFS)
    error = failure(alpine, SEVERAL)
    assert error.reason.code == "load_failed"
    assert error.reason.message == (
        f"{INITRAMFS} was there when it was looked at and is now missing."
    )
    assert "upgrade" in error.reason.remedy
    assert (left_behind(alpine), alpine.runner.calls) == ([], [])


def test_join_that_runs_out_of_room_leaves_nothing(
    alpine: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_source: t.IO[bytes], target: t.IO[bytes]) -> None:
        target.write(b"some")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", full)
    error = failure(alpine, SEVERAL)
    assert error.reason.code == "load_failed"
    assert "No space left on device" in error.reason.message
    assert error.reason.remedy.startswith("See that /run has room")
    assert (left_behind(alpine), alpine.runner.calls) == ([], [])


# --- The note ------------------------------------------------------------------------------


def test_load_notes_what_it_loaded(alpine: fakes.FakeHost) -> None:
    load(alpine)
    assert json.loads(alpine.path(RECORD).read_text()) == {
        "kernel": "/boot/vmlinuz-virt",
        "initramfs": [INITRAMFS],
        "cmdline": CMDLINE,
        "identity": [["/boot/vmlinuz-virt", 1, 2, 3, 4, 5], ["/boot/gone"]],
    }
    assert image_note.loaded(alpine.host, present=True).is_image(IMAGE)


def test_note_is_for_root_only(alpine: fakes.FakeHost) -> None:
    load(alpine)
    assert mode(alpine.path(RUN)) == 0o700
    assert mode(alpine.path(RECORD)) == 0o600


def test_note_is_replaced_as_a_whole(alpine: fakes.FakeHost) -> None:
    load(alpine)
    with alpine.path(RECORD).open() as reader:
        load(alpine, SEVERAL)
        assert json.load(reader)["initramfs"] == [INITRAMFS]
    assert image_note.loaded(alpine.host, present=True).is_image(SEVERAL)
    assert left_behind(alpine) == ["image.json"]


def test_note_is_gone_while_kexec_runs(alpine: fakes.FakeHost) -> None:
    load(alpine)
    alpine.runner.on(fakes.KEXEC, "-a", effect=lambda: seen.append(left_behind(alpine)))
    seen: list[list[str]] = []
    load(alpine)
    assert seen == [[]]


def test_note_that_cannot_be_written_is_told(
    alpine: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_source: str, _target: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    assert "No space left on device" in failure(alpine).reason.message
    assert left_behind(alpine) == []


# --- The directory -------------------------------------------------------------------------


def test_directory_that_is_a_link_is_refused(alpine: fakes.FakeHost, tmp_path: Path) -> None:
    alpine.link(RUN, str(tmp_path))
    error = failure(alpine, SEVERAL)
    assert error.reason.code == "load_failed"
    assert RUN in error.reason.message
    assert alpine.runner.calls == []
    assert [path.name for path in tmp_path.iterdir()] == ["root"]


def test_directory_that_is_a_file_is_refused(alpine: fakes.FakeHost) -> None:
    alpine.write(RUN, "")
    assert failure(alpine).reason.code == "load_failed"
    assert alpine.runner.calls == []


@pytest.mark.parametrize("permissions", [0o777, 0o720, 0o1777])
def test_directory_that_others_can_change_is_refused(
    alpine: fakes.FakeHost, permissions: int
) -> None:
    alpine.path(RUN).mkdir()
    alpine.path(RUN).chmod(permissions)
    assert "can be changed by other users" in failure(alpine).reason.message
    assert alpine.runner.calls == []


def test_directory_of_another_user_is_refused(
    alpine: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    found = failure(alpine).reason
    assert "can be changed by other users" in found.message
    assert "a directory of root's own" in found.remedy


def test_directory_that_others_can_read_is_good_enough(alpine: fakes.FakeHost) -> None:
    alpine.path(RUN).mkdir(mode=0o755)
    load(alpine)
    assert mode(alpine.path(RECORD)) == 0o600


def test_second_run_at_the_same_time_is_refused(alpine: fakes.FakeHost) -> None:
    load(alpine)
    before = alpine.path(RECORD).read_bytes()
    descriptor = os.open(alpine.path(RUN), os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    error = failure(alpine, SEVERAL)
    os.close(descriptor)
    assert (error.reason.code, error.reason.blocks) == ("load_in_progress", "reboot")
    assert alpine.path(RECORD).read_bytes() == before
    assert len(alpine.runner.calls) == 1


def test_unload_waits_for_no_other_run_and_takes_its_image_from_nobody(
    alpine: fakes.FakeHost,
) -> None:
    load(alpine)
    calls = len(alpine.runner.calls)
    with run_directory(alpine.host), pytest.raises(ReasonError) as caught:
        load_module.unload(alpine.host, fakes.KEXEC)
    assert caught.value.reason.code == "load_in_progress"
    assert len(alpine.runner.calls) == calls
    assert alpine.path(RECORD).exists()


def test_unload_where_the_note_cannot_be_held_is_a_reason(
    alpine: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(alpine)
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    with pytest.raises(ReasonError) as caught:
        load_module.unload(alpine.host, fakes.KEXEC)
    assert caught.value.reason.code == "unload_failed"


# --- Failure -------------------------------------------------------------------------------


def test_failure_of_kexec_reports_what_it_said(alpine: fakes.FakeHost) -> None:
    alpine.runner.on(
        fakes.KEXEC,
        "-a",
        rc=255,
        stdout="out",
        stderr="kexec_load failed: Cannot allocate memory\n",
    )
    error = failure(alpine)
    assert error.reason.code == "load_failed"
    assert error.reason.message == (
        "kexec could not load the image (exit status 255): it said "
        "'kexec_load failed: Cannot allocate memory'."
    )
    assert error.reason.remedy.startswith("Stop services")
    assert error.details == {
        "rc": 255,
        "stdout": "out",
        "stderr": "kexec_load failed: Cannot allocate memory\n",
    }


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("kexec_load failed: Cannot allocate memory", "Stop services"),
        ("kexec_load failed: Operation not permitted", "kexec_preflight tells what"),
        ("kexec_load failed: Device or resource busy", "find out who"),
        ("Cannot determine the file type of /boot/vmlinuz-virt", "Upgrade kexec-tools"),
        ("kexec_load failed: Address not available", "in the kernel's log (dmesg)"),
        ("", "reboot through firmware"),
    ],
)
def test_failure_of_kexec_has_the_remedy_of_its_cause(
    alpine: fakes.FakeHost, said: str, remedy: str
) -> None:
    alpine.runner.on(fakes.KEXEC, "-a", rc=255, stderr=said)
    assert remedy in failure(alpine).reason.remedy


@pytest.mark.parametrize(
    ("stdout", "said"), [("Cannot open\n", "'Cannot open'"), (" \n", "'nothing'")]
)
def test_failure_of_kexec_without_error_output(
    alpine: fakes.FakeHost, stdout: str, said: str
) -> None:
    alpine.runner.on(fakes.KEXEC, "-a", rc=1, stdout=stdout)
    assert said in failure(alpine).reason.message


def test_success_is_believed_only_if_the_kernel_holds_an_image(alpine: fakes.FakeHost) -> None:
    alpine.runner.on(fakes.KEXEC, "-a", rc=0)
    found = failure(alpine).reason
    assert found.code == "load_failed"
    assert found.message.startswith("kexec reported success, and /sys/kernel/kexec_loaded says")
    assert left_behind(alpine) == []


def test_failure_leaves_no_note_of_what_may_not_be_there(alpine: fakes.FakeHost) -> None:
    load(alpine)
    alpine.runner.on(fakes.KEXEC, "-a", rc=255)
    failure(alpine)
    assert image_note.loaded(alpine.host, present=True) == Loaded(True, None)


# --- Unloading -----------------------------------------------------------------------------


def test_unload_takes_image_and_note_away(alpine: fakes.FakeHost) -> None:
    load(alpine)
    load_module.unload(alpine.host, fakes.KEXEC)
    assert alpine.runner.calls[-1] == (fakes.KEXEC, "-u")
    assert left_behind(alpine) == []


def test_unload_of_a_foreign_image_leaves_no_note(alpine: fakes.FakeHost) -> None:
    alpine.hold_image(True)
    load_module.unload(alpine.host, fakes.KEXEC)
    assert list(alpine.path(RUN).iterdir()) == []


@pytest.mark.parametrize("rc", [255, 0], ids=["refused", "said to be done and was not"])
def test_unload_that_fails_keeps_the_note(alpine: fakes.FakeHost, rc: int) -> None:
    load(alpine)
    alpine.runner.on(fakes.KEXEC, "-u", rc=rc, stderr="kexec_unload: Operation not permitted\n")
    with pytest.raises(ReasonError) as caught:
        load_module.unload(alpine.host, fakes.KEXEC)
    assert caught.value.reason.code == "unload_failed"
    assert caught.value.reason.message == (
        f"kexec could not unload the image (exit status {rc}): it said "
        "'kexec_unload: Operation not permitted'."
    )
    assert "only a boot takes the image away" in caught.value.reason.remedy
    assert caught.value.details["rc"] == rc
    assert left_behind(alpine) == ["image.json"]


# --- The wanted image ----------------------------------------------------------------------


def test_wanted_image_is_what_the_survey_chose(alpine: fakes.FakeHost) -> None:
    found = survey.survey(
        alpine.host, Wish(initramfs=(INITRAMFS, UCODE)), lambda _state: ["once=1"]
    )
    image = load_module.wanted_image(found)
    assert image.initramfs == (UCODE, INITRAMFS)
    assert image.cmdline.endswith(" once=1")
    assert image.identity == found.inspected.identity


@pytest.mark.parametrize("wish", [Wish(flavour="lts"), Wish(append=("a b",))])
def test_wanted_image_of_a_survey_with_obstacles_is_a_mistake(
    alpine: fakes.FakeHost, wish: Wish
) -> None:
    with pytest.raises(ValueError, match="obstacles"):
        load_module.wanted_image(survey.survey(alpine.host, wish))


# --- The lock ------------------------------------------------------------------------------

# A module that is killed while its command runs.
KILLED = """
import os, signal, sys
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args
from ansible_collections.alpinefleet.kexec.plugins.module_utils import _module
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.port import Host
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.lock import run_directory

with patch_module_args({}):
    runner = _module.ModuleRunner(AnsibleModule(argument_spec={}))
host = Host(runner, sys.argv[1], ask_kernel=None, checkpoint=None)
with run_directory(host):
    host.run(["sh", "-c", f"kill -9 {os.getpid()}; read end < $0", sys.argv[2]])
"""


def is_held(alpine: fakes.FakeHost) -> bool:
    try:
        with run_directory(alpine.host):
            return False
    except BlockingIOError:
        return True


def test_lock_is_held_until_the_command_of_a_killed_run_has_ended(
    alpine: fakes.FakeHost, tmp_path: Path
) -> None:
    end = tmp_path / "end"
    os.mkfifo(end)
    completed = subprocess.run(
        [sys.executable, "-c", KILLED, str(alpine.root), str(end)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
        timeout=60,
    )
    assert completed.returncode == -signal.SIGKILL
    # Whoever waits for the end of a pipe has it open, and what opens the other side waits for that.
    with end.open("w"):
        assert failure(alpine).reason.code == "load_in_progress"
    deadline = time.monotonic() + 60
    while is_held(alpine) and time.monotonic() < deadline:
        time.sleep(0.01)
    load(alpine)
