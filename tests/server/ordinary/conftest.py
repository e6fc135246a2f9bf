from __future__ import annotations

import pytest

from server.ids import new_id
from server.schools.models import SchoolClass
from tests.support.timetable import City, with_classroom
from tests.support.web import Browser, Web


@pytest.fixture
async def city(web: Web) -> City:
    return await with_classroom(web)


@pytest.fixture
async def pupils(web: Web, city: City) -> SchoolClass:
    """A class of the town school."""
    row = SchoolClass(id=new_id(), school_id=city.town.id, phase="primary", entry_year=2023, number=2, pupils=40)
    await web.add(row)
    return row


@pytest.fixture
async def dean(web: Web, city: City) -> Browser:
    """教务主任 of the town school."""
    return await web.sign_in(await web.person("dean", school=city.town, of_school=city.town))
