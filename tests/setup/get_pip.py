# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stand-in for the get-pip.py that ansible-test downloads from a host of its own.

With it, ansible-test needs package registries only. It works in subprocesses: this process
carries a pip configuration that ensurepip does not bear.
"""

from __future__ import annotations

import subprocess
import sys

pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
wanted = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
subprocess.check_call([sys.executable, "-m", "ensurepip"], stdout=subprocess.DEVNULL)
subprocess.check_call([*pip, *wanted])
