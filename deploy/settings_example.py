"""Writes ``deploy/settings.example.env`` from the typed settings of both processes (run it as a script).

One file may serve both processes: each lets the other's keys through and refuses every key that neither knows.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "deploy" / "settings.example.env"


def example() -> str:
    from server.config import example as web
    from signaling.config import example as node

    return f"{web()}\n\n{node()}"


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    TARGET.write_text(example(), "utf-8")
    print(f"wrote {TARGET.relative_to(ROOT)}")
