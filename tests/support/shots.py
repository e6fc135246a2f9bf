"""Pages as people see them: walks addresses as their accounts, in both languages and every size; pictures, axe, faults.

    with browser() as chromium:
        looks = walk(chromium, "http://127.0.0.1:8000", {"teacher": ["/", "/desk"]}, folder, password="tongtang")
    assert [look for look in looks if look.faults] == []

Used by tests/e2e and by hand: ``python -m tests.support.shots http://127.0.0.1:8000 out/``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from server.templating import FRONTEND, LOCALES

SIZES = {"desk": (1280, 720), "wide": (1920, 1080), "phone": (390, 844)}
SERIOUS = ("serious", "critical")
# Structure and colours are the same in both languages: each page is judged once at each size, its colours once.
JUDGED = {("zh-CN", "desk"), ("en", "phone"), ("zh-CN", "wide")}
COLOURS = {("zh-CN", "desk")}
ARGUMENTS = (
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--no-first-run",
)
CHROMIUM = "/usr/bin/chromium"


@dataclass(frozen=True, slots=True)
class Look:
    """One page at one size in one language. ``faults``: axe's serious ones, script errors, overflow, raw keys."""

    path: str
    locale: str
    size: str
    picture: Path | None
    status: int
    faults: list[str] = field(default_factory=list)


@contextmanager
def browser(executable: str | None = None) -> Iterator[Browser]:
    where = executable or (CHROMIUM if Path(CHROMIUM).exists() else None)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=where, args=list(ARGUMENTS))
        try:
            yield chromium
        finally:
            chromium.close()


def sign_in(context: BrowserContext, base: str, login: str | None, password: str) -> None:
    """Whoever was signed in is forgotten. Over HTTP: the way through the form belongs to other tests."""
    context.clear_cookies()
    if login is None:
        return
    form = context.request.get(f"{base}/login").text()
    csrf = re.findall(r'<meta name="csrf" content="([^"]+)"', form)[0]
    answer = context.request.post(
        f"{base}/login",
        form={"login": login, "password": password, "csrf": csrf},
        headers={"origin": base},
        max_redirects=0,
    )
    if answer.status != 303:
        raise AssertionError(f"{login} could not sign in: {answer.text()[-1000:]}")


def walk(
    chromium: Browser,
    base: str,
    plan: Mapping[str | None, Iterable[str]],
    folder: Path | None,
    *,
    password: str = "",
    sizes: Iterable[str] = SIZES,
    locales: Iterable[str] = LOCALES,
) -> list[Look]:
    """Every account's paths x language x size; in ``folder``, if any, pictures named account_path_language_size.jpg.
    One context a language: what is kept of styles and scripts serves the next account too."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    looks: list[Look] = []
    for locale in locales:
        context = chromium.new_context(locale=locale, reduced_motion="reduce", timezone_id="Asia/Shanghai")
        context.add_init_script(AXE_SCRIPT)  # half the price of giving it to each page
        try:
            page = context.new_page()
            for login, paths in plan.items():
                sign_in(context, base, login, password)
                for path in paths:
                    looks += _looks(page, base, path, folder, login or "stranger", locale, sizes)
        finally:
            context.close()
    return looks


# A page's scripts may go on until it is drawn.
_DRAWN = "new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))"


def _looks(
    page: Page, base: str, path: str, folder: Path | None, who: str, locale: str, sizes: Iterable[str]
) -> Iterator[Look]:
    """Opened once and then resized, as a window is."""
    errors: list[str] = []
    note = lambda error: errors.append(f"script: {error}")  # noqa: E731
    page.on("pageerror", note)
    status = 0
    for size in sizes:
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        if not status:
            joint = "&" if "?" in path else "?"
            answer = page.goto(f"{base}{path}{joint}lang={locale}", wait_until="load")
            status = answer.status if answer else 0
        page.evaluate(_DRAWN)
        picture = _picture(page, folder, f"{who}_{path}", locale, size) if folder else None
        judged = axe(page, colours=(locale, size) in COLOURS) if (locale, size) in JUDGED else []
        yield Look(path, locale, size, picture, status, [*errors, *_overflow(page, width), *_raw_keys(page), *judged])
        errors.clear()
    page.remove_listener("pageerror", note)


def _picture(page: Page, folder: Path, name: str, locale: str, size: str) -> Path:
    """Whole in Chinese; below the first screen English differs in words only, and a long picture takes a second."""
    who, _, path = name.partition("_")
    words = re.sub(r"[^A-Za-z0-9]+", "-", path).strip("-") or "front"
    picture = folder / f"{who}_{words}_{locale}_{size}.jpg"
    page.screenshot(path=picture, full_page=locale == LOCALES[0], type="jpeg", quality=80)
    return picture


# Answers with what is wrong alone: the long list of what is right costs as much as finding it.
_AXE = """(options) => axe.run(options).then((found) => found.violations.map((one) => [
    one.impact, one.id, one.nodes[0].html.slice(0, 160),
]))"""


def axe(page: Page, *, colours: bool = True) -> list[str]:
    """Serious and critical findings of axe, one line each with the first element. Contrast takes most of its time."""
    options = {"resultTypes": ["violations"], "rules": {"color-contrast": {"enabled": colours}}}
    found = page.evaluate(_AXE, options)
    return [f"axe {impact}: {rule}: {html}" for impact, rule, html in found if impact in SERIOUS]


def _overflow(page: Page, width: int) -> list[str]:
    wide = int(page.evaluate("document.documentElement.scrollWidth"))
    return [f"scrolls sideways: {wide} > {width}"] if wide > width else []


# What is code on purpose (an action's name, a row of the audit log) is no missing sentence.
_SENTENCES = """() => {
    const body = document.body.cloneNode(true);
    body.querySelectorAll("script, style, .code, [data-raw]").forEach((one) => one.remove());
    return body.textContent;
}"""


def _raw_keys(page: Page) -> list[str]:
    """Text keys shown as themselves: a sentence is missing."""
    areas = "|".join(sorted(file.stem for file in (FRONTEND / "locale" / LOCALES[0]).glob("*.json")))
    keys = re.findall(rf"\b(?:{areas})\.[a-z_]+(?:\.[a-z_0-9]+)*\b", page.evaluate(_SENTENCES))
    return sorted({f"raw key: {key}" for key in keys})


def main() -> None:
    base, folder = sys.argv[1], Path(sys.argv[2])
    plan: dict[str | None, list[str]] = {
        None: ["/", "/login", "/studios"],
        "city": [
            "/",
            "/admin",
            "/admin/schools",
            "/admin/people",
            "/admin/classrooms",
            "/admin/lessons",
            "/admin/nodes",
        ],
        "teacher": ["/desk", "/me", "/replays"],
    }
    with browser() as chromium:
        for look in walk(chromium, base, plan, folder, password="tongtang"):
            print(look.status, look.picture, *look.faults, sep="\n    " if look.faults else " ")


if __name__ == "__main__":
    main()
