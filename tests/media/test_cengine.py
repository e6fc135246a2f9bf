"""The C twin keeps the contract; where it was not built, that is said."""

from __future__ import annotations

from random import Random

import pytest

from media.cengine import CEngine, find_native
from media.engine import Engine
from tests.media.engine_contract import EngineContract
from tests.support.engine_rig import Make

NATIVE = find_native()


@pytest.mark.skipif(NATIVE is None, reason="the C twin is not built here")
class TestCEngine(EngineContract):
    @pytest.fixture
    def engine(self) -> Make:
        def make(random: Random) -> Engine:
            return CEngine(NATIVE, random)

        return make
