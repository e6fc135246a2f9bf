"""Which cameras may be fetched from, and how patiently."""

from __future__ import annotations

import av
import pytest

from signaling.sources import MOST_SECONDS, Patience, SourceError, choose, host_of, url_of, why


@pytest.mark.parametrize(
    ("addresses", "local", "chosen"),
    [
        (["10.3.2.1"], False, "10.3.2.1"),
        (["127.0.0.1", "192.168.1.64"], False, "192.168.1.64"),
        (["127.0.0.1"], True, "127.0.0.1"),
        (["2a00:1450::1"], False, "2a00:1450::1"),
        (["::ffff:127.0.0.1"], False, None),
        (["169.254.169.254"], False, None),
        (["fe80::1%eth0"], False, None),
        (["0.0.0.0"], True, None),
        (["224.0.0.1"], True, None),
        ([], True, None),
    ],
)
def test_this_machine_and_its_link_are_no_cameras(addresses: list[str], local: bool, chosen: str | None) -> None:
    if chosen is None:
        with pytest.raises(SourceError, match="forbidden"):
            choose(addresses, local)
    else:
        assert choose(addresses, local) == chosen


def test_what_was_looked_up_is_what_is_connected_to() -> None:
    assert host_of("rtsp://camera.school.example:8554/s") == "camera.school.example"
    assert url_of("rtsp://camera.school.example:8554/s?a=1", "", "10.0.0.9") == "rtsp://10.0.0.9:8554/s?a=1"
    assert url_of("rtmp://host/live", "me:p@ss/w", "2001:db8::9") == "rtmp://me:p%40ss%2Fw@[2001:db8::9]/live"


@pytest.mark.parametrize("address", ["http://10.0.0.1/", "rtsp:///x", "rtsp://[::1", "file:///etc/passwd", ""])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(SourceError, match="address"):
        host_of(address)


def test_tries_for_ever_ever_slower_and_quickly_again_after_a_good_one() -> None:
    patience = Patience()
    waits = [patience.after(0.5) for _ in range(8)]
    assert waits[:4] == [1, 2, 4, 8] and waits[-1] == MOST_SECONDS
    assert patience.after(120.0) == 1


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (SourceError("codec"), "codec"),
        (av.error.HTTPUnauthorizedError(0, ""), "password"),
        (av.error.HTTPNotFoundError(0, ""), "path"),
        (av.error.InvalidDataError(0, ""), "stream"),
        (av.error.TimeoutError(0, ""), "away"),
        (av.error.ExitError(0, ""), "away"),
        (ConnectionRefusedError(), "away"),
    ],
)
def test_one_word_for_what_is_wrong(error: Exception, word: str) -> None:
    assert why(error) == word
