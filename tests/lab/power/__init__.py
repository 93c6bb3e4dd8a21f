# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is on a disk when the power fails, after each write of a log of writes.

runs = walk(log, disk_at_start, root_of(layout), Menu("extlinux", "/boot/extlinux.conf"), known)
print(report(runs, seed))
for count in prefixes(runs, seed):
    write_out(disk_at_start, entries(stream), count, disk_to_boot)
"""
