"""JSON of a replay, and its media bytes: stored once, never changed, so browsers may keep them for ever."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response, StreamingResponse

from server.audit.service import looked
from server.dependencies import ClockDep, Objects, Reading, SignedIn, Writing
from server.errors import NotFoundError, UnavailableError
from server.recordings import erasing, service, sound, store
from server.recordings.schemas import ReplayOut
from signaling.ports import ObjectMissingError, ObjectStoreError

router = APIRouter(prefix="/api/v1", tags=["recordings"])

Id = Annotated[str, Path(max_length=24, pattern=r"^[A-Za-z0-9_-]+$")]
Epoch = Annotated[int, Path(ge=1, le=1_000_000)]
Seq = Annotated[int, Path(ge=1, le=10_000_000)]
Track = Annotated[str, Path(max_length=24, pattern=r"^[a-z][a-z-]*$")]
File = Annotated[str, Path(max_length=40, pattern=r"^(init-)?[0-9]+\.(mp4|m4s|webm)$")]

OF_THE_TEACHER = frozenset({"mic", "camera", "screen", "screen-audio"})
TYPES = {"camera": "video", "screen": "video"}
CACHE = "private, max-age=31536000, immutable"
_RANGE = re.compile(r"^bytes=(\d+)-(\d*)$")


@router.get("/lessons/{lesson_id}/replay")
async def get_replay(
    request: Request, lesson_id: Id, session: Reading, scope: SignedIn, objects: Objects, response: Response
) -> ReplayOut:
    response.headers["Cache-Control"] = "private, no-cache"
    replay = await service.replay(session, scope, objects, lesson_id)
    others = sorted({one.track for one in replay.tracks} - OF_THE_TEACHER)
    if others:  # a class was on the stage: pupils are heard or seen
        await looked(request, "view", "recording", lesson_id, told={"tracks": "、".join(others)})
    return replay


@router.delete("/lessons/{lesson_id}/replay/chat/{seq}", status_code=204)
async def delete_chat_line(
    lesson_id: Id, seq: Seq, session: Writing, scope: SignedIn, objects: Objects, clock: ClockDep
) -> None:
    """Takes back a chat line's words after the lesson. For its teacher."""
    await erasing.erase(session, scope, objects, lesson_id, seq, clock.now())


@router.get("/lessons/{lesson_id}/replay/media/{epoch}/{track}/{file}", response_class=Response)
async def get_media(
    lesson_id: Id,
    epoch: Epoch,
    track: Track,
    file: File,
    request: Request,
    session: Reading,
    scope: SignedIn,
    objects: Objects,
) -> Response:
    """Bytes of one init or fragment; a single Range is understood (RFC 9110 section 14), others get the whole."""
    if not await store.lesson_exists(session, scope, lesson_id):
        raise NotFoundError
    etag = f'"{epoch}-{track}-{file}"'
    headers = {"ETag": etag, "Cache-Control": CACHE, "Accept-Ranges": "bytes"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    try:
        data = await objects.get(f"lessons/{lesson_id}/e{epoch}/{track}/{file}")
    except ObjectMissingError as error:
        raise NotFoundError from error
    except ObjectStoreError as error:
        raise UnavailableError from error
    return _ranged(data, request.headers.get("range"), _content_type(track, file), headers)


@router.get("/lessons/{lesson_id}/sound.m4a", response_class=Response)
async def get_sound(lesson_id: Id, request: Request, scope: SignedIn, objects: Objects) -> Response:
    """The lesson's sound to keep: for its teacher, and for those who may watch it. Encoded while it is sent."""
    async with request.app.state.database.reading() as session:
        replay = await service.replay(session, scope, objects, lesson_id)
        await service.check_may_keep(session, scope, lesson_id)
    track = next((one for one in replay.tracks if one.track == "mic"), None)
    files = [data async for data in sound.streams(objects, lesson_id, track)] if track else []
    if not files:
        raise NotFoundError
    await request.app.state.rates.hit("upload", scope.person or "-")
    headers = {"Content-Disposition": f'attachment; filename="{lesson_id}.m4a"', "Cache-Control": "private, no-store"}
    return StreamingResponse(sound.m4a(files), media_type="audio/mp4", headers=headers)


def _content_type(track: str, file: str) -> str:
    return f"{TYPES.get(track, 'audio')}/{'webm' if file.endswith('.webm') else 'mp4'}"


def _ranged(data: bytes, wanted: str | None, media_type: str, headers: dict[str, str]) -> Response:
    found = _RANGE.match(wanted or "")
    if found is None:
        return Response(data, media_type=media_type, headers=headers)
    start = int(found[1])
    end = min(int(found[2]) if found[2] else len(data) - 1, len(data) - 1)
    if start >= len(data) or end < start:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{len(data)}"})
    headers = {**headers, "Content-Range": f"bytes {start}-{end}/{len(data)}"}
    return Response(data[start : end + 1], 206, headers, media_type)
