# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""Where modules keep or read notes on a host. All of ours are in docs/notes-on-hosts.md."""

from __future__ import annotations

# A tmpfs: what is noted there dies with the boot, as a loaded image does.
RUN = "/run/alpinefleet-kexec"
# What kexec_load loaded.
IMAGE = f"{RUN}/image.json"
# The service kexec-load notes there what it loaded before it locked kexec.
FROZEN = f"{RUN}/frozen"
# Whoever shuts the host down by kexec_reboot's order holds its lock.
LEAVING = f"{RUN}/leaving"

# What outlives a boot.
MEMORY = "/var/lib/alpinefleet-kexec"
# Whoever jumps writes it just before. It is removed once the new system has proven itself.
JUMP = f"{MEMORY}/jump"
# What the host was like before it was made able.
ORIGIN = f"{MEMORY}/origin"

# OpenRC has it while it stops services for another runlevel, such as that of a poweroff.
STOPPING = "/run/openrc/rc.stopping"
