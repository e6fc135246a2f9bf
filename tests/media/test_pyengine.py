"""The Python twin keeps the contract, in place and over pylibsrtp's copying interface."""

from __future__ import annotations

import pytest

from media.pyengine import PythonEngine
from tests.media.engine_contract import EngineContract
from tests.support.engine_rig import Make


class TestPythonEngine(EngineContract):
    @pytest.fixture(params=[True, False], ids=["in place", "copying"])
    def engine(self, request: pytest.FixtureRequest) -> Make:
        return lambda random: PythonEngine(request.param, random)
