"""路径检查: which ways lead from here to the node, what is shut, and whom to ask."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from server.dependencies import Html, SignedIn

router = APIRouter(include_in_schema=False)


@router.get("/check/path")
async def get_path(page: Html, scope: SignedIn) -> Response:
    return page.render("paths/path.html", screen=scope.device is not None)
