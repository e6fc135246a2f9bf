from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.transport.srtp import PROFILES, TRAILER, Arena, SrtpKeys, SrtpProfile, find_binding, open_session

PROFILE = list(PROFILES.values())
BINDING = find_binding()


def keys(profile: SrtpProfile) -> SrtpKeys:
    return SrtpKeys.from_exporter(profile, bytes(range(2 * (profile.key_length + profile.salt_length))))


def packet(sequence: int, payload: bytes = b"x" * 100) -> bytes:
    return bytes.fromhex("8060") + sequence.to_bytes(2, "big") + bytes(4) + b"SSRC" + payload


def load(arena: Arena, data: bytes, at: int = 0) -> int:
    arena.data[at : at + len(data)] = data
    return len(data)


def test_the_binding_gives_the_known_answer_here() -> None:
    assert BINDING is not None


def test_a_binding_that_lies_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    import pylibsrtp._binding as module

    class Liar:
        def __getattr__(self, name: str) -> object:
            return getattr(real, name)

        def srtp_protect(self, *_: object) -> int:
            return 0

    real = module.lib
    monkeypatch.setattr(module, "lib", Liar())
    assert find_binding() is None


@pytest.mark.parametrize("profile", PROFILE, ids=lambda p: p.name.decode())
@pytest.mark.parametrize(("ours", "theirs"), [(BINDING, None), (None, BINDING)], ids=["in place", "copying"])
def test_what_one_protects_the_other_reads(profile: SrtpProfile, ours: object, theirs: object) -> None:
    sender, receiver = open_session(keys(profile), ours), open_session(keys(profile).mirrored(), theirs)  # type: ignore[arg-type]
    out, into = Arena(2048, BINDING), Arena(2048, BINDING)
    at = 0
    sizes = []
    for sequence in range(5):  # one behind the other, as a burst
        size = sender.protect(out, at, load(out, packet(sequence), at))
        assert 0 < size <= len(packet(sequence)) + TRAILER
        sizes.append(size)
        at += size
    at = 0
    for sequence, size in enumerate(sizes):
        load(into, bytes(out.data[at : at + size]))
        assert receiver.unprotect(into, size) == len(packet(sequence))
        assert into.data.startswith(packet(sequence))
        at += size


@pytest.mark.parametrize("profile", PROFILE, ids=lambda p: p.name.decode())
@pytest.mark.parametrize("binding", [BINDING, None], ids=["in place", "copying"])
def test_forged_and_replayed_packets_are_refused(profile: SrtpProfile, binding: object) -> None:
    sender, receiver = open_session(keys(profile), None), open_session(keys(profile).mirrored(), binding)  # type: ignore[arg-type]
    arena = Arena(2048, BINDING)
    size = sender.protect(arena, 0, load(arena, packet(1)))
    good = bytes(arena.data[:size])
    load(arena, good[:-1] + bytes([good[-1] ^ 1]))
    assert receiver.unprotect(arena, size) == 0
    load(arena, good)
    assert receiver.unprotect(arena, size) == len(packet(1))
    load(arena, good)
    assert receiver.unprotect(arena, size) == 0, "replay"
    report = bytes.fromhex("80c9000100000001")
    size = sender.protect_rtcp(arena, 0, load(arena, report))
    assert receiver.unprotect_rtcp(arena, size) == len(report)
    load(arena, b"\x80\xc9" + bytes(30))
    assert receiver.unprotect_rtcp(arena, 32) == 0


@given(st.binary(min_size=1, max_size=200))
def test_noise_is_refused(data: bytes) -> None:
    receiver = open_session(keys(PROFILE[0]), BINDING)
    arena = Arena(2048, BINDING)
    assert receiver.unprotect(arena, load(arena, data)) == 0
    assert receiver.unprotect_rtcp(arena, load(arena, data)) == 0


def test_the_public_interface_refuses_what_is_too_long_for_it() -> None:
    """Trap 14: pylibsrtp's copying protect ends at 1356 bytes; in place it does not."""
    arena = Arena(2048, BINDING)
    size = load(arena, packet(1, bytes(1400)))
    assert open_session(keys(PROFILE[0]), None).protect(arena, 0, size) == 0
    assert open_session(keys(PROFILE[0]), BINDING).protect(arena, 0, size) == size + 16
