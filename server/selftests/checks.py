"""From what a screen found to its light: one table of rules, the first that fits gives ONE cause and ONE thing to do.

Pure. Worst first, and among equals what hides the others first: who mends the cause on top sees the next one after
the next test. Sentences: ``selftests.cause.<key>`` and ``selftests.act.<key>``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

Light = Literal["green", "yellow", "red", "grey", "off"]
"""off: no sign of life (未开机), a state of its own: somebody must be rung up."""
Camera = Literal["good", "none", "denied", "busy", "dark"]
Microphone = Literal["good", "none", "denied", "busy", "silent"]
Loudspeaker = Literal["heard", "faint", "unheard", "blocked"]
"""By the chirp that its own microphone hears; blocked: the browser lets the page play no sound."""
Path = Literal["all_good", "relay_udp", "tcp_only", "relay_tcp", "relay_tls", "all_blocked", "ws_blocked", "no_node"]
"""The verdicts of the path check (frontend/modules/media/ways.js)."""
Lack = Literal["webrtc", "insecure", "wakelock"]

FLOOR = 109
"""The oldest Chromium that pages are made for: the last one for Windows 7."""
CLOCK_WRONG_MS = 600_000
"""A certificate renewed today is not valid yet for who lives in yesterday."""
CLOCK_OFF_MS = 60_000
DOWN_DEAD, DOWN_THIN = 100, 600
"""kbit/s: sound and slides need the first, the middle layer of the teacher's picture with sound the second."""
UP_THIN = 250
"""kbit/s: a class's own picture in one layer."""
DISK_MB = 100
TCP_PATHS = ("tcp_only", "relay_tcp", "relay_tls")


@dataclass(frozen=True, slots=True)
class Reading:
    """What is known of one screen today; None: not tested."""

    bound: bool = True
    alive: bool = True
    tested: bool = True
    camera: str | None = None
    microphone: str | None = None
    loudspeaker: str | None = None
    path: str | None = None
    rtt_ms: int | None = None
    up_kbps: int | None = None
    down_kbps: int | None = None
    clock_ms: int | None = None
    disk_mb: int | None = None
    chromium: int | None = None
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    key: str
    light: Light
    holds: Callable[[Reading], bool]


@dataclass(frozen=True, slots=True)
class Verdict:
    """``cause`` is the key of the rule; empty: nothing to do."""

    light: Light
    cause: str = ""


def _below(value: int | None, border: int) -> bool:
    return value is not None and value < border


def _beyond(value: int | None, border: int) -> bool:
    return value is not None and abs(value) > border


RULES: tuple[Rule, ...] = (
    Rule("unbound", "grey", lambda r: not r.bound),
    Rule("off", "off", lambda r: not r.alive),
    Rule("untested", "grey", lambda r: not r.tested),
    Rule("old_browser", "red", lambda r: _below(r.chromium, FLOOR) or "webrtc" in r.lacks),
    Rule("insecure", "red", lambda r: "insecure" in r.lacks),
    Rule("no_node", "red", lambda r: r.path == "no_node"),
    Rule("ws_blocked", "red", lambda r: r.path == "ws_blocked"),
    Rule("path_blocked", "red", lambda r: r.path == "all_blocked"),
    Rule("clock_wrong", "red", lambda r: _beyond(r.clock_ms, CLOCK_WRONG_MS)),
    Rule("line_dead", "red", lambda r: _below(r.down_kbps, DOWN_DEAD)),
    Rule("sound_blocked", "red", lambda r: r.loudspeaker == "blocked"),
    Rule("mute", "red", lambda r: r.loudspeaker == "unheard" and r.microphone == "good"),
    Rule("mic_denied", "yellow", lambda r: r.microphone == "denied"),
    Rule("mic_none", "yellow", lambda r: r.microphone == "none"),
    Rule("mic_busy", "yellow", lambda r: r.microphone == "busy"),
    Rule("mic_silent", "yellow", lambda r: r.microphone == "silent"),
    Rule("camera_denied", "yellow", lambda r: r.camera == "denied"),
    Rule("camera_none", "yellow", lambda r: r.camera == "none"),
    Rule("camera_busy", "yellow", lambda r: r.camera == "busy"),
    Rule("camera_dark", "yellow", lambda r: r.camera == "dark"),
    Rule("faint", "yellow", lambda r: r.loudspeaker == "faint"),
    Rule("path_tcp", "yellow", lambda r: r.path in TCP_PATHS),
    Rule("down_thin", "yellow", lambda r: _below(r.down_kbps, DOWN_THIN)),
    Rule("up_thin", "yellow", lambda r: _below(r.up_kbps, UP_THIN)),
    Rule("clock_off", "yellow", lambda r: _beyond(r.clock_ms, CLOCK_OFF_MS)),
    Rule("disk_full", "yellow", lambda r: _below(r.disk_mb, DISK_MB)),
    Rule("unheard_today", "yellow", lambda r: r.loudspeaker is None),
)


def judge(reading: Reading) -> Verdict:
    rule = next((one for one in RULES if one.holds(reading)), None)
    return Verdict(rule.light, rule.key) if rule else Verdict("green")


MEASURED = tuple(one.name for one in fields(Reading) if one.name not in ("bound", "alive", "tested", "lacks"))


def merged(tests: Iterable[Any]) -> Reading:
    """The newest answer to each question from a day's tests, the oldest first: a silent test says nothing about the
    loudspeaker, so what the loud one before it heard still holds. Except the browser: that is the one there now."""
    reading = Reading(tested=False)
    for test in tests:
        known = {name: value for name in MEASURED if (value := getattr(test, name)) is not None}
        browser = {"chromium": test.chromium, "lacks": tuple(test.lacks)}
        reading = replace(reading, **{**known, **browser, "tested": True})
    return reading
