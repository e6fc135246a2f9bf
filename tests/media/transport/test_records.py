from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from media.transport.records import AlertKeys, datagrams, opens, prf

KEYS = AlertKeys.derive(b"m" * 48, b"c" * 32, b"s" * 32)
THEIRS = AlertKeys(KEYS.server, KEYS.client)


def test_prf_gives_the_known_answer() -> None:
    """The vector for P_SHA256 that the TLS working group's list has used since 2008."""
    secret = bytes.fromhex("9bbe436ba940f017b17652849a71db35")
    seed = bytes.fromhex("a0ba9f936cda311827a6f796ffd5198c")
    wanted = "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af"
    assert prf(secret, b"test label" + seed, 100).hex().startswith(wanted)


def test_a_goodbye_is_understood_by_the_other_side_only() -> None:
    assert THEIRS.ends(KEYS.goodbye())
    assert not KEYS.ends(KEYS.goodbye()), "the keys are one way each"
    assert KEYS.goodbye() != KEYS.goodbye(), "no nonce twice"


@given(st.integers(0, 38), st.integers(1, 255))
def test_a_changed_goodbye_means_nothing(at: int, change: int) -> None:
    record = bytearray(KEYS.goodbye())
    record[at] ^= change
    assert not THEIRS.ends(bytes(record)) or at in (11, 12), "the length is not authenticated, all else is"


@given(st.binary(max_size=60))
def test_noise_is_no_goodbye(noise: bytes) -> None:
    assert not KEYS.ends(noise)
    assert not KEYS.ends(b"\x15\xfe\xfd" + bytes(8) + (len(noise)).to_bytes(2, "big") + noise)


def test_records_are_packed_into_datagrams() -> None:
    def record(size: int) -> bytes:
        return bytes(11) + size.to_bytes(2, "big") + bytes(size)

    made = datagrams(record(500) + record(500) + record(300) + record(1400) + record(10))
    assert [len(d) for d in made] == [1026, 313, 1413, 23]
    assert datagrams(b"") == []


def test_only_a_client_hello_opens() -> None:
    hello = b"\x16\xfe\xff" + bytes(8) + b"\x00\x10\x01" + bytes(15)
    assert opens(hello)
    assert not opens(hello[:13])
    assert not opens(b"\x17" + hello[1:])
    assert not opens(hello[:4] + b"\1" + hello[5:]), "the next epoch cannot begin"
    assert not opens(hello[:13] + b"\x02" + hello[14:])
