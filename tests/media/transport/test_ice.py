from __future__ import annotations

from media.parameters import IceCredentials
from media.transport.ice import IceLite, new_credentials
from media.wire import stun

OURS, THEIRS = IceCredentials("ours", "o" * 24), IceCredentials("theirs", "t" * 24)
PATH = (1, ("192.0.2.9", 4000))


def request(
    ours: IceCredentials = OURS,
    theirs: str = "theirs",
    *attributes: tuple[int, bytes],
    password: str | None = None,
    transaction: bytes = bytes(12),
) -> stun.StunMessage:
    name = (stun.USERNAME, f"{ours.ufrag}:{theirs}".encode())
    return stun.parse(stun.build(stun.BINDING_REQUEST, transaction, [name, *attributes], password or ours.pwd))


def code(reply: bytes | None) -> int:
    assert reply is not None
    message = stun.parse(reply)
    if message.type == stun.BINDING_SUCCESS:
        return 0
    return message.attributes[stun.ERROR_CODE][2] * 100 + message.attributes[stun.ERROR_CODE][3]


def test_a_good_check_counts_as_consent() -> None:
    ice = IceLite(OURS, THEIRS, 0.0)
    result = ice.check(request(), PATH, 7.0)
    assert result.valid and not result.nominated and code(result.reply) == 0
    assert ice.last_check == 7.0
    assert ice.check(request(OURS, "theirs", (stun.USE_CANDIDATE, b"")), PATH, 8.0).nominated


def test_what_is_not_the_peers_is_refused_and_is_no_consent() -> None:
    ice = IceLite(OURS, THEIRS, 0.0)
    for wrong, expected in (
        (request(password="guessed"), 401),
        (request(OURS, "somebody"), 401),
        (request(IceCredentials("other", OURS.pwd)), 401),
        (request(OURS, "theirs", (0x7777, b"")), 420),
        (request(OURS, "theirs", (stun.ICE_CONTROLLED, bytes(8))), 487),
    ):
        result = ice.check(wrong, PATH, 9.0)
        assert not result.valid and code(result.reply) == expected
    assert ice.last_check == 0.0


def test_after_a_restart_the_old_holds_until_the_new_is_used() -> None:
    ice = IceLite(OURS, THEIRS, 0.0)
    new = new_credentials()
    ice.restart(new, IceCredentials("again", "a" * 24), 1.0)
    assert ice.check(request(), PATH, 2.0).valid
    assert ice.check(request(new, "again"), PATH, 3.0).valid
    assert not ice.check(request(), PATH, 4.0).valid
    assert ice.ufrags == (new.ufrag,)


def test_credentials_are_long_and_differ() -> None:
    """RFC 8445 section 5.3: at least 24 and 128 bits of randomness."""
    made = {new_credentials() for _ in range(50)}
    assert len(made) == 50
    assert all(len(c.ufrag) >= 6 and len(c.pwd) >= 22 for c in made)


def test_a_check_like_the_last_is_consent_without_being_read_again() -> None:
    for path in (PATH, (1, ("2001:db8::7", 4000))):
        ice = IceLite(OURS, THEIRS, 0.0)
        assert ice.consent(request().raw, path, 1.0) is None, "nothing is known yet"
        full = ice.check(request(), path, 2.0)
        assert full.valid and ice.consent(request().raw, path, 7.0) == full.reply
        assert ice.last_check == 7.0
        again = request(OURS, "theirs", transaction=b"another one!")
        assert ice.consent(again.raw, path, 8.0) == ice.check(again, path, 8.0).reply


def test_whatever_differs_is_read_wholly() -> None:
    ice = IceLite(OURS, THEIRS, 0.0)
    ice.check(request(), PATH, 2.0)
    good = request().raw
    others = [
        request(OURS, "theirs", (stun.USE_CANDIDATE, b"")).raw,  # it may move the path
        request(password="guessed").raw,
        good[:-1],
        good[:8] + b"another one!" + good[20:],  # the transaction is authenticated too
        *(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :] for at in range(len(good) - 8)),
    ]
    assert [ice.consent(data, PATH, 9.0) for data in others] == [None] * len(others)
    assert ice.consent(good, (1, ("192.0.2.10", 4000)), 9.0) is None, "another path"
    ice.restart(new_credentials(), THEIRS, 3.0)
    assert ice.consent(good, PATH, 9.0) is None, "other credentials"
    assert ice.last_check == 3.0
