"""Each row of the table of lights, once by itself; and which of two causes is named."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, get_args

import pytest

from server.selftests.checks import RULES, Light, Reading, Rule, Verdict, judge, merged
from server.templating import LOCALES, texts

WELL = Reading(
    camera="good", microphone="good", loudspeaker="heard", path="all_good", rtt_ms=20, up_kbps=4000, down_kbps=20_000,
    clock_ms=300, disk_mb=9000, chromium=109,
)  # fmt: skip

ROWS: dict[str, dict[str, Any]] = {
    "unbound": {"bound": False},
    "off": {"alive": False},
    "untested": {"tested": False},
    "old_browser": {"chromium": 108},
    "insecure": {"lacks": ("insecure",)},
    "no_node": {"path": "no_node"},
    "ws_blocked": {"path": "ws_blocked"},
    "path_blocked": {"path": "all_blocked"},
    "clock_wrong": {"clock_ms": -600_001},
    "line_dead": {"down_kbps": 99},
    "sound_blocked": {"loudspeaker": "blocked"},
    "mute": {"loudspeaker": "unheard"},
    "mic_denied": {"microphone": "denied", "loudspeaker": "unheard"},
    "mic_none": {"microphone": "none", "loudspeaker": "unheard"},
    "mic_busy": {"microphone": "busy", "loudspeaker": "unheard"},
    "mic_silent": {"microphone": "silent", "loudspeaker": "unheard"},
    "camera_denied": {"camera": "denied"},
    "camera_none": {"camera": "none"},
    "camera_busy": {"camera": "busy"},
    "camera_dark": {"camera": "dark"},
    "faint": {"loudspeaker": "faint"},
    "path_tcp": {"path": "tcp_only"},
    "down_thin": {"down_kbps": 599},
    "up_thin": {"up_kbps": 249},
    "clock_off": {"clock_ms": 60_001},
    "disk_full": {"disk_mb": 99},
    "unheard_today": {"loudspeaker": None},
}


def test_every_row_has_its_case() -> None:
    assert list(ROWS) == [rule.key for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.key)
def test_a_row_by_itself_names_itself(rule: Rule) -> None:
    assert judge(replace(WELL, **ROWS[rule.key])) == Verdict(rule.light, rule.key)


def test_a_screen_that_is_well_has_nothing_to_do() -> None:
    assert judge(WELL) == Verdict("green")


@pytest.mark.parametrize(
    ("found", "light"),
    [
        ({"clock_ms": -600_000, "down_kbps": 100}, "yellow"),
        ({"clock_ms": 60_000, "down_kbps": 600, "up_kbps": 250, "disk_mb": 100}, "green"),
        ({"chromium": None}, "green"),  # Safari, Firefox
        ({"chromium": None, "lacks": ("webrtc",)}, "red"),
        ({"lacks": ("wakelock",)}, "green"),
    ],
)
def test_borders(found: dict[str, Any], light: Light) -> None:
    assert judge(replace(WELL, **found)).light == light


def test_the_worst_comes_first() -> None:
    order = [rule.light for rule in RULES if rule.light in ("red", "yellow")]
    assert order == sorted(order, key=("red", "yellow").index)
    both = replace(WELL, camera="dark", loudspeaker="unheard", path="no_node")
    assert judge(both).cause == "no_node"
    assert judge(replace(both, alive=False)).cause == "off", "what was measured before it was switched off is old"


@pytest.mark.parametrize("locale", LOCALES)
def test_every_row_says_its_cause_and_what_to_do(locale: str) -> None:
    held = texts(locale).sentences
    wanted = {f"selftests.{part}.{rule.key}" for rule in RULES for part in ("cause", "act")}
    wanted |= {f"selftests.light.{light}" for light in get_args(Light)} | {"selftests.act.off_no_phone"}
    assert wanted - set(held) == set()


def answers(**found: Any) -> SimpleNamespace:
    return SimpleNamespace(**{name: found.get(name) for name in Reading.__slots__} | {"lacks": found.get("lacks", [])})


def test_a_silent_test_forgets_no_chirp() -> None:
    loud = answers(camera="good", microphone="good", loudspeaker="heard", path="tcp_only", chromium=120)
    silent = answers(path="all_good", up_kbps=900, chromium=120)
    reading = merged([loud, silent])
    assert (reading.loudspeaker, reading.path, reading.up_kbps) == ("heard", "all_good", 900)
    assert merged([]).tested is False


def test_the_browser_is_the_one_there_now() -> None:
    old = answers(chromium=86, lacks=["webrtc"])
    assert judge(merged([old, answers(chromium=None, loudspeaker="heard")])).light == "green"
