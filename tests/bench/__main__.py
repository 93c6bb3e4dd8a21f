# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments in, the parts one after the other, a report out. See TESTING.md."""

from __future__ import annotations

import argparse
import signal
import sys
import time
import typing as t
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.lab import LabError

from . import batches, downtime, environment, fleet, latency, report, start
from .errors import BenchError
from .results import PartResult

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / ".cache/bench"
GUIDE = ROOT / "docs/docsite/rst/guide_performance.rst"
INTERRUPTED = 130

Say = t.Callable[[str], None]
PARTS: Mapping[str, t.Callable[[bool, Say], PartResult]] = {
    "latency": latency.run,
    "start": start.run,
    "downtime": downtime.run,
    "fleet": fleet.run,
    "batches": batches.run,
}


def options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./test bench --", description="Compare with core.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one of {', '.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="few cases: does it work at all?")
    parser.add_argument(
        "--publish", action="store_true", help=f"write the tables of all parts into {GUIDE.name}"
    )
    chosen = parser.parse_args(arguments)
    unknown = set(chosen.parts) - set(PARTS)
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    if chosen.publish and (chosen.parts or chosen.quick):
        parser.error("only a whole run is published: --publish goes with no PART and no --quick")
    return chosen


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def measure(chosen: argparse.Namespace) -> bool:
    """Run the parts, write the report, and return whether all promises hold."""
    machine = environment.describe()
    names = chosen.parts or list(PARTS)
    parts = [PARTS[name](chosen.quick, say) for name in names]
    tables = report.tables(machine, parts)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    (OUTPUT / "results.json").write_text(report.as_json(machine, parts), encoding="utf-8")
    (OUTPUT / "report.md").write_text(report.as_markdown(tables), encoding="utf-8")
    print(report.as_markdown(tables))
    if chosen.publish:
        guide = report.publish(GUIDE.read_text(encoding="utf-8"), report.as_rst(tables))
        GUIDE.write_text(guide, encoding="utf-8")
    return all(part.holds for part in parts)


def interrupted(_number: int, _frame: object) -> t.NoReturn:
    raise KeyboardInterrupt


def main() -> int:
    chosen = options(sys.argv[1:])
    # Whoever ends a benchmark ends what it started, too.
    signal.signal(signal.SIGTERM, interrupted)
    try:
        return 0 if measure(chosen) else 1
    except (BenchError, LabError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
