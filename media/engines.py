"""Which packet engine runs: the C twin where it was built and finds its ciphers, else the Python one.

``python -m media.engines`` says it in one word: that is how ``tongtang doctor`` asks, for the web imports no media.
"""

from __future__ import annotations

import logging

from media.cengine import CEngine, find_native
from media.config import EngineChoice
from media.engine import Engine
from media.errors import ResourceError
from media.pyengine import PythonEngine

log = logging.getLogger("tongtang.media")


def open_engine(wanted: EngineChoice = "auto") -> Engine:
    """ResourceError when "native" is asked for and cannot be had."""
    native = find_native() if wanted != "python" else None
    if native is None and wanted == "native":
        raise ResourceError("the C packet engine is not built here, or no OpenSSL 3 gives the known answers")
    made: Engine = CEngine(native) if native is not None else PythonEngine()
    log.info("packet engine: %s", name_of(made))
    return made


def name_of(engine: Engine) -> str:
    return "native" if engine.native else "python"


if __name__ == "__main__":
    print(name_of(open_engine()))
