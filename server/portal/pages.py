"""The front page: 正在直播, 今日课表, 名师工作室, 优课回放. Titles for strangers; sign in for more."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response

from server.clock import city_date
from server.dependencies import AnyScope, ClockDep, Html, Reading
from server.lessons.service import day_bounds
from server.portal import store
from server.scope import allows
from server.timetable.service import week_of

router = APIRouter(include_in_schema=False)

LIVE = 6
TODAY = 12
STUDIOS = 6
REPLAYS = 6


async def _today(session: Reading, scope: AnyScope, now: datetime) -> list[store.Notice]:
    """What fits on the page: lessons still to come first, filled up with those just over; shown in order of time."""
    start, end = day_bounds(now)
    first = await store.to_come(session, scope, max(start, now), end, TODAY)
    fill = await store.over(session, scope, start, now, TODAY - len(first)) if len(first) < TODAY else []
    return sorted([*first, *fill], key=lambda one: one.starts_at)


@router.get("/")
async def get_portal(page: Html, session: Reading, scope: AnyScope, clock: ClockDep) -> Response:
    now = clock.now()
    start, end = day_bounds(now)
    return page.render(
        "portal/index.html",
        now=now,
        week=await week_of(session, scope, city_date(now)),
        live=await store.live(session, scope, LIVE),
        live_count=await store.count_live(session, scope),
        today=await _today(session, scope, now),
        count=await store.count_today(session, scope, start, end),
        studios=await store.studios(session, scope, STUDIOS),
        replays=await store.replays(session, scope, now, REPLAYS),
        counts=await store.counts(session, scope),
        may_watch=allows(scope, "lesson.watch"),
    )
