"""Every page, both languages, desk and phone: no serious fault by axe, no script error, no sideways scrolling.

Pages are found as people find them, by links, from a few doors; one of each kind is looked at. Without CI=true pictures
stay in the ignored tests/shots/pages/ for people to look at.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from functools import cache
from urllib.parse import urljoin, urlsplit

import pytest

from server.app import routed
from tests.support.browser import SHOTS, chromium
from tests.support.shots import Look, browser, walk
from tests.support.site import DEMO_PASSWORD, Site

pytestmark = pytest.mark.e2e

# Whose eyes, from which doors. The first account that meets a kind of page shows it.
DOORS: dict[str | None, tuple[str, ...]] = {
    None: ("/", "/login", "/studios", "/kiosk", "/code", "/check/pc"),
    "city": (
        "/",
        "/admin",
        "/admin/nodes",
        "/admin/live",
        "/indicators",
        "/reports",
        "/replays",
        "/me",
        "/timetable",
        "/demands",
        "/admin/lessons/new",
    ),
    "teacher": ("/desk", "/notices", "/check/path"),
    "studio": ("/desk", "/studios"),
    "school": ("/desk", "/invitations", "/timetable", "/admin"),
    "inspector": ("/", "/replays"),
    "assistant": ("/desk",),
}
NOT_PAGES = {
    # files, machines' doors, and addresses that only send elsewhere
    "/admin/exchange/export/{kind}.xlsx", "/admin/exchange/template/{kind}.xlsx", "/admin/schools.csv",
    "/admin/pairings/{pairing_id}/agreement", "/admin/rooms/{room_id}/install/tongtang.cmd", "/calendar/{secret}.ics",
    "/reports/{period}/{key}.csv", "/trust/tongtang.crt", "/metrics", "/healthz", "/readyz", "/home", "/login/oidc",
    "/login/oidc/back", "/reports",
    # what the demo city has none of: their own tests show them
    "/admin/exchange/{upload_id}", "/admin/channels/{channel_id}", "/admin/live/{lesson_id}", "/trust",
}  # fmt: skip
MOST_FETCHED = 200
PICTURES = None if os.environ.get("CI") == "true" else SHOTS / "pages"  # there nobody looks at them
HELD_BACK = 4  # tries of one kind: the first of its kind may not be for this account

LINK = re.compile(r'<a [^>]*?href="([^"#]+)', re.IGNORECASE)


@cache
def pages() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Every address that shows something to people, as its route says it; exact ones before those with ids."""
    found = set()
    for holder in routed().routes:
        contexts = getattr(holder, "effective_route_contexts", None)
        for route in contexts() if contexts else [holder]:
            path = str(getattr(route, "path", ""))
            if "GET" in (getattr(route, "methods", None) or ()) and not path.startswith(
                ("/static", "/api", "/internal")
            ):
                found.add(path)
    assert found >= NOT_PAGES, NOT_PAGES - found
    order = sorted(found - NOT_PAGES, key=lambda path: (path.count("{"), path))
    return tuple((path, re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))) for path in order)


def kind(path: str) -> str | None:
    """Which page an address is of."""
    return next((name for name, pattern in pages() if pattern.fullmatch(path)), None)


def find(site: Site, account: str | None, doors: tuple[str, ...]) -> dict[str, str]:
    """Kind -> address of the first page of that kind that answers, following links breadth first."""
    found: dict[str, str] = {}
    queue, seen, fetched, tries = list(doors), set(doors), 0, Counter[str]()
    with site.visitor(account) as visitor:
        while queue and fetched < MOST_FETCHED:
            address = queue.pop(0)
            of_kind = kind(urlsplit(address).path)
            if of_kind is None or of_kind in found or tries[of_kind] >= HELD_BACK:
                continue
            fetched += 1
            tries[of_kind] += 1
            answer = visitor.get(address, headers={"accept": "text/html"})
            if answer.status_code != 200 or "text/html" not in answer.headers["content-type"]:
                continue
            found[of_kind] = address
            for link in LINK.findall(answer.text):
                target = urlsplit(urljoin(site.url + address, link.replace("&amp;", "&")))
                if target.netloc == urlsplit(site.url).netloc and target.path not in seen:
                    seen.add(target.path)
                    queue.append(target.path)
    return found


@pytest.fixture(scope="module")
def found(site: Site) -> dict[str | None, dict[str, str]]:
    """Each kind once, under the account that met it first."""
    met: set[str] = set()
    pages: dict[str | None, dict[str, str]] = {}
    # A lesson that may be entered: the demo's own may be over, or cancelled by a test before this one.
    lesson = site.plan_lesson("看图写话", starts_in=900, minutes=20, assistant="assistant")
    for account, doors in DOORS.items():
        doors = (*doors, f"/lessons/{lesson.id}") if account == "inspector" else doors
        pages[account] = {k: v for k, v in find(site, account, doors).items() if k not in met}
        met |= pages[account].keys()
    return pages


@pytest.fixture(scope="module")
def looks(site: Site, found: dict[str | None, dict[str, str]]) -> list[Look]:
    plan = {account: pages.values() for account, pages in found.items()}
    with browser(chromium()) as opened:
        return walk(opened, site.url, plan, PICTURES, password=DEMO_PASSWORD, sizes=("desk", "phone"))


def test_every_kind_of_page_is_reached_by_links(found: dict[str | None, dict[str, str]]) -> None:
    met = {kind for looked in found.values() for kind in looked}
    every = {name for name, _ in pages()}
    assert met >= every, f"not reached by links: {sorted(every - met)}"


def test_pages_answer(looks: list[Look]) -> None:
    assert looks
    assert [(look.path, look.status) for look in looks if look.status != 200] == []


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
@pytest.mark.parametrize("size", ["desk", "phone"])
def test_pages_have_no_serious_fault(looks: list[Look], locale: str, size: str) -> None:
    faults = [
        (look.path, fault) for look in looks if (look.locale, look.size) == (locale, size) for fault in look.faults
    ]
    assert faults == []
