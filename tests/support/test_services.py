"""The servers that tests stand on do start here, and a test gets an empty one."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.services import S3, Postgres, Turn

pytestmark = pytest.mark.real


def test_postgres_gives_each_test_an_empty_database(postgres_server: Postgres, postgres_url: str) -> None:
    name = postgres_url.rpartition("/")[2]
    postgres_server.execute("create table t (a int)", name)
    with pytest.raises(Exception, match="does not exist"):
        postgres_server.execute("select * from t", "postgres")


def test_redis_starts_empty(redis_url: str) -> None:
    import redis

    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("a", "1")
        assert client.get("a") == b"1"


def test_s3_holds_an_object(s3_server: S3) -> None:
    import io

    import minio

    s3_server.make_bucket("t-own")
    client = minio.Minio(
        f"127.0.0.1:{s3_server.port}", s3_server.key, s3_server.secret, secure=False, region="us-east-1"
    )
    client.put_object("t-own", "a/b", io.BytesIO(b"abc"), 3)
    response = client.get_object("t-own", "a/b")
    assert response.read() == b"abc"
    response.close()
    response.release_conn()


def test_turn_relays_for_who_has_credentials(turn_server: Turn) -> None:
    from aioice import turn

    class Silent(asyncio.DatagramProtocol):
        pass

    async def allocate(password: str) -> None:
        username, _ = turn_server.credentials()
        transport, _ = await turn.create_turn_endpoint(
            Silent, server_addr=("127.0.0.1", turn_server.port), username=username, password=password, lifetime=60
        )
        assert transport.get_extra_info("sockname")
        transport.close()

    async def both() -> None:
        await allocate(turn_server.credentials()[1])
        with pytest.raises(Exception, match=r"401|Unauthorized|failed"):
            await allocate("wrong")

    asyncio.run(both())
