"""Jinja2 with the page's language, texts, dates and assets. ``Page(request).render("desk.html", lessons=…)``.

In every template: ``t(key, **params)``, ``locale``, ``scope``, ``may(action)`` (a row of ``scope.RIGHTS``), ``me``
(signed-in person's name or None), ``asset(path)``, ``csrf``, ``fmt`` (date time datetime weekday number percent), and
for selects ``worded(area, keys)``, ``named(rows)``, ``called(row)``. No inline script or style: the CSP.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_decimal, format_percent
from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from server.clock import CITY
from server.scope import allows

FRONTEND = Path(__file__).resolve().parent.parent / "frontend"
LOCALES = ("zh-CN", "en")


class Texts:
    """All sentences of one language: ``frontend/locale/<locale>/*.json``, one file an area, keys "<area>.<name>"."""

    def __init__(self, locale: str) -> None:
        self.locale = locale
        self.sentences: dict[str, str] = {}
        for path in sorted((FRONTEND / "locale" / locale).glob("*.json")):
            for key, sentence in json.loads(path.read_text("utf-8")).items():
                self.sentences[f"{path.stem}.{key}"] = sentence

    def __call__(self, key: str, /, **params: Any) -> str:
        """The sentence with ``{name}`` filled in; an unknown key is our bug and shows as itself."""
        sentence = self.sentences.get(key)
        if sentence is None:
            return key
        return sentence.format(**params) if params else sentence

    def filled(self, key: str, /, **params: Any) -> str:
        """The same where what fills the sentence is itself said in the reader's language: "…_key" is a text key."""
        return self(key, **{name: self(str(v)) if name.endswith("_key") else v for name, v in params.items()})

    def area(self, *areas: str) -> dict[str, str]:
        """Sentences of some areas, for a page's script."""
        return {key: text for key, text in self.sentences.items() if key.split(".", 1)[0] in areas}


@cache
def texts(locale: str) -> Texts:
    return Texts(locale if locale in LOCALES else LOCALES[0])


@cache
def assets_version() -> str:
    """One hash over all static files: the address of assets changes when any of them does, imports included."""
    digest = hashlib.sha256()
    for folder in ("modules", "styles", "icons", "oldest"):
        for path in sorted((FRONTEND / folder).rglob("*")):
            if path.is_file():
                digest.update(path.relative_to(FRONTEND).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def asset(path: str) -> str:
    return f"/static/{assets_version()}/{path}"


@cache
def environment() -> Environment:
    env = Environment(
        loader=FileSystemLoader(FRONTEND / "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals["asset"] = asset
    return env


def _babel(locale: str) -> str:
    return {"zh-CN": "zh_Hans_CN", "en": "en_GB"}[locale]


def _decimals(pattern: str, digits: int) -> str:
    return f"{pattern}.{'0' * digits}" if digits else pattern


def formats(locale: str) -> dict[str, Any]:
    """Template functions that depend on the language. Moments are shown in the city's time zone."""
    babel = _babel(locale)
    return {
        "date": lambda d: format_date(d.astimezone(CITY) if isinstance(d, datetime) else d, "medium", locale=babel),
        "time": lambda d: format_time(d.astimezone(CITY), "HH:mm", locale=babel, tzinfo=CITY),
        "datetime": lambda d: format_datetime(d.astimezone(CITY), "yyyy-MM-dd HH:mm", locale=babel, tzinfo=CITY),
        "weekday": lambda d: format_date(d.astimezone(CITY) if isinstance(d, datetime) else d, "EEE", locale=babel),
        "number": lambda n, digits=0: format_decimal(n, format=_decimals("#,##0", digits), locale=babel),
        "percent": lambda n, digits=1: format_percent(n, format="0." + "0" * digits + "%", locale=babel),
    }


class Page:
    """Renders templates for one request, in the language of ``request.state.locale``."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.locale: str = request.state.locale
        self.t = texts(self.locale)

    def called(self, row: Any) -> str:
        """A row's name; a district's in the page's language."""
        return str(row.name_en if self.locale == "en" and getattr(row, "name_en", None) else row.name)

    def named(self, rows: Iterable[Any]) -> list[tuple[str, str]]:
        """A select's options: (id, name) of each row."""
        return [(row.id, self.called(row)) for row in rows]

    def worded(self, area: str, keys: Iterable[Any]) -> list[tuple[Any, str]]:
        """A select's options: each key with its sentence ``<area>.<key>``."""
        return [(key, self.t(f"{area}.{key}")) for key in keys]

    def render(self, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
        state = self.request.state
        html = (
            environment()
            .get_template(template)
            .render(
                request=self.request,
                path=self.request.url.path,
                locale=self.locale,
                t=self.t,
                fmt=formats(self.locale),
                called=self.called,
                named=self.named,
                worded=self.worded,
                may=partial(allows, state.scope),
                scope=state.scope,
                me=getattr(state, "me", None),
                csrf=getattr(state, "csrf", ""),
                demo=self.request.app.state.demo,
                status=status,
                **context,
            )
        )
        return HTMLResponse(html, status_code=status)
