"""The rights page says every row of the table that decides, in both languages."""

from __future__ import annotations

import re

import pytest

from server.scope import rights
from server.templating import LOCALES, texts
from tests.support.web import Web


@pytest.mark.parametrize("locale", LOCALES)
def test_every_row_has_words(locale: str) -> None:
    t = texts(locale)
    for right in rights():
        for key in (f"rights.action.{right.action}", f"rights.reach.{right.reach}", f"common.post.{right.post}"):
            assert t(key) != key, key


async def test_the_page_shows_the_table_that_decides(web: Web) -> None:
    dean = await web.person("dean", school=await web.school(await web.district()))
    browser = await web.sign_in(dean)
    page = (await browser.get("/admin/rights")).text
    assert page.count("<li>", page.index("<tbody>"), page.index("</tbody>")) == len(list(rights()))
    alone = (await browser.get("/admin/rights?post=dean")).text
    shown = set(re.findall(r'class="sub code">([a-z.]+)<', alone))
    assert shown == {right.action for right in rights() if right.post == "dean"}


async def test_who_only_teaches_has_no_table(web: Web) -> None:
    teacher = await web.person("teacher", school=await web.school(await web.district()))
    assert (await (await web.sign_in(teacher)).get("/admin/rights")).status_code == 403
