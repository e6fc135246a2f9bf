"""The two ways of the Python engine, over which every promise must hold. A C twin would be a third."""

from __future__ import annotations

import pytest

from tests.support.media_hall import Hall


@pytest.fixture(params=[True, False], ids=["in place", "copying"])
def hall(request: pytest.FixtureRequest) -> Hall:
    return Hall(in_place=request.param)
