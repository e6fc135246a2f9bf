"""What the spool keeps in memory of lessons that are over: nothing. (Durability is tested in ``test_spool.py``.)"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from signaling.net import mediaspool
from signaling.net.mediaspool import MediaSpool
from tests.support.stores import Moody, fragment, manifest_of, numbers


@pytest.fixture
async def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MediaSpool]:
    monkeypatch.setattr(mediaspool, "MANIFEST_SECONDS", 0.02)
    store = Moody(tmp_path / "store")
    made = MediaSpool(tmp_path / "spool", store)
    await made.start()
    yield made
    await made.stop()
    await store.close()


async def put(spool: MediaSpool, number: int, epoch: int = 1) -> None:
    key, data, entry = fragment(number, epoch=epoch)
    await spool.put(key, data, entry=entry)
    assert await spool.drain(20)


async def close(spool: MediaSpool, epoch: int, closed: bool = True) -> None:
    _, _, entry = fragment(0, epoch=epoch)
    about = {name: entry[name] for name in ("lesson", "epoch", "opened_at_ms")}
    await spool.put(f"lessons/less/e{epoch}/closed", b"", entry={**about, "closed": closed})
    assert await spool.drain(20)


async def test_the_manifest_of_a_lesson_that_is_over_leaves_the_memory(spool: MediaSpool) -> None:
    for epoch in range(1, 4):
        await put(spool, 1, epoch)
        assert len(spool._listings) == 1
        await close(spool, epoch)
        assert len(spool._listings) == 0


async def test_what_comes_later_is_added_to_what_is_stored(spool: MediaSpool) -> None:
    await put(spool, 1)
    await close(spool, 1)
    await put(spool, 2)
    stored = await manifest_of(spool._store)  # type: ignore[arg-type]
    assert numbers(stored) == [1, 2] and stored["closed"]
    await close(spool, 1, closed=False)
    await put(spool, 3)
    stored = await manifest_of(spool._store)  # type: ignore[arg-type]
    assert numbers(stored) == [1, 2, 3] and not stored["closed"]


async def test_a_lesson_that_never_closes_is_let_go_when_it_is_quiet(
    spool: MediaSpool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(spool, 1)
    await put(spool, 1, epoch=2)
    assert len(spool._listings) == 2
    monkeypatch.setattr(mediaspool, "QUIET_SECONDS", 0.0)
    await put(spool, 2, epoch=2)
    assert len(spool._listings) <= 1
    await put(spool, 2)
    assert numbers(await manifest_of(spool._store)) == [1, 2]  # type: ignore[arg-type]
