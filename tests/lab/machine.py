# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine's life: made from an image, started, waited for, reset, taken down."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from . import cache, config, identity, panics, qmp, records, snapshot
from .commands import environment, missing_tool, run
from .config import MachineSpec
from .emulator import PROGRAM, ensure_emulator
from .errors import LabError
from .image import Image, ensure_image
from .inventory import render, ssh_argv
from .loaders import LOADERS
from .packages import repository
from .progress import Progress
from .qemu import (
    DISK,
    QEMU_LOG,
    UEFI_CODE,
    UEFI_VARIABLES,
    VARIABLES,
    WRITE_LOG,
    Hardware,
    argv,
    kvm_works,
)
from .records import Record
from .snapshot import Snapshot

PORT_ATTEMPTS = 5
QUIT_SECONDS = 5.0
LOCK_SECONDS = 5.0
LOG_LINES = 15
POLL_SECONDS = 0.2

# Machines outlive what starts them, which Python would take for a mistake once nobody holds them.
_STARTED: list[subprocess.Popen[bytes]] = []


def free_port() -> int:
    """Return a port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def up(spec: MachineSpec, progress: Progress, source: Snapshot | None = None) -> Record:
    """Boot a machine, or go on from a snapshot, and return it once a real login worked."""
    spec.check()
    _need_tools()
    _need_firmware(spec)
    records.clean()
    with cache.locked(records.lock_name(spec.name)):
        folder = _claim(spec.name)
        try:
            if source is None:
                image = ensure_image(spec.image, progress)
                record = _install(spec, image, folder, repository(progress), progress)
                return _boot(record, spec.timeout, progress)
            return _resume(_thaw(spec, source, folder), spec.timeout)
        except BaseException:
            # An interrupt too must leave neither a process nor a directory behind.
            records.remove(folder)
            raise


def _need_tools() -> None:
    for name in (PROGRAM, "busybox", "debugfs", "ssh", "ssh-keygen"):
        if not shutil.which(name, path=environment()["PATH"]):
            raise missing_tool(name)


def _need_firmware(spec: MachineSpec) -> None:
    for path in (UEFI_CODE, UEFI_VARIABLES) if LOADERS[spec.image.loader].uefi else ():
        if not path.exists():
            raise missing_tool(str(path))


def _claim(name: str) -> Path:
    folder = records.machines_dir() / name
    if folder.exists():
        raise LabError(
            "name-taken",
            f"a machine {name!r} exists already",
            f"take it down first: python -m tests.lab down {name}",
        )
    cache.need_space(config.MACHINE_SPACE)
    folder.mkdir(parents=True, mode=0o700)
    return folder


def _install(
    spec: MachineSpec, image: Image, folder: Path, repo: Path, progress: Progress
) -> Record:
    """Make a machine of an image, with a name and keys of its own."""
    loader = LOADERS[spec.image.loader]
    record = Record(
        name=spec.name,
        folder=str(folder),
        port=0,
        memory=spec.memory,
        repository=str(repo / "www"),
        watchdog=spec.watchdog,
        panic_store=spec.panic_store,
        phase="starting",
        uefi=loader.uefi,
        emulator=ensure_emulator(progress).command,
        write_log=spec.write_log,
    )
    records.save(record)
    if loader.uefi:
        shutil.copyfile(UEFI_VARIABLES, folder / VARIABLES)
    with cache.locked(image.folder.name, shared=True):
        run(["cp", "--sparse=always", "--reflink=auto", image.disk, folder / DISK])
    identity.make_keys(folder, spec.name)
    identity.write_files(identity.guest_files(spec, image, folder), folder, loader.layout)
    return record


def _thaw(spec: MachineSpec, source: Snapshot, folder: Path) -> Record:
    """Make a machine of a snapshot; keys are the snapshot's."""
    record = Record(
        name=spec.name,
        folder=str(folder),
        port=0,
        memory=source.memory,
        repository=source.repository,
        watchdog=source.watchdog,
        panic_store=source.panic_store,
        phase="starting",
        uefi=source.uefi,
        emulator=list(source.emulator),
        overlay=True,
        write_log=spec.write_log,
    )
    records.save(record)
    snapshot.lay_out(source, folder, spec.name)
    return record


def _boot(record: Record, timeout: float, progress: Progress) -> Record:
    start = time.monotonic()
    record = _start(record)
    with progress.step(f"{record.name}: booting through firmware"):
        wait_for_login(record, timeout)
    return _ready(record, start)


def _resume(record: Record, timeout: float) -> Record:
    """Go on where the snapshot was taken, under the machine's own name."""
    start = time.monotonic()
    record = _start(record, resume=True)
    snapshot.go_on(record.path)
    wait_for_login(record, timeout, lambda: _at_home(record))
    return _ready(record, start)


def _at_home(record: Record) -> str:
    """Return the shell commands for a machine that has just gone on."""
    does = identity.renamed(record.name, time.time())
    return f"{does} && {panics.found_again()}" if record.panic_store else does


def _ready(record: Record, start: float) -> Record:
    record = replace(record, phase="ready", seconds=round(time.monotonic() - start, 1))
    record.inventory.write_text(render([record]), encoding="utf-8")
    records.save(record)
    return record


def _start(record: Record, *, resume: bool = False) -> Record:
    kvm = kvm_works()
    log = record.path / WRITE_LOG
    append = record.write_log and not resume and log.exists()
    if record.write_log and not append:
        # QEMU opens it, and does not make it; what is left of another one would follow its end.
        log.write_bytes(b"")
    for attempt in range(PORT_ATTEMPTS):
        # A machine that is started again keeps its port if it is still free.
        port = record.port if record.port and not attempt else free_port()
        record = replace(record, port=port)
        records.save(record)
        hardware = Hardware(
            name=record.name,
            folder=record.path,
            port=record.port,
            memory=record.memory,
            repository=Path(record.repository),
            emulator=record.emulator,
            watchdog=record.watchdog,
            panic_store=record.panic_store,
            uefi=record.uefi,
            kvm=kvm,
            overlay=record.overlay,
            write_log=record.write_log,
            append_log=append,
            resume=resume,
        )
        message = _spawn(record.path, argv(hardware))
        if not message:
            return record
        if "host forwarding" not in message:
            break
    raise LabError("qemu", f"QEMU did not start: {message}", "see QEMU's own message above")


def _spawn(folder: Path, command: list[str]) -> str:
    """Start QEMU in a session of its own; return its message if it ended at once."""
    log, pid_file = folder / QEMU_LOG, folder / records.PID_FILE
    # Whoever finds none looks for the process itself.
    pid_file.unlink(missing_ok=True)
    with log.open("wb") as output:
        try:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        except OSError as error:
            return f"{error}; the cache may have another one by now: bring the machine up anew"
    _STARTED.append(process)
    pid_file.write_text(f"{process.pid}\n", encoding="ascii")
    if not records.wait_until(lambda: _answers(folder) or process.poll() is not None, 30):
        return "its control socket does not answer"
    return "" if process.poll() is None else log.read_text(errors="replace").strip() or "no message"


def _answers(folder: Path) -> bool:
    try:
        qmp.execute(folder, "query-status")
    except LabError:
        return False
    return True


def banner(port: int) -> bool:
    """Tell whether an sshd greets on this port; QEMU itself accepts any connection."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=3) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def try_login(record: Record, does: str = "true") -> str:
    """Log in, do something and log out again; return why that failed, or nothing."""
    command = ssh_argv(record, "-o", "BatchMode=yes", "-o", "ConnectTimeout=20")
    try:
        run([*command, does], timeout=60)
    except LabError as error:
        return error.found
    return ""


def wait_for_login(
    record: Record, timeout: float, does: Callable[[], str] = lambda: "true"
) -> None:
    """Return when a login works and did something; raise with the console's last lines if none does in time."""
    end = time.monotonic() + timeout
    reason = "sshd did not answer"
    while time.monotonic() < end:
        if records.read_pid(record.path) is None:
            raise _not_up(record, "QEMU ended")
        if banner(record.port):
            reason = try_login(record, does())
            if not reason:
                return
        time.sleep(POLL_SECONDS)
    raise _not_up(record, f"no login in {timeout:.0f} s ({reason})")


def last_lines(record: Record) -> str:
    """Return the end of the console's log, as part of a message."""
    text = record.serial_log.read_text(errors="replace") if record.serial_log.exists() else ""
    return "\n".join(f"    {line}" for line in text.splitlines()[-LOG_LINES:])


def _not_up(record: Record, reason: str) -> LabError:
    return LabError(
        "not-up",
        f"machine {record.name!r} did not come up: {reason}; its console ends with\n"
        f"{last_lines(record)}",
        "a busy host is slow under emulation: raise --timeout; else read the console above",
    )


def power_on(name: str, timeout: float, progress: Progress) -> Record:
    """Start a machine that was powered off, from the same disk."""
    record = records.find(name)
    with _idle(name):
        if records.read_pid(record.path):
            raise LabError("running", f"machine {name!r} runs", "use power-cycle to reset it")
        return _boot(record, timeout, progress)


def restore(name: str, timeout: float) -> Record:
    """Have a machine go on where its snapshot was taken, whatever became of it since."""
    record = records.find(name)
    if not record.overlay:
        raise LabError(
            "no-state",
            f"machine {name!r} was booted, and not taken from a state",
            f"take it from one: python -m tests.lab up {name} --from booted",
        )
    with _idle(name):
        records.kill(record.path)
        snapshot.rewind(record.path)
        return _resume(record, timeout)


def down(name: str) -> None:
    """Take the machine down and remove all that belongs to it."""
    folder = records.find(name).path
    with _idle(name):
        if records.read_pid(folder):
            # A QEMU that hangs does not answer: remove() kills it.
            with suppress(LabError):
                qmp.execute(folder, "quit")
            records.wait_until(lambda: records.read_pid(folder) is None, QUIT_SECONDS)
        records.remove(folder)
    _forget_ended()


def _forget_ended() -> None:
    """Take note of the ends of those that this process started, so that none stays a zombie."""
    _STARTED[:] = [process for process in _STARTED if process.poll() is None]


@contextmanager
def _idle(name: str) -> Iterator[None]:
    """Hold the machine's lock, or say who has it instead of waiting without end."""
    end = time.monotonic() + LOCK_SECONDS
    while time.monotonic() < end:
        with cache.tried(records.lock_name(name)) as free:
            if free:
                yield
                return
        time.sleep(0.1)
    raise LabError(
        "busy",
        f"another process is bringing machine {name!r} up or down",
        "wait for it, or interrupt it: an interrupted `up` takes its machine down",
    )


def boot_disk(spec: MachineSpec, disk: Path, like: Record, progress: Progress) -> Record:
    """Boot a machine from a disk that another one has written; the disk is moved into it."""
    spec.check()
    with cache.locked(records.lock_name(spec.name)):
        folder = _claim(spec.name)
        try:
            record = replace(
                like,
                name=spec.name,
                folder=str(folder),
                port=0,
                phase="starting",
                overlay=False,
                write_log=False,
            )
            records.save(record)
            shutil.move(disk, folder / DISK)
            identity.take_keys(like.path, folder, spec.name)
            if like.uefi:
                shutil.copyfile(like.path / VARIABLES, folder / VARIABLES)
            return _boot(record, spec.timeout, progress)
        except BaseException:
            records.remove(folder)
            raise


def pull_plug(name: str) -> None:
    """End the machine at once; what it has sent to its disk is there, and its memory is gone."""
    with _idle(name):
        records.kill(records.find(name).path)


def power_cycle(name: str) -> None:
    """Reset the machine as its reset button does: nothing is shut down or synced."""
    qmp.execute(records.find(name).path, "system_reset")


def power_button(name: str) -> None:
    """Press the ACPI power button."""
    qmp.execute(records.find(name).path, "system_powerdown")
