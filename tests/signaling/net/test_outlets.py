"""Sending never waits; a socket that does not drain is closed."""

from __future__ import annotations

from signaling.messages import Answer, Closed, Error
from signaling.net.outlets import QUEUE_MESSAGES, TRY_AGAIN, Outlets, RequestOutlet, SocketOutlet


def test_a_message_is_encoded_once_for_all() -> None:
    outlets, one, two = Outlets(), SocketOutlet(), SocketOutlet()
    outlets.add("1", one)
    outlets.add("2", two)
    outlets.send(("1", "2", "gone"), Closed(reason="ended"))
    assert one.queue.get_nowait() is two.queue.get_nowait()
    outlets.remove("2")
    outlets.close("2", 1000)
    assert two.queue.empty()


def test_a_socket_that_does_not_drain_is_told_to_come_back() -> None:
    outlet = SocketOutlet()
    for _ in range(QUEUE_MESSAGES + 5):
        outlet.send(Closed(reason="x"), "text")
    assert outlet.queue.qsize() == 1 and outlet.queue.get_nowait() == TRY_AGAIN


def test_a_socket_closes_once_after_what_was_said() -> None:
    outlet = SocketOutlet()
    outlet.send(Closed(reason="x"), "text")
    outlet.close(1000)
    outlet.close(1001)
    outlet.send(Closed(reason="x"), "late")
    assert [outlet.queue.get_nowait() for _ in range(outlet.queue.qsize())] == ["text", 1000]


def test_a_request_keeps_its_answer_or_error() -> None:
    outlet = RequestOutlet()
    outlet.send(Closed(reason="x"), "")
    outlet.send(Answer(id="1", pc="pub", sdp="v=0"), "")
    outlet.send(Error(code="media"), "")
    outlet.close(1000)
    assert outlet.answer and outlet.answer.sdp == "v=0" and outlet.error and outlet.error.code == "media"
