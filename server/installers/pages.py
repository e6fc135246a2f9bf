"""Pages: the set-up of a room's PC with its installer; the page for PCs with a wrong clock or an old browser.

``/check/pc`` is open to everybody and made to be served by plain HTTP: a PC in the wrong year trusts no certificate.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from server.clock import to_ms
from server.dependencies import ClockDep, Html, Reading, SignedIn
from server.errors import InvalidError
from server.installers.windows import ORIGIN, Site, script
from server.schools import service
from server.schools.models import Room
from server.schools.schemas import Id
from server.security import own_origin
from server.templating import texts

router = APIRouter(include_in_schema=False)

CODE_PAGES = {"zh-CN": (936, "gb18030"), "en": (437, "ascii")}
"""Windows' console of each language, and Python's name for it."""


def _site(request: Request) -> Site:
    origin = own_origin(request)
    if not ORIGIN.match(origin):
        raise InvalidError("install_origin")
    return Site(origin, request.app.state.settings.ntp_servers)


async def _room(session: Reading, scope: SignedIn, room_id: str) -> Room:
    return await service.get_room(session, scope, room_id, "device.bind")


@router.get("/admin/rooms/{room_id}/install")
async def get_install(request: Request, page: Html, session: Reading, scope: SignedIn, room_id: Id) -> Response:
    """What to do at the PC, step by step, and the file."""
    room = await _room(session, scope, room_id)
    return page.render("installers/install.html", room=room, site=_site(request))


@router.get("/admin/rooms/{room_id}/install/tongtang.cmd")
async def get_script(request: Request, session: Reading, scope: SignedIn, room_id: Id) -> Response:
    room = await _room(session, scope, room_id)
    code_page, encoding = CODE_PAGES[request.state.locale]
    text = script(_site(request), room.called, texts(request.state.locale), code_page)
    headers = {"Content-Disposition": 'attachment; filename="tongtang.cmd"'}
    return Response(text.encode(encoding, "replace"), headers=headers, media_type="application/octet-stream")


@router.get("/check/pc")
async def get_pc(request: Request, page: Html, clock: ClockDep) -> Response:
    return page.render("installers/pc.html", now=clock.now(), now_ms=to_ms(clock.now()), origin=own_origin(request))
