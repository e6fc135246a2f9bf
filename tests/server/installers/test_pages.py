"""Who gets the installer; the page for PCs that can do nothing yet; and that its script is as old as it says."""

from __future__ import annotations

import re
from pathlib import Path

from server.templating import FRONTEND
from tests.support.web import Web

OLDEST = FRONTEND / "oldest" / "pc.js"
NEWER = re.compile(
    r"\b(let|const|class|import|export|async|await|yield|of)\b|=>|`|\.\.\.|\?\?|\?\.|\*\*|,\s*[}\])]"
    r"|\b(forEach|map|filter|indexOf|trim|bind|keys|JSON|addEventListener|querySelector|classList|textContent|fetch)\b"
    r"|\.(catch|finally|default|class|delete|new)\b|\b(get|set)\s+\w+\s*\("
)
"""What ECMAScript 3, or a browser of its days, does not know."""


def code(path: Path) -> str:
    """Without comments and strings."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.DOTALL)
    return re.sub(r'"[^"\n]*"', '""', text)


def test_the_script_is_ecmascript_3() -> None:
    assert NEWER.findall(code(OLDEST)) == []
    assert len(code(OLDEST).splitlines()) > 40
    for newer in ("let x", "a => b", "[1, 2,]", "list.forEach(f)", "promise.catch(f)", "`text`"):
        assert NEWER.search(newer), newer


async def test_the_room_s_keeper_downloads_it_and_nobody_else(web: Web) -> None:
    district = await web.district()
    village, other = await web.school(district, "南里小学"), await web.school(district, "别处小学")
    room = await web.room(village, "三年级 & calc")
    keeper = await web.sign_in(await web.person("technician", school=village, of_school=village))
    stranger = await web.sign_in(await web.person("technician", school=other, of_school=other))
    page = await keeper.get(f"/admin/rooms/{room.id}/install")
    assert "下载安装包" in page.text
    assert "http://class.test/check/pc" in page.text
    assert "不是 https" in page.text
    file = await keeper.get(f"/admin/rooms/{room.id}/install/tongtang.cmd")
    assert file.headers["content-disposition"] == 'attachment; filename="tongtang.cmd"'
    text = file.content.decode("gb18030")
    assert 'set "URL=http://class.test/kiosk"' in text
    assert "南里小学 三年级 calc" in text
    assert "ntp.ntsc.ac.cn,0x8" in text
    for path in ("install", "install/tongtang.cmd"):
        assert (await stranger.get(f"/admin/rooms/{room.id}/{path}")).status_code == 404
        assert (await web.browser().get(f"/admin/rooms/{room.id}/{path}")).status_code in (303, 401)


async def test_the_pc_page_needs_nobody_and_nothing_new(web: Web) -> None:
    answer = await web.browser().get("/check/pc")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store", "it tells the time"
    assert f'data-now="{int(web.clock.now().timestamp() * 1000)}"' in answer.text
    assert "2026-11-16 09:00" in answer.text
    assert "电脑时间不对" in answer.text
    assert "请切换极速模式" in answer.text
    assert 'type="module"' not in answer.text
    assert not re.search(r"<script(?![^>]*\bsrc=)|\bstyle=|\bon\w+=", answer.text), "the CSP lets none in"
    for asset in re.findall(r'(?:href|src)="(/static/[^"]+)"', answer.text):
        assert (await web.browser().get(asset)).status_code == 200
    assert "This PC's time is wrong" in (await web.browser().get("/check/pc?lang=en")).text.replace("&#39;", "'")
