"""Every page, both languages, desk and phone: no serious fault by axe, no script error, no sideways scrolling.

Pages are found as people find them, by links, from a few doors; one of each kind is looked at. The pictures stay in the
ignored tests/shots/pages/ for people to look at.
"""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

import pytest

from tests.support.browser import SHOTS, chromium
from tests.support.shots import Look, browser, walk
from tests.support.site import DEMO_PASSWORD, Site

pytestmark = pytest.mark.e2e

# Whose eyes, from which doors. The first account that meets a kind of page shows it.
DOORS: dict[str | None, tuple[str, ...]] = {
    None: ("/", "/login", "/studios", "/kiosk"),
    "city": (
        "/",
        "/admin",
        "/admin/nodes",
        "/admin/live",
        "/indicators",
        "/reports",
        "/replays",
        "/me",
        "/admin/lessons/new",
    ),
    "teacher": ("/desk",),
    "inspector": ("/", "/replays"),
    "assistant": ("/desk",),
}
# Kinds of pages that must have been met: if a door closes or a link is lost, this says so.
EXPECTED = {
    "/",
    "/login",
    "/me",
    "/desk",
    "/kiosk",
    "/studios",
    "/studios/*",
    "/replays",
    "/lessons/*",
    "/indicators",
    "/indicators/*/*/*/*",
    "/indicators/lessons/*",
    "/reports/*/*",
    "/admin",
    "/admin/live",
    "/admin/nodes",
    "/admin/schools",
    "/admin/schools/*",
    "/admin/schools/new",
    "/admin/people",
    "/admin/people/*",
    "/admin/classrooms",
    "/admin/classrooms/*",
    "/admin/lessons",
    "/admin/lessons/new",
    "/admin/rooms/*",
    "/live/*/teach",
    "/live/*/watch",
    "/companion/*",
}
MOST_FETCHED = 60

LINK = re.compile(r'<a [^>]*?href="([^"#]+)', re.IGNORECASE)
# fmt: off
WORDS = {
    "admin", "schools", "new", "people", "classrooms", "lessons", "rooms", "nodes", "edit", "cancel", "indicators",
    "reports", "replays", "studios", "desk", "me", "login", "kiosk", "live", "teach", "watch", "class", "companion",
}
# fmt: on


def kind(path: str) -> str:
    """The path with every name and id as a star."""
    parts = [part if part in WORDS else "*" for part in path.strip("/").split("/")]
    return "/" + "/".join(parts) if path != "/" else "/"


def find(site: Site, account: str | None, doors: tuple[str, ...]) -> dict[str, str]:
    """Kind -> address of the first page of that kind that answers, following links breadth first."""
    found: dict[str, str] = {}
    queue, seen, fetched = list(doors), set(doors), 0
    with site.visitor(account) as visitor:
        while queue and fetched < MOST_FETCHED:
            address = queue.pop(0)
            of_kind = kind(urlsplit(address).path)
            if of_kind in found:
                continue
            fetched += 1
            answer = visitor.get(address, headers={"accept": "text/html"})
            if answer.status_code != 200 or "text/html" not in answer.headers["content-type"]:
                continue
            found[of_kind] = address
            for link in LINK.findall(answer.text):
                target = urlsplit(urljoin(site.url + address, link.replace("&amp;", "&")))
                path = target.path
                if target.netloc == urlsplit(site.url).netloc and path not in seen and not path.endswith(".csv"):
                    seen.add(path)
                    queue.append(path)
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
    with browser(chromium()) as opened:
        return [
            look
            for account, pages in found.items()
            for look in walk(
                opened,
                site.url,
                pages.values(),
                SHOTS / "pages",
                login=account,
                password=DEMO_PASSWORD,
                sizes=("desk", "phone"),
            )
        ]


def test_every_kind_of_page_is_reached_by_links(found: dict[str | None, dict[str, str]]) -> None:
    met = {kind for pages in found.values() for kind in pages}
    assert met >= EXPECTED, f"not reached: {sorted(EXPECTED - met)}; met: {sorted(met)}"


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
