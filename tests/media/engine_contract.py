"""What every packet engine must do: one class, run on each twin. Bytes in, bytes out, with real SRTP keys.

A twin's test file subclasses ``EngineContract`` and overrides the fixture ``engine`` with its factory.
"""

from __future__ import annotations

from tests.media.engine_contract_forward import Forwarding
from tests.media.engine_contract_layers import LayerSwitching
from tests.media.engine_contract_model import Continuity, Hostility
from tests.media.engine_contract_pace import Pacing
from tests.media.engine_contract_repair import Repair
from tests.media.engine_contract_sound import Sound


class EngineContract(Forwarding, LayerSwitching, Continuity, Hostility, Repair, Sound, Pacing):
    """Everything. See its parents, a topic each."""
