"""Addresses and secrets of channels stand sealed in the database, and a new site key takes them along."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select, text

from server.audit.models import AuditEntry
from server.config import WebSettings
from server.outbox import posting, service
from server.outbox.models import Channel
from server.outbox.vault import SealedError, Vault
from server.scope import SYSTEM
from server.security import private_pem
from tests.server.outbox.test_outbox import City, channel, city, move, post, sent, there, web_settings
from tests.support.strangers import Stranger
from tests.support.web import Web

__all__ = ["city", "there", "web_settings"]


def key(path: Path) -> Path:
    path.write_bytes(private_pem(Ed25519PrivateKey.generate()))
    return path


def test_only_our_key_opens_and_the_same_words_never_look_the_same(tmp_path: Path) -> None:
    ours, other = Vault.at(key(tmp_path / "a.pem")), Vault.at(key(tmp_path / "b.pem"))
    first, second = ours.seal("https://a.example/钥匙"), ours.seal("https://a.example/钥匙")
    assert first != second and "example" not in first and ours.open(first) == ours.open(second)
    assert ours.seal("") == ours.open("") == ""
    for wrong in (other.seal("x"), "f1.nonsense", "https://plain.example"):
        with pytest.raises(SealedError):
            ours.open(wrong)
    assert len(ours.seal("汉" * 160)) <= 1000 and len(ours.seal("s" * 200)) <= 400, "they fit their columns"


@pytest.mark.slow
async def test_no_table_holds_them_in_clear(web: Web, city: City, there: Stranger) -> None:
    made = await channel(city, "webhook", there.url)
    async with web.database.reading() as session:
        row = (await session.execute(text("SELECT endpoint, secret FROM channels"))).one()
        told = [str(one.told) for one in await session.scalars(select(AuditEntry))]
    assert all(one.startswith("f1.") for one in row)
    assert not any(secret in words for secret in (made["secret"], "geheim", *row) for words in told)
    assert made["channel"]["host"] == "127.0.0.1"


@pytest.mark.slow
async def test_a_new_site_key_says_so_until_they_are_sealed_anew(
    web: Web, city: City, there: Stranger, tmp_path: Path, web_settings: WebSettings
) -> None:
    made = await channel(city, "webhook", there.url)
    new = web_settings.model_copy(update={"seat_key": key(tmp_path / "new.pem")})
    await move(city)
    assert await posting.round_(web.database, new, web.clock, city.door) == 1
    assert [(one.state, one.problem) for one in await sent(web)] == [("waiting", "sealed")] and there.heard == []
    async with web.transaction() as session:
        row = await session.get_one(Channel, made["channel"]["id"])
        assert service.host_of(row, Vault.of(new)) == ""
        old = Vault.of(web_settings)
        assert await service.reseal(session, SYSTEM, old, Vault.of(new)) == 1
        assert await service.reseal(session, SYSTEM, old, Vault.of(new)) == 0, "what the old key does not open stays"
        assert Vault.of(new).open(row.secret) == made["secret"]
        assert await service.reseal(session, SYSTEM, Vault.of(new), old) == 1
    (waiting,) = await sent(web)
    web.clock.moment = waiting.due_at
    assert await post(web, city) == 1 and len(there.heard) == 1
