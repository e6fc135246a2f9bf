from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from media.net.udp import UdpPort, monotonic_minus_wall


class Counting:
    """A socket that notes its send calls, and refuses segmentation when told to."""

    def __init__(self, real: socket.socket, error: OSError | None = None) -> None:
        self._real, self._error = real, error
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def sendmsg(self, *arguments: object) -> int:
        self.calls.append("sendmsg")
        if self._error:
            raise self._error
        return self._real.sendmsg(*arguments)  # type: ignore[arg-type]

    def sendto(self, data: bytes, address: tuple[str, int]) -> int:
        self.calls.append("sendto")
        return self._real.sendto(data, address)


@pytest.fixture
def port() -> Iterator[UdpPort]:
    made = UdpPort("127.0.0.1", 0)
    yield made
    made.close()


@pytest.fixture
def reader() -> Iterator[UdpPort]:
    made = UdpPort("127.0.0.1", 0)
    yield made
    made.close()


def burst(*sizes: int) -> tuple[bytes, list[int]]:
    return b"".join(bytes([i]) * size for i, size in enumerate(sizes)), list(sizes)


def received(reader: UdpPort) -> list[bytes]:
    buffer, found = bytearray(2048), []
    while (got := reader.receive_into(buffer)) is not None:
        found.append(bytes(buffer[: got[0]]))
    return found


@pytest.mark.parametrize("gso", [True, False])
@pytest.mark.parametrize(
    "sizes", [(100,), (100, 100, 100), (100, 100, 60), (60, 100, 100), (100, 50, 50, 70, 70, 70, 20), (1200,) * 19]
)
def test_a_burst_arrives_as_its_packets(port: UdpPort, reader: UdpPort, sizes: tuple[int, ...], gso: bool) -> None:
    port.gso = port.gso and gso
    data, listed = burst(*sizes)
    port.send(("127.0.0.1", reader.port), memoryview(data), listed)
    assert received(reader) == [bytes([i]) * size for i, size in enumerate(sizes)]


def test_equal_packets_cost_one_call(port: UdpPort, reader: UdpPort) -> None:
    if not port.gso:
        pytest.skip("this kernel has no UDP_SEGMENT")
    port.socket = counting = Counting(port.socket)  # type: ignore[assignment]
    data, sizes = burst(*[1200] * 19, 300)
    port.send(("127.0.0.1", reader.port), memoryview(data), sizes)
    assert counting.calls == ["sendmsg"]
    assert [len(p) for p in received(reader)] == sizes


def test_more_than_a_datagram_is_cut(port: UdpPort, reader: UdpPort) -> None:
    data, sizes = burst(*[1400] * 100)
    port.send(("127.0.0.1", reader.port), memoryview(data), sizes)
    assert [len(p) for p in received(reader)] == sizes


@pytest.mark.parametrize("error", [OSError(22, "EINVAL"), OSError(5, "EIO"), BlockingIOError(11, "EAGAIN")])
def test_a_refused_burst_goes_packet_by_packet(port: UdpPort, reader: UdpPort, error: OSError) -> None:
    port.gso = True
    port.socket = counting = Counting(port.socket, error)  # type: ignore[assignment]
    data, sizes = burst(100, 100, 40)
    port.send(("127.0.0.1", reader.port), memoryview(data), sizes)
    assert received(reader) == [b"\0" * 100, b"\1" * 100, b"\2" * 40]
    assert counting.calls == ["sendmsg", "sendto", "sendto", "sendto"]
    assert port.gso, "one peer's path says nothing about the others'"
    for _ in range(20):
        port.send(("127.0.0.1", reader.port), memoryview(data), sizes)
    assert port.gso is isinstance(error, BlockingIOError), "a full buffer says nothing about the device"


def test_what_cannot_be_sent_is_counted(port: UdpPort) -> None:
    port.send(("127.0.0.1", 0), memoryview(b"x"), [1])
    assert port.dropped == 1


def test_a_dead_peer_does_not_stop_the_port(port: UdpPort, reader: UdpPort) -> None:
    """ICMP "port unreachable" of an earlier packet surfaces in the next call."""
    gone = UdpPort("127.0.0.1", 0)
    address = ("127.0.0.1", gone.port)
    gone.close()
    for _ in range(3):
        port.send(address, memoryview(b"x"), [1])
    reader.send(("127.0.0.1", port.port), memoryview(b"alive"), [5])
    assert received(port) == [b"alive"]


def test_arrival_is_the_kernels(port: UdpPort, reader: UdpPort) -> None:
    before = time.monotonic()
    reader.send(("127.0.0.1", port.port), memoryview(b"x"), [1])
    between = time.monotonic()
    time.sleep(0.05)
    got = port.receive_into(bytearray(10))
    assert got is not None
    if got[2] is None:
        pytest.skip("this kernel gives no arrival times")
    assert before - 0.01 < got[2] < between + 0.01


def test_a_taken_port_is_an_error(port: UdpPort) -> None:
    with pytest.raises(OSError):
        UdpPort("127.0.0.1", port.port)


def test_a_pause_between_two_clocks_is_no_early_arrival() -> None:
    """On a busy machine somebody else may run between two readings: then no arrival is believed, or the third is."""
    assert monotonic_minus_wall(iter([5.0, 5.2, 6.0, 6.2, 7.0, 7.2]).__next__, lambda: 100.0) is None
    assert monotonic_minus_wall(iter([5.0, 5.2, 6.0, 6.0]).__next__, lambda: 100.0) == -94.0
