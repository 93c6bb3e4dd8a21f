#!/usr/bin/python

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.alpinefleet.kexec.plugins.module_utils import _module
from ansible_collections.alpinefleet.kexec.plugins.module_utils._trial import ensure
from ansible_collections.alpinefleet.kexec.plugins.module_utils._write import checkpoint


def main() -> None:
    module = AnsibleModule(
        argument_spec=ensure.TRIAL_ARGUMENTS,
        required_if=ensure.TRIAL_REQUIRED_IF,
        supports_check_mode=True,
    )
    _module.run(
        module,
        lambda host: ensure.ensure(
            host,
            ensure.wish_of(module.params),
            check_mode=module.check_mode,
            now=time.time,
            sleep=time.sleep,
        ),
        checkpoint=checkpoint.checkpoint,
    )


if __name__ == "__main__":
    main()
