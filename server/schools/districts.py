"""The city's districts: known, not typed, so that the first school can be."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from server.schools import store
from server.schools.models import District
from server.scope import Scope

DISTRICTS: tuple[tuple[str, str, str, str], ...] = (
    # GB/T 2260 code, name, English name, class (policy 1 二(一)(二); grouping as in domain.md section 4)
    ("120101", "和平区", "Heping District", "central"),
    ("120102", "河东区", "Hedong District", "central"),
    ("120103", "河西区", "Hexi District", "central"),
    ("120104", "南开区", "Nankai District", "central"),
    ("120105", "河北区", "Hebei District", "central"),
    ("120106", "红桥区", "Hongqiao District", "central"),
    ("120110", "东丽区", "Dongli District", "ring"),
    ("120111", "西青区", "Xiqing District", "ring"),
    ("120112", "津南区", "Jinnan District", "ring"),
    ("120113", "北辰区", "Beichen District", "ring"),
    ("120114", "武清区", "Wuqing District", "far"),
    ("120115", "宝坻区", "Baodi District", "far"),
    ("120116", "滨海新区", "Binhai New Area", "special"),
    ("120117", "宁河区", "Ninghe District", "far"),
    ("120118", "静海区", "Jinghai District", "far"),
    ("120119", "蓟州区", "Jizhou District", "far"),
)


async def seed(session: AsyncSession, scope: Scope) -> int:
    """Puts in those that are missing; what is there stays as it is."""
    there = {one.id for one in await store.districts(session, scope)}
    rows = [
        District(id=code, name=name, name_en=english, kind=kind)
        for code, name, english, kind in DISTRICTS
        if code not in there
    ]
    session.add_all(rows)
    await session.flush()
    return len(rows)
