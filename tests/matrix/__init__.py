# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tests with every ansible-core and Python that the README says they ran with.

table.toml says what that is. pythons.py finds what the machine has, plan.py decides what goes
together, environment.py makes what a row of the plan runs in, outcome.py reads what came of it,
and summary.py tells it.
"""
