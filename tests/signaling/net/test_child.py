"""Children end with their stdin, or are ended."""

from __future__ import annotations

import asyncio
import signal
import sys

import pytest

from signaling.net import child
from tests.support.processes import ROOT


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


WORK = """
import asyncio
from signaling.net.child import while_wanted

async def work():
    try:
        print("at work", flush=True)
        await asyncio.sleep({seconds})
        return "done"
    finally:
        print("closing", flush=True)

print(asyncio.run(while_wanted(work())), flush=True)
"""


@pytest.mark.parametrize(("seconds", "result"), [(600, b"None"), (0, b"done")])
async def test_its_work_ends_with_its_stdin_too(seconds: int, result: bytes) -> None:
    pipe, program = asyncio.subprocess.PIPE, WORK.format(seconds=seconds)
    held = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdin=pipe, stdout=pipe, cwd=ROOT)
    assert held.stdout is not None
    assert await held.stdout.readline() == b"at work\n"
    if not seconds:
        assert await held.stdout.readline() == b"closing\n"
    await child.end(held)
    assert (await held.stdout.read()).split()[-1] == result


async def test_it_ends_with_its_work_while_its_parent_goes_on() -> None:
    pipe, program = asyncio.subprocess.PIPE, WORK.format(seconds=0)
    held = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdin=pipe, stdout=pipe, cwd=ROOT)
    try:
        assert await asyncio.wait_for(held.wait(), 30) == 0
    finally:
        await child.end(held)
