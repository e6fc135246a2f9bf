"""Slides: PDF only, of a size we take, drawn by a child process that cannot hurt us."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pytest
from PIL import Image

from server.accounts.models import Person
from server.lessons import decks
from server.lessons.models import Lesson
from server.schools.models import Room, School
from tests.support.web import Web


def pdf(pages: int = 2, width: float = 720, height: float = 405) -> bytes:
    document = pdfium.PdfDocument.new()
    for _ in range(pages):
        document.new_page(width, height)
    held = io.BytesIO()
    document.save(held)
    return held.getvalue()


@pytest.fixture
async def town(web: Web) -> School:
    return await web.school(await web.district(), "城关小学")


@pytest.fixture
async def teacher(web: Web, town: School) -> Person:
    return await web.person("teacher", school=town)


@pytest.fixture
async def room(web: Web, town: School) -> Room:
    return await web.room(town, "三年级1班")


@pytest.fixture
async def lesson(web: Web, town: School, teacher: Person, room: Room) -> Lesson:
    return await web.lesson(teacher, await web.room(town, "录播教室", kind="lead"), room)


async def upload(web: Web, person: Person, lesson: Lesson, data: bytes, name: str = "第一课.pdf") -> Any:
    browser = await web.sign_in(person)
    return await browser.post(f"/api/v1/lessons/{lesson.id}/decks", files={"file": (name, data, "application/pdf")})


@pytest.mark.slow
async def test_an_uploaded_pdf_becomes_page_images(web: Web, teacher: Person, lesson: Lesson) -> None:
    answer = await upload(web, teacher, lesson, pdf(2))
    assert answer.status_code == 202, answer.text
    deck = answer.json()
    assert (deck["title"], deck["state"], deck["urls"]) == ("第一课", "rendering", [])
    assert web.jobs.woken == ["decks"]
    assert await decks.render_waiting(web.database, web.objects, web.app.state.settings) == 1
    browser = await web.sign_in(teacher)
    ready = (await browser.get(f"/api/v1/lessons/{lesson.id}/decks/{deck['id']}")).json()
    assert (ready["state"], ready["pages"], len(ready["urls"])) == ("ready", 2, 2)
    image = await browser.get(ready["urls"][1])
    assert image.headers["content-type"] == "image/webp"
    assert Image.open(io.BytesIO(image.content)).size == (1920, 1080)
    await web.node()
    grant = (await browser.post(f"/api/v1/lessons/{lesson.id}/seat", json={"role": "teacher"})).json()
    assert [(one["pages"], len(one["urls"])) for one in grant["decks"]] == [(2, 2)]
    assert (await web.browser().get(ready["urls"][0])).status_code == 401
    assert (await browser.get(ready["urls"][0].replace("/1.webp", "/3.webp"))).status_code == 404
    assert (await browser.delete(f"/api/v1/lessons/{lesson.id}/decks/{deck['id']}")).status_code == 204
    assert web.objects.held == {}


@pytest.mark.parametrize(
    ("data", "key"),
    [(b"", "pdf_empty"), (b"PK\x03\x04 a slide show", "not_pdf"), (b"<html>%PDF", "not_pdf")],
)
async def test_what_is_no_pdf_is_refused_with_how_to_make_one(
    web: Web, teacher: Person, lesson: Lesson, data: bytes, key: str
) -> None:
    answer = await upload(web, teacher, lesson, data, "课件.pptx")
    assert (answer.status_code, answer.json()["error"]["key"]) == (422, key)
    assert web.objects.held == {}


async def test_300_mb_are_refused_with_a_sentence(web: Web, teacher: Person, lesson: Lesson) -> None:
    size = 300_000_000

    async def body() -> AsyncIterator[bytes]:
        for _ in range(size // 10_000_000):
            yield bytes(10_000_000)

    browser = await web.sign_in(teacher)
    answer = await browser.post(
        f"/api/v1/lessons/{lesson.id}/decks",
        content=body(),
        headers={"content-length": str(size), "content-type": "multipart/form-data; boundary=x"},
    )
    assert (answer.status_code, answer.json()["error"]["key"]) == (413, "too_large")
    assert "最多 50 MB" in answer.json()["error"]["message"]


async def test_only_the_lead_teacher_and_administrators_bring_slides(
    web: Web, town: School, teacher: Person, lesson: Lesson
) -> None:
    colleague = await web.person("teacher", school=town)
    inspector = await web.person("inspector")
    admin = await web.person("school_admin", of_school=town)
    assert (await upload(web, colleague, lesson, pdf())).status_code == 403
    assert (await upload(web, inspector, lesson, pdf())).status_code == 403
    assert (await upload(web, admin, lesson, pdf())).status_code == 202


async def test_the_form_says_what_was_wrong_on_the_page(web: Web, teacher: Person, lesson: Lesson) -> None:
    browser = await web.sign_in(teacher)
    path = f"/lessons/{lesson.id}/decks"
    answer = await browser.post(path, files={"file": ("a.pptx", b"PK\x03\x04", "application/x")})
    assert answer.status_code == 422 and "只能上传 PDF" in answer.text
    answer = await browser.post(path, files={"file": ("a.pdf", pdf(), "application/pdf")})
    assert answer.status_code == 303
    assert "正在逐页处理" in (await browser.get(f"/lessons/{lesson.id}")).text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "refusal"),
    [(b"%PDF-1.7\ngarbage", "pdf_broken"), (pdf(3), "pdf_pages"), (pdf()[:400], "pdf_broken")],
)
async def test_the_child_says_why_it_cannot_draw(tmp_path: Path, data: bytes, refusal: str) -> None:
    source = tmp_path / "source.pdf"
    source.write_bytes(data)
    assert await decks.draw(source, tmp_path, most_pages=2) == (0, refusal)


async def test_a_child_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    source = tmp_path / "source.pdf"
    source.write_bytes(pdf())
    assert await decks.draw(source, tmp_path, most_pages=9, wall_seconds=0.0) == (0, "pdf_slow")


@pytest.mark.slow
async def test_a_page_larger_than_memory_is_drawn_small(tmp_path: Path) -> None:
    source = tmp_path / "source.pdf"
    source.write_bytes(pdf(1, 14_000, 14_000))
    assert await decks.draw(source, tmp_path, most_pages=9) == (1, None)
    with Image.open(tmp_path / "1.webp") as image:
        assert image.size == (1920, 1920)


@pytest.mark.parametrize(
    ("filename", "title"),
    [
        ("第一课.pdf", "第一课"),
        ("C:\\\\课件\\\\a.PDF", "a"),
        ("../../etc/passwd", "passwd"),
        (None, "PDF"),
        ("\x07", "PDF"),
    ],
)
def test_titles_come_from_file_names_and_nothing_else(filename: str | None, title: str) -> None:
    assert decks.title_of(filename) == title
