"""One UDP socket as an engine port: drained in a loop, sent to in bursts. Rule: nothing here raises into the loop.

Linux sends a run of equal packets to one address in one system call (UDP_SEGMENT, "GSO"); elsewhere, and where the path
refuses it, packet by packet.
"""

from __future__ import annotations

import socket
import struct
import sys
import time
from collections.abc import Callable, Sequence

from media.engine import Address

_UDP_SEGMENT = 103  # linux/udp.h; Python has no name for it
_MOST_SEGMENTS = 64  # UDP_MAX_SEGMENTS of older kernels
_TOGETHER = 0.001  # seconds between two readings of a clock that count as the same moment
_SO_TIMESTAMPNS = 35  # asm-generic/socket.h, 64-bit time_t
_TIMESPEC = struct.Struct("@qq")
_SO_RCVBUFFORCE = 33  # asm-generic/socket.h
_MOST_ERRORS = 64  # pending ICMP errors skipped per call
_MOST_REFUSALS = 16  # one peer behind a narrow tunnel must not take it from all others
_MOST_BYTES = 65000  # one IP datagram's worth before segmentation
# A key frame's fan-out is 100 classrooms x 30 packets: it must fit, or its tail is lost at once.
_SEND_BUFFER = 8 * 1024 * 1024
_RECEIVE_BUFFER = 4 * 1024 * 1024


def monotonic_minus_wall(
    monotonic: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time
) -> float | None:
    """None when the machine is so busy that three times somebody else ran between the readings: an arrival that looks
    100 ms early would be believed by every clock that takes the least delay of half a minute."""
    for _ in range(3):
        before, real, after = monotonic(), wall(), monotonic()
        if after - before < _TOGETHER:
            return before - real
    return None


class UdpPort:
    """Bound to an advertised address, never to the wildcard: replies must leave from the address that was asked."""

    kind = "udp"

    def __init__(self, address: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        _receive_buffer(self.socket, _RECEIVE_BUFFER)
        try:
            self.socket.bind((address, port))
        except OSError:
            self.socket.close()
            raise
        self.gso = _segments(self.socket)
        self._refusals = 0  # in a row
        self._stamped = _stamps(self.socket)
        self._to_monotonic: float | None = None
        self.dropped = 0

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    def descriptor(self) -> int | None:
        """For an engine that makes the system calls itself; None where a subclass comes between (a bad line)."""
        plain = type(self).receive_into is UdpPort.receive_into and type(self).send is UdpPort.send
        return self.socket.fileno() if plain else None

    def receive_into(self, buffer: bytearray) -> tuple[int, Address, float | None] | None:
        for _ in range(_MOST_ERRORS):
            try:
                if self._stamped:
                    return self._receive_stamped(buffer)
                size, address = self.socket.recvfrom_into(buffer)
            except (BlockingIOError, InterruptedError):
                self._to_monotonic = None
                return None
            except OSError:  # an ICMP error of an earlier send (ECONNREFUSED): not about what waits behind it
                continue
            return size, address[:2], None
        return None

    def _receive_stamped(self, buffer: bytearray) -> tuple[int, Address, float | None]:
        """The kernel's own arrival time: a browser's bandwidth probe is a few packets 3 ms apart, and a busy loop
        that reads them in one go would report them as infinitely fast and make the probe void."""
        size, ancillary, _, address = self.socket.recvmsg_into((buffer,), 64)
        if not ancillary:
            return size, address[:2], None
        if self._to_monotonic is None:  # once per drain: the wall clock may be set at any time
            self._to_monotonic = monotonic_minus_wall()
        offset = self._to_monotonic
        if offset is None:
            return size, address[:2], None
        seconds, nanoseconds = _TIMESPEC.unpack_from(ancillary[0][2])
        return size, address[:2], seconds + nanoseconds * 1e-9 + offset

    def send(self, address: Address, data: memoryview, sizes: Sequence[int]) -> None:
        if len(sizes) == 1:
            self._one(address, data)
            return
        size, count = sizes[0], len(sizes)
        alike = sizes[-1] <= size and sizes.count(size) >= count - 1  # as a picture's mostly are
        if alike and self.gso and count <= _MOST_SEGMENTS and len(data) < _MOST_BYTES:
            self._run(address, data, size, count)
            return
        at = place = 0
        while place < len(sizes):
            size = sizes[place]
            count, end = 1, at + size
            if self.gso:
                while place + count < len(sizes) and count < _MOST_SEGMENTS and end - at + size < _MOST_BYTES:
                    following = sizes[place + count]
                    if following > size:
                        break
                    count, end = count + 1, end + following
                    if following < size:  # a shorter one may end the run
                        break
            self._run(address, data[at:end], size, count)
            at, place = end, place + count

    def _run(self, address: Address, data: memoryview, size: int, count: int) -> None:
        if count == 1:
            self._one(address, data)
            return
        try:
            segment = [(socket.IPPROTO_UDP, _UDP_SEGMENT, struct.pack("@H", size))]
            self.socket.sendmsg([data], segment, 0, address)
            self._refusals = 0
        except BlockingIOError:
            self._each(address, data, size)
        except OSError:  # EINVAL, EMSGSIZE: this peer's path cannot; EIO: this device cannot
            self._refusals += 1
            self.gso = self._refusals < _MOST_REFUSALS
            self._each(address, data, size)

    def _each(self, address: Address, data: memoryview, size: int) -> None:
        for at in range(0, len(data), size):
            self._one(address, data[at : at + size])

    def _one(self, address: Address, data: memoryview) -> None:
        try:
            self.socket.sendto(data, address)
        except OSError:  # full buffer, no route: media is not worth waiting
            self.dropped += 1

    def close(self) -> None:
        self.socket.close()


def _receive_buffer(sock: socket.socket, size: int) -> None:
    """As root beyond ``net.core.rmem_max`` too (Debian's default holds 10 ms of a storm; ``tongtang doctor`` tells)."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, size)
    except OSError:  # not root, or not Linux
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)


def _segments(sock: socket.socket) -> bool:
    """Whether the kernel knows UDP_SEGMENT (Linux 4.18)."""
    try:
        sock.getsockopt(socket.IPPROTO_UDP, _UDP_SEGMENT)
    except OSError:
        return False
    return True


def _stamps(sock: socket.socket) -> bool:
    """Asks for arrival times; only where struct timespec is two 64-bit numbers."""
    if sys.platform != "linux" or struct.calcsize("P") != 8:
        return False
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    except OSError:
        return False
    return True
