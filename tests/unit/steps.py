# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A step as its action carries it out, without Ansible."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._step import StepError

Values = dict[str, t.Any]


def carried_out(work: t.Callable[[Values], Values], spec: Values, /, **given: t.Any) -> Values:
    """What the task returns."""
    found = ArgumentSpecValidator(spec).validate(given)
    assert found.error_messages == []
    try:
        return work(found.validated_parameters)
    except StepError as error:
        return error.as_result()
