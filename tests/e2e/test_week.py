"""The week: a lesson is dragged, or moved by the keyboard alone, and put back; a phone shows one day in large rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.support.browser import Chromium, shot, until_true
from tests.support.site import DEMO_PASSWORD, Site

pytestmark = pytest.mark.e2e

LIES = "id => document.querySelector(`[data-lesson='${id}']`).closest('.week-cell').dataset.starts"
SAYS = "text => document.getElementById('moved').textContent.includes(text)"
FREE = """() => {
  const cells = [...document.querySelectorAll('.week-cell:not(.off)')];
  return cells.findIndex(one => !one.querySelector('.week-lesson'));
}"""
ASKS = "() => document.getElementById('why').open"
LEAST = 44  # CSS pixels: a thumb's size


def signed_in(site: Site, browsers: Chromium, **how: Any) -> Page:
    page = browsers.desktop(**how).open(site.url + "/login")
    page.fill("input[name=login]:not([type=hidden])", "city")
    page.fill("input[type=password]", DEMO_PASSWORD)
    page.press("input[type=password]", "Enter")
    page.wait_for_url("**/admin", timeout=60_000)
    return page


def week_of_a_classroom(site: Site) -> str:
    """Of one that has lessons ahead in the coming weeks."""
    start = datetime.now(UTC) + timedelta(days=1)
    with site.visitor("city") as city:
        asked = {"starts_from": start.isoformat(), "limit": 200}
        lesson = next(one for one in city.get("/api/v1/lessons", params=asked).json() if one["state"] == "published")
        found = city.get("/api/v1/classrooms", params={"q": lesson["teacher"]}).json()["items"]
        classroom = next(one["id"] for one in found if one["lead_teacher"] == lesson["teacher"])
    return f"{site.url}/timetable?of=classroom&id={classroom}&day={lesson['starts_at'][:10]}"


def test_a_lesson_is_dragged_and_put_back(site: Site, browsers: Chromium) -> None:
    page = signed_in(site, browsers)
    page.goto(week_of_a_classroom(site))
    lesson = page.locator(".week-lesson.movable").first
    name = str(lesson.get_attribute("data-lesson"))
    was = page.evaluate(LIES, name)
    shot(page, "week-grid")
    free = page.locator(".week-cell:not(.off)").nth(page.evaluate(FREE))
    lesson.drag_to(free)
    until_true(page, ASKS)
    page.click("#why [data-closes]")
    until_true(page, SAYS, "没有移动")
    assert page.evaluate(LIES, name) == was, "who leaves the question leaves the lesson"
    lesson.drag_to(free)
    until_true(page, ASKS)
    page.click("#why button[value=move]")
    assert page.evaluate(ASKS), "not without a reason"
    page.select_option("#why-reason", "exam")
    page.fill("#why-note", "期中考试")
    shot(page, "week-why")
    page.click("#why button[value=move]")
    until_true(page, "([id, was]) => (" + LIES + ")(id) !== was", [name, was])
    shot(page, "week-dragged")
    with site.visitor("city") as city:
        now = city.get(f"/api/v1/lessons/{name}").json()["starts_at"]
        kept = city.get(f"/api/v1/lessons/{name}/changes").json()
    assert datetime.fromisoformat(now) == datetime.fromisoformat(page.evaluate(LIES, name)), "the server says so too"
    assert (kept[-1]["kind"], kept[-1]["reason"], kept[-1]["note"]) == ("move", "exam", "期中考试")
    page.click("#moved button")
    until_true(page, "([id, was]) => (" + LIES + ")(id) === was", [name, was])


def test_a_lesson_is_moved_by_the_keyboard_alone(site: Site, browsers: Chromium) -> None:
    page = signed_in(site, browsers)
    page.goto(week_of_a_classroom(site))
    lesson = page.locator(".week-lesson.movable").first
    name = str(lesson.get_attribute("data-lesson"))
    was = page.evaluate(LIES, name)
    lesson.locator("[data-move]").focus()
    page.keyboard.press("Enter")
    for key in ("ArrowDown", "ArrowUp", "ArrowDown"):
        page.keyboard.press(key)
    page.keyboard.press("Escape")
    assert page.evaluate(LIES, name) == was, "Escape leaves it where it was"
    lesson.locator("[data-move]").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    assert page.locator(".week-cell.aimed").count() == 1
    page.keyboard.press("Enter")
    until_true(page, ASKS)
    page.keyboard.press("Escape")
    until_true(page, SAYS, "没有移动")
    assert page.evaluate("document.activeElement.matches('[data-move]')") and page.evaluate(LIES, name) == was
    for key in ("Enter", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    until_true(page, ASKS)
    for key in ("ArrowDown", "Tab", "Enter"):  # the first reason, no note
        page.keyboard.press(key)
    until_true(page, "([id, was]) => (" + LIES + ")(id) !== was", [name, was])
    assert page.evaluate("document.activeElement.matches('[data-move]')"), "the keyboard stays with the lesson"
    page.click("#moved button")
    until_true(page, "([id, was]) => (" + LIES + ")(id) === was", [name, was])


def test_a_phone_shows_one_day_in_large_rows(site: Site, browsers: Chromium) -> None:
    page = signed_in(site, browsers, viewport=(390, 844), phone=True)
    page.goto(week_of_a_classroom(site))
    assert page.locator(".day-list").is_visible() and not page.locator("#week").is_visible()
    rows = page.locator(".day-row a")
    assert rows.count() > 0
    sizes = [box for one in (*rows.all(), *page.locator(".day-tabs a").all()) if (box := one.bounding_box())]
    assert min(box["height"] for box in sizes) >= LEAST
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, "nothing hangs over the edge"
    shot(page, "week-phone")
    first = page.locator(".day-tabs a").first
    first.click()
    page.wait_for_load_state()
    assert page.locator(".day-tabs a[aria-current]").count() == 1
    page.goto(site.url + "/timetable?of=classroom&lang=en")
    shot(page, "week-phone-en")
