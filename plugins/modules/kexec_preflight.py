#!/usr/bin/python

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.alpinefleet.kexec.plugins.module_utils import _module
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image import choose
from ansible_collections.alpinefleet.kexec.plugins.module_utils._preflight import survey


def main() -> None:
    module = AnsibleModule(
        argument_spec=choose.PREFLIGHT_ARGUMENTS,
        mutually_exclusive=choose.MUTUALLY_EXCLUSIVE,
        required_if=choose.REQUIRED_IF,
        supports_check_mode=True,
    )
    _module.run(
        module,
        lambda host: {
            "changed": False,
            **survey.result(survey.survey(host, choose.wish_of(module.params))),
        },
    )


if __name__ == "__main__":
    main()
