"""Janus (Debian's package ``janus``) as a forwarder to be measured beside ours."""

from __future__ import annotations

import shutil


def program() -> str | None:
    return shutil.which("janus")
