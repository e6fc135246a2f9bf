"""The worker: the same work never twice at once, a wake-up meanwhile is not lost, what has run out is swept."""

from __future__ import annotations

import threading
from datetime import timedelta

from sqlalchemy import func, select

from server import worker
from server.accounts.models import SignIn
from server.jobs import EVERY, Jobs, Work
from server.schools.models import Device
from tests.support.web import Web


def test_work_asked_for_meanwhile_is_done_once_more_by_the_one_who_is_at_it() -> None:
    begun, go_on = threading.Event(), threading.Event()
    done: list[str] = []

    def act(work: Work) -> None:
        begun.set()
        go_on.wait(10)
        done.append(work)

    once = worker.Once(act)
    first = threading.Thread(target=once, args=("decks",))
    first.start()
    begun.wait(10)
    for _ in range(3):
        once("decks")  # comes back at once: somebody is at it
    assert done == []
    go_on.set()
    first.join(10)
    assert done == ["decks", "decks"]


def test_every_piece_of_work_has_its_turn() -> None:
    assert worker.PIECES.keys() == EVERY.keys()


async def test_a_wake_up_reaches_the_queue_and_an_absent_queue_harms_nobody(web: Web) -> None:
    settings = web.app.state.settings
    jobs = Jobs(settings)
    await jobs.wake("decks")
    asked: list[Work] = []
    side = Jobs(settings, asked.append)
    queue = side.queue()
    task = queue.dequeue()
    assert task is not None
    queue.execute(task)
    assert asked == ["decks"]
    nowhere = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    await Jobs(nowhere).wake("decks")


async def test_sweeping_takes_old_sign_ins_and_devices_nobody_bound(web: Web) -> None:
    kiosk = web.browser()
    await kiosk.get("/kiosk")
    await web.sign_in(await web.person("teacher"))
    room = await web.room(await web.school(await web.district()))
    await web.device(room)
    web.clock.moment += timedelta(days=40)
    await worker.PIECES["sweep"](web.app.state.settings, web.database, web.objects, web.clock)
    async with web.database.reading() as session:
        kinds = list(await session.scalars(select(SignIn.kind)))
        devices = await session.scalar(select(func.count()).select_from(Device))
    assert (kinds, devices) == (["device"], 1)
