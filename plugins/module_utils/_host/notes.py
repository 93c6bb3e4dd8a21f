# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""Where notes on a host are. All are in docs/notes-on-hosts.md."""

from __future__ import annotations

# A tmpfs: what is noted there dies with the boot, as a loaded image does.
RUN = "/run/alpinefleet-kexec"
# What kexec_load loaded.
IMAGE = f"{RUN}/image.json"
# What the service kexec-load loaded before it locked kexec.
FROZEN = f"{RUN}/frozen"
# The run whose trial is well, for its guard.
VERIFIED = f"{RUN}/verified"
CHECKED = f"{RUN}/checks"
# Whoever shuts the host down by kexec_reboot's order holds its lock.
LEAVING = f"{RUN}/leaving"

# What outlives a boot.
MEMORY = "/var/lib/alpinefleet-kexec"
# Written just before the jump, and removed once the new system has proven itself.
JUMP = f"{MEMORY}/jump"
# What the host was like before it was made able.
ORIGIN = f"{MEMORY}/origin"
# A run of the role fast_reboot that is not over.
UNFINISHED = f"{MEMORY}/run"
# The trial of a kernel, and the builds that were refused.
TRIAL = f"{MEMORY}/trial.json"
# Why the guard of a trial left it.
TRIAL_END = f"{MEMORY}/trial-end"
# What kernels had said when they panicked, before the last trials.
RECORDS = f"{MEMORY}/pstore"
# What the services tell in the next boot.
LAST_REBOOT = f"{MEMORY}/last-reboot"

# OpenRC has it while it stops services for another runlevel, such as that of a poweroff.
STOPPING = "/run/openrc/rc.stopping"
