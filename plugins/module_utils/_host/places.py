# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""Where this collection keeps something on a host, and where the system says what it is doing.

docs/notes-on-hosts.md tells who writes and who reads each of these, in which form.
"""

from __future__ import annotations

# A tmpfs: what is noted there dies with the boot, as a loaded image does.
RUN = "/run/alpinefleet-kexec"
# What kexec_load loaded.
IMAGE = f"{RUN}/image.json"
# The service kexec-load notes there what it loaded before it locked kexec.
FROZEN = f"{RUN}/frozen"
# Whoever shuts the host down by kexec_reboot's order holds its lock.
LEAVING = f"{RUN}/leaving"
# How far that order came.
STAGE = f"{RUN}/stage"
# A wish for kexec, and what is loaded for it.
INTENT = f"{RUN}/intent"
ARMED = f"{RUN}/armed"
# A wish for firmware, which comes first.
NO_KEXEC = f"{RUN}/no-kexec"
# What the notes of a jump were mounted from.
HOLDERS = f"{RUN}/holders"
# A boot that waits to be confirmed, that is, or that was not in time.
CONFIRM_PID = f"{RUN}/confirm.pid"
CONFIRMED = f"{RUN}/confirmed"
EXPIRED = f"{RUN}/expired"

# What outlives a boot.
MEMORY = "/var/lib/alpinefleet-kexec"
# Whoever jumps writes it just before. It is removed once the new system has proven itself.
JUMP = f"{MEMORY}/jump"
# Why the last reboot was not what was wanted, for the log of the next boot.
LAST_REBOOT = f"{MEMORY}/last-reboot"

# OpenRC has it while it stops services for another runlevel, such as that of a poweroff.
STOPPING = "/run/openrc/rc.stopping"
