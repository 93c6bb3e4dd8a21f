# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._step import outcome
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._variables import roles, speakers


class ActionModule(ActionBase):
    """The variables of a role, before its host is asked anything."""

    _supports_check_mode = True
    _supports_async = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        variables = task_vars or {}

        def freeze(given: dict[str, t.Any]) -> dict[str, t.Any]:
            speakers.refuse_a_speaker(variables)
            return {"wanted": roles.freeze(given["role"], given["wanted"], variables)}

        return outcome(self, roles.FREEZE_ARGUMENTS, freeze)
