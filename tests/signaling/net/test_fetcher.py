"""The fetcher tries for ever, whatever a broken stream does to it."""

from __future__ import annotations

import json

import pytest

from signaling.net import fetcher
from signaling.net.fetcher import GONE, Fetcher
from signaling.sources import SourceError


class Quick:
    def after(self, held: float) -> float:
        return 0.0


async def test_no_error_ends_it_but_the_lessons_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    errors: list[Exception] = [ValueError("frame of another shape"), SourceError("stuck"), SourceError("over")]

    async def once(self: Fetcher) -> None:
        raise errors.pop(0)

    monkeypatch.setattr(Fetcher, "once", once)
    monkeypatch.setattr(fetcher, "Patience", Quick)
    assert await Fetcher({}).forever() == GONE
    assert [json.loads(line)["why"] for line in capsys.readouterr().out.splitlines()] == ["stream", "stuck"]
