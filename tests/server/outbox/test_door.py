"""The door: which addresses may be dialled, by name and by number; robots' signatures as their makers print them."""

from __future__ import annotations

import base64
import hmac
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest

from server import tls
from server.outbox import door as door_module
from server.outbox.carriers import MOST_BYTES, Letter, Written, dingtalk_url, gathered, signature
from server.outbox.door import ClosedError, Door, check_url, may_dial, resolve
from tests.support.strangers import Stranger

NOON = datetime(2026, 11, 16, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.9",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::1",
    ],
)
def test_addresses_that_are_never_dialled_from_here(address: str) -> None:
    assert not may_dial(address, local=False)


def test_the_own_network_only_where_the_operator_says_so() -> None:
    assert may_dial("10.1.2.3", local=True) and may_dial("127.0.0.1", local=True)
    assert not may_dial("169.254.169.254", local=True), "metadata services live on the link"
    assert may_dial("8.8.8.8", local=False) and may_dial("2400:3200::1", local=False)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://hook.example/", "address"),
        ("ftp://hook.example/", "address"),
        ("https:///x", "address"),
        ("https://u:p@hook.example/", "address"),
        ("https://hook.example/#x", "address"),
        ("https://hook.example/a b", "address"),
        ("https://hook.example:99999/", "address"),
        ("https://10.0.0.1/", "forbidden"),
        ("https://[::1]/", "forbidden"),
        ("https://localhost/", "forbidden"),
        ("https://x.localhost./", "forbidden"),
    ],
)
def test_addresses_that_are_refused_when_typed(url: str, problem: str) -> None:
    with pytest.raises(ClosedError) as caught:
        check_url(url, local=False)
    assert caught.value.problem == problem


async def test_a_name_that_leads_into_our_network_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """However it is spelled: 2130706433 and localtest names become addresses before they are judged."""
    with pytest.raises(ClosedError) as caught:
        await resolve("2130706433", 443, local=False)
    assert caught.value.problem == "forbidden"

    class Loop:
        async def getaddrinfo(self, *_: Any, **__: Any) -> list[Any]:
            return [(0, 0, 0, "", ("8.8.8.8", 443)), (0, 0, 0, "", ("10.0.0.7", 443))]

    monkeypatch.setattr(door_module.asyncio, "get_running_loop", Loop)
    with pytest.raises(ClosedError, match="forbidden"):
        await resolve("half.a.trap.example", 443, local=False)


async def test_a_closed_door_never_reaches_the_stranger() -> None:
    shut = Door(local=False)
    with Stranger() as there:
        with pytest.raises(ClosedError, match="address"):
            await shut.post(Letter(there.url, b"{}", ("a",)))
        with pytest.raises(ClosedError, match="forbidden"):
            await shut.post(Letter(there.url.replace("http:", "https:"), b"{}", ("a",)))
        assert there.heard == []
    await shut.aclose()


async def test_the_certificate_is_the_names_though_the_address_is_dialled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tls.ensure(tmp_path, [], host="hook.lan")
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(made.certificate, made.key)

    async def here(*_: Any) -> str:
        return "127.0.0.1"

    monkeypatch.setattr(door_module, "resolve", here)
    trusting = Door(local=False, tls=ssl.create_default_context(cafile=made.authority))
    wary = Door(local=False)
    with Stranger(tls=serving) as there:
        url = there.url.replace("127.0.0.1", "hook.lan")
        assert await trusting.post(Letter(url, b"{}", ("a",))) == (200, b"")
        assert there.heard[0].headers["host"].startswith("hook.lan:")
        for door, asked in ((wary, url), (trusting, url.replace("hook.lan", "other.lan"))):
            with pytest.raises(ClosedError, match="tls"):
                await door.post(Letter(asked, b"{}", ("a",)))
        assert len(there.heard) == 1
    await trusting.aclose()
    await wary.aclose()


def test_dingtalk_signs_as_its_makers_say() -> None:
    url = dingtalk_url("https://oapi.example/robot/send?access_token=x", "SEC1", NOON)
    # The reference of the robot's own documentation: base64(hmac_sha256(secret, f"{timestamp}\n{secret}")), quoted.
    digest = hmac.digest(b"SEC1", b"1794801600000\nSEC1", "sha256")
    sign = quote_plus(base64.b64encode(digest))
    assert url == f"https://oapi.example/robot/send?access_token=x&timestamp=1794801600000&sign={sign}"
    assert dingtalk_url("https://a.example/x", "", NOON) == "https://a.example/x"


def test_a_signature_holds_for_this_body_and_moment_only() -> None:
    good = signature("k", NOON, b"{}")
    assert good == signature("k", NOON, b"{}") and good.startswith("t=1794801600,v1=")
    others = {signature("k", NOON, b"{ }"), signature("j", NOON, b"{}"), signature("k", NOON.replace(hour=5), b"{}")}
    assert good not in others


def test_messages_stay_within_what_robots_take() -> None:
    rows = [Written(str(n), "notice.moved", "调课" * 150, "", {}) for n in range(7)]
    made = gathered(rows)
    assert [one for _, ids in made for one in ids] == [row.id for row in rows]
    assert all(len(text.encode()) <= MOST_BYTES for text, _ in made) and len(made) > 1
    ((text, _),) = gathered([Written("1", "x", "长" * 5000, "", {})])
    assert len(text.encode()) <= MOST_BYTES and text.endswith("长")
