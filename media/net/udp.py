"""One UDP socket as an engine port: drained in a loop, sent to in bursts. Rule: nothing here raises into the loop.

Linux sends a run of equal packets to one address in one system call (UDP_SEGMENT, "GSO"); elsewhere, and where the path
refuses it, packet by packet.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence

from media.engine import Address

_UDP_SEGMENT = 103  # linux/udp.h; Python has no name for it
_MOST_SEGMENTS = 64  # UDP_MAX_SEGMENTS of older kernels
_MOST_BYTES = 65000  # one IP datagram's worth before segmentation
# A key frame's fan-out is 100 classrooms x 30 packets: it must fit, or its tail is lost at once.
_SEND_BUFFER = 8 * 1024 * 1024
_RECEIVE_BUFFER = 4 * 1024 * 1024


class UdpPort:
    """Bound to an advertised address, never to the wildcard: replies must leave from the address that was asked."""

    kind = "udp"

    def __init__(self, address: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        try:
            self.socket.bind((address, port))
        except OSError:
            self.socket.close()
            raise
        self.gso = _segments(self.socket)
        self.dropped = 0

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    def receive_into(self, buffer: bytearray) -> tuple[int, Address] | None:
        while True:
            try:
                size, address = self.socket.recvfrom_into(buffer)
            except (BlockingIOError, InterruptedError):
                return None
            except OSError:  # an ICMP error of an earlier send (ECONNREFUSED): not about what waits behind it
                continue
            return size, address[:2]

    def send(self, address: Address, data: memoryview, sizes: Sequence[int]) -> None:
        if len(sizes) == 1:
            self._one(address, data)
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
        except BlockingIOError:
            self._each(address, data, size)
        except OSError:  # EINVAL, EIO, EMSGSIZE: this path or device cannot
            self.gso = False
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


def _segments(sock: socket.socket) -> bool:
    """Whether the kernel knows UDP_SEGMENT (Linux 4.18)."""
    try:
        sock.getsockopt(socket.IPPROTO_UDP, _UDP_SEGMENT)
    except OSError:
        return False
    return True
