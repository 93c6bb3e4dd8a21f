# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tells which lines of the shell programs no test ran; the status is 1 below the floor."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.shell_coverage.report import ROOT, programs, read, table


def main(folder: Path) -> int:
    lines, enough = table(programs(ROOT), read(folder))
    print("\n".join(lines))
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
