"""What /api/v1/openapi.json says beside the routes: how to sign in, how lists are walked, what the nouns are."""

from __future__ import annotations

from fastapi.security import HTTPBearer

DESCRIPTION = """
Everything of the city's register, timetable and ledger as JSON. Each answer holds what the asker's posts reach
and no more.

**Signing in.** Pages of ours send their session cookie; writing also needs the page's token in `X-CSRF`. Other
systems send `Authorization: Bearer tt-…`, a machine token that an administrator makes under 管理 → 对外通知 → 接口令牌.
It only reads, within its place, at most 300 times a minute, and sees no pupil.

**Lists** take `page` and `size` (at most 100) and answer `items`, `count`, `page`, `pages`; a page past the end
is the last one. Lessons and notices take `offset` and `limit`. Filters that are left out or empty do not
narrow.

**Errors** answer `{"error": {"key", "message", "params"}}` with a sentence in the language of `?lang=zh-CN` or
`?lang=en`: 401 not signed in, 403 not allowed, 404 not there or not in reach, 409 changed meanwhile, 422 not
understood, 429 too often (`Retry-After`).

**Moments** are ISO 8601 with an offset; days are the city's (Asia/Shanghai). Ids are opaque and stay for ever.

**Changes** are pushed to webhooks (管理 → 对外通知), signed with HMAC-SHA256.
"""

TAGS = [
    {"name": "schools", "description": "Districts, schools, rooms, screens: the register, with what it said before."},
    {"name": "classes", "description": "Classes by entry year: headcounts, never names."},
    {"name": "people", "description": "People and their posts with dates."},
    {"name": "pairings", "description": "结对: which school helps which, from when to when."},
    {"name": "groups", "description": "教育集团, 学区, 区域发展共同体, 直属帮扶 and their members."},
    {"name": "gaps", "description": "缺课需求: what a school cannot teach this term."},
    {"name": "demands", "description": "需求对接: needs posted by schools, slots offered for them."},
    {"name": "classrooms", "description": "同步课堂: a subject for a term, a lead room and its receiving rooms."},
    {"name": "timetable", "description": "Terms, calendar, bells, weekly slots, publishing, the slot finder."},
    {"name": "lessons", "description": "课次: dated lessons, their changes, seats and slides."},
    {"name": "notices", "description": "What the asker was told, read or not."},
    {"name": "channels", "description": "对外通知: robots, short messages, webhooks, and what went out through them."},
    {"name": "tokens", "description": "接口令牌: machines that read this interface."},
]

BEARER = HTTPBearer(auto_error=False, scheme_name="machine", description="A machine token, `tt-…`: reads only.")
"""Only for the description: ``middleware.SignInLayer`` looks at the header itself."""
