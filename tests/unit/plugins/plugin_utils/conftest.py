# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible's modules, where tasks are made of a file: on the controller only, and not on hosts."""

from __future__ import annotations

import typing as t

import pytest
from ansible.plugins.loader import init_plugin_loader
from ansible.utils.collection_loader._collection_config import AnsibleCollectionConfig


@pytest.fixture
def plugins_found() -> t.Iterator[None]:
    """As in a run of Ansible, which finds by it what tasks name; without it the tests import as anybody does."""
    init_plugin_loader()
    finder = AnsibleCollectionConfig.collection_finder
    try:
        yield
    finally:
        finder._remove()
