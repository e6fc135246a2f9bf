"""Children end with their stdin, or are ended."""

from __future__ import annotations

import asyncio
import signal
import sys

import pytest

from signaling.net import child


@pytest.mark.parametrize(
    ("program", "code"),
    [("import sys; sys.stdin.read()", 0), ("import time; print(flush=True); time.sleep(600)", -signal.SIGKILL)],
)
async def test_a_child_ends_with_its_stdin_or_is_killed(program: str, code: int) -> None:
    pipe = asyncio.subprocess.PIPE
    held = await asyncio.create_subprocess_exec(sys.executable, "-S", "-c", program, stdin=pipe, stdout=pipe)
    if code:
        assert held.stdout is not None
        await held.stdout.readline()  # it is up, and will not listen
    await child.end(held, 0.2 if code else child.STOP_SECONDS)
    assert await held.wait() == code
