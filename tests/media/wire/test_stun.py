"""Golden packets are those of RFC 5769 (test vectors for STUN)."""

from __future__ import annotations

from contextlib import suppress

import aioice.stun
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.errors import PeerError
from media.wire import stun

# RFC 5769 section 2.1
REQUEST = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e7400240004"
    "6e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56"
    "781ef2b5b2d3f249c1b571a280280004e57a3bcf"
)
PASSWORD = "VOkJxbRl1RmTxUk/WvJxBt"
# RFC 5769 section 2.2: a response with XOR-MAPPED-ADDRESS 192.0.2.1 port 32853
RESPONSE_TRANSACTION = bytes.fromhex("b7e7a701bc34d686fa87dfae")


def test_the_rfcs_request_is_read_and_believed() -> None:
    request = stun.parse(REQUEST)
    assert request.type == stun.BINDING_REQUEST
    assert request.username == "evtj:h6vY"
    assert stun.verify(request, PASSWORD)
    assert not stun.verify(request, PASSWORD + "x")
    assert request.unknown_required == []


def test_the_rfcs_mapped_addresses() -> None:
    assert stun.xor_address("192.0.2.1", 32853, RESPONSE_TRANSACTION).hex() == "0001a147e112a643"
    v6 = stun.xor_address("2001:db8:1234:5678:11:2233:4455:6677", 32853, RESPONSE_TRANSACTION)
    assert v6.hex() == "0002a1470113a9faa5d3f179bc25f4b5bed2b9d9"


def test_a_success_is_what_others_read() -> None:
    """aioice is the other implementation."""
    reply = stun.success(stun.parse(REQUEST).transaction, "192.0.2.1", 32853, PASSWORD)
    read = aioice.stun.parse_message(reply)
    read.check_message_integrity(PASSWORD.encode())
    assert read.message_class == aioice.stun.Class.RESPONSE
    assert read.attributes["XOR-MAPPED-ADDRESS"] == ("192.0.2.1", 32853)
    assert read.transaction_id == RESPONSE_TRANSACTION


def test_an_error_is_what_others_read() -> None:
    reply = stun.error(stun.parse(REQUEST), 487, "Role Conflict", PASSWORD)
    read = aioice.stun.parse_message(reply)
    read.check_message_integrity(PASSWORD.encode())
    assert read.attributes["ERROR-CODE"] == (487, "Role Conflict")


def test_attributes_behind_the_integrity_do_not_count() -> None:
    """RFC 8489 section 14.5: else anybody could add USE-CANDIDATE."""
    made = stun.build(stun.BINDING_REQUEST, bytes(12), [(stun.USERNAME, b"a:b")], "secret")[:-8]
    forged = made + bytes.fromhex("00250000")
    forged = forged[:2] + (len(forged) - 20).to_bytes(2, "big") + forged[4:]
    read = stun.parse(forged)
    assert stun.USE_CANDIDATE not in read.attributes


def test_one_flipped_bit_is_noticed() -> None:
    for at in range(len(REQUEST) - 8):  # all but the fingerprint itself
        broken = REQUEST[:at] + bytes([REQUEST[at] ^ 1]) + REQUEST[at + 1 :]
        with pytest.raises(PeerError):
            assert stun.verify(stun.parse(broken), PASSWORD)
            raise AssertionError(f"byte {at} may be changed")


ATTRIBUTES = st.lists(
    st.tuples(st.integers(0, 0xFFFF).filter(lambda a: a not in (8, 0x8028)), st.binary(max_size=30)),
    max_size=5,
    unique_by=lambda a: a[0],
)


@given(ATTRIBUTES, st.binary(min_size=12, max_size=12), st.text(max_size=20))
def test_round_trip(attributes: list[tuple[int, bytes]], transaction: bytes, password: str) -> None:
    read = stun.parse(stun.build(stun.BINDING_REQUEST, transaction, attributes, password))
    assert {a: v for a, v in read.attributes.items() if a != stun.MESSAGE_INTEGRITY} == dict(attributes)
    assert read.transaction == transaction
    assert stun.verify(read, password)


@given(st.binary(max_size=200))
def test_noise_is_a_peer_error_or_nothing(data: bytes) -> None:
    try:
        message = stun.parse(data)
    except PeerError:
        return
    assert not stun.verify(message, "secret")


@given(st.binary(max_size=100), st.integers(0, 0xFFFF))
def test_noise_behind_a_valid_head(body: bytes, kind: int) -> None:
    body += bytes(-len(body) % 4)
    data = (kind & 0x3FFF).to_bytes(2, "big") + len(body).to_bytes(2, "big") + stun.MAGIC.to_bytes(4, "big") + bytes(12)
    with suppress(PeerError):
        assert stun.parse(data + body).type == kind & 0x3FFF


def test_whose_it_is_can_be_told_without_reading_it_all() -> None:
    def request(*attributes: tuple[int, bytes]) -> bytes:
        return stun.build(stun.BINDING_REQUEST, bytes(12), list(attributes), "p")

    user = (stun.USERNAME, b"ours:theirs")
    assert stun.local_ufrag(request(user)) == "ours"
    assert stun.local_ufrag(request((0xC057, b"12345"), user)) == "ours"
    assert stun.local_ufrag(request((stun.PRIORITY, bytes(4)))) is None
    assert stun.local_ufrag(request(user)[:-1]) is None
    assert stun.local_ufrag(stun.build(stun.BINDING_SUCCESS, bytes(12), [user], "p")) is None


@given(st.binary(max_size=60))
def test_noise_is_nobodys(noise: bytes) -> None:
    stun.local_ufrag(noise)
    stun.local_ufrag(b"\0\1" + len(noise).to_bytes(2, "big") + b"\x21\x12\xa4\x42" + bytes(12) + noise)
