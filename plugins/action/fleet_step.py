# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible import context
from ansible.plugins.action import ActionBase
from ansible.utils.vars import load_extra_vars
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fleet import patterns
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fleet.task import (
    FLEET_ARGUMENTS,
    Asked,
    FleetTask,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._step import outcome
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._variables import turns


class ActionModule(ActionBase):
    """One step of a playbook for all of its hosts; none of them is asked anything."""

    _supports_check_mode = True
    _supports_async = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        return outcome(self, FLEET_ARGUMENTS, FleetTask(task_vars or {}, self._asked()).step)

    def _asked(self) -> Asked:
        """As Ansible itself reads "hosts" and "serial" of a play."""
        play = self._task.get_play()
        return Asked(
            variables={**play.get_vars(), **load_extra_vars(self._loader)},
            limited=patterns.limit_hosts(context.CLIARGS.get("subset")),
            # In another order the hosts of a batch are no slice of those of the play.
            turns=turns.of(self._task),
            play=getattr(play, "_uuid", "") if play.order in (None, "inventory") else "",
        )
