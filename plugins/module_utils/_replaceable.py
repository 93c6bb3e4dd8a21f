# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""What stood in the way of a file that was to be replaced, and what helps."""

from __future__ import annotations

import errno

from ._reasons import ReasonError, reason

_REMEDIES = {
    errno.EROFS: "Mount the file system writable.",
    errno.ENOSPC: "Free space on the file system.",
    errno.EDQUOT: "Free space on the file system.",
    errno.EACCES: "Run the task as root.",
    errno.EPERM: "Run the task as root, and see that the file is not immutable.",
    errno.EAGAIN: "Wait until the other run of this collection has ended.",
}


def refusal(path: str, error: OSError) -> ReasonError:
    return unwritable(path, error.strerror or str(error), error.errno or errno.EIO)


def unwritable(path: str, why: str, number: int) -> ReasonError:
    return ReasonError(
        reason(
            "boot_config_unwritable",
            f"{path} cannot be written: {why}.",
            _REMEDIES.get(number, "See the host's log and check the file system."),
        ),
        stage="write",
    )
