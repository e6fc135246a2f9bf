"""The two ways of the Python engine, over which every promise must hold. A C twin would be a third."""

from __future__ import annotations

import pytest

from tests.support.media_hall import Hall

_PARTS = ("_forward", "_layers", "_model", "_pace", "_repair", "_sound")
pytest.register_assert_rewrite(*(f"tests.media.engine_contract{part}" for part in _PARTS))


@pytest.fixture(params=[True, False], ids=["in place", "copying"])
def hall(request: pytest.FixtureRequest) -> Hall:
    return Hall(in_place=request.param)
