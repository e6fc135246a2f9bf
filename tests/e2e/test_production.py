"""The production topology: one lesson on it, and the loss of a whole node with its disk in the middle of the lesson."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.browser import Chromium, shot
from tests.support.classroom import Kiosk, Teacher, upload_slides
from tests.support.processes import wait_until
from tests.support.production import Production, start_production
from tests.support.replayed import Recorded
from tests.support.services import S3, Postgres

pytestmark = [pytest.mark.e2e, pytest.mark.real]


@pytest.fixture(scope="module")
def production(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: Postgres, redis_server: str, s3_server: S3
) -> Iterator[Production]:
    postgres_server.execute("create database production")
    folder: Path = tmp_path_factory.mktemp("production")
    database, objects = postgres_server.url("production"), s3_server.make_bucket("production")
    with start_production(folder, database, redis_server, objects) as production:
        yield production


def test_migrate_and_demo_can_be_run_again(production: Production) -> None:
    assert "database at" in production.once("migrate")
    production.once("demo")


def test_both_nodes_report(production: Production) -> None:
    with production.visitor("city") as city:
        wait_until(
            lambda: all(f">{node}<" in city.get("/admin/nodes").text for node in "12"), 30, "both nodes on the page"
        )


def test_a_lost_node_gives_its_room_to_the_other(production: Production, browsers: Chromium) -> None:
    """Killed, its spool deleted: the room returns on the other node with page and chat, the replay marks the gap."""
    lesson = production.plan_lesson("静夜思", starts_in=5, minutes=30, rooms=1)
    with production.visitor("teacher") as visitor:
        upload_slides(visitor, lesson.id)
    kiosk = Kiosk.hung_up(browsers, production, lesson, 0)
    teacher = Teacher.comes(browsers, production, lesson)
    kiosk.enters_by_itself()
    teacher.opens()
    teacher.opens_slides()
    teacher.turns_to(2)
    teacher.says("床前明月光")
    kiosk.receives()
    time.sleep(6)  # ops and fragments are shipped within seconds; what is not yet shipped may be lost with the machine

    first = production.node_of(lesson.id)
    production.lose_node(first)
    wait_until(lambda: production.node_of(lesson.id) != first, 90, "the room to be placed anew")
    before = kiosk.frames()
    kiosk.receives(60)
    wait_until(lambda: kiosk.frames() != before, 30, "pictures on the new node")
    assert teacher.page.inner_text("#bar-page").strip().startswith("2 /"), "the page survived"
    assert "床前明月光" in teacher.page.inner_text("#chat"), "the chat survived"
    shot(kiosk.page, "production-after-loss")
    teacher.turns_to(3)
    time.sleep(6)
    teacher.closes()

    with production.visitor("teacher") as visitor:
        wait_until(lambda: Recorded(visitor, lesson.id).replay["state"] == "closed", 90, "the replay to be closed")
        recorded = Recorded(visitor, lesson.id)
    epochs = {fragment["url"].split("/media/")[1].split("/")[0] for fragment in recorded.track("camera")["fragments"]}
    assert len(epochs) == 2, "one replay over both epochs"
    gaps = recorded.gaps("camera")
    assert any(cause == "node" for _, _, cause in gaps), gaps
    turned = [op["body"]["page"] for op in recorded.replay["ops"] if op["kind"] == "page.turn"]
    assert turned == [2, 3]
