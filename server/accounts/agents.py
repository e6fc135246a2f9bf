"""What a browser calls itself, in words its owner knows: "Chrome · Windows", not "Mozilla/5.0 (Windows NT 10.0; …"."""

from __future__ import annotations

import re

# The first that fits: every browser also says that it is the ones it grew from.
BROWSERS = (
    ("MicroMessenger/", "微信 WeChat"),
    ("Edg", "Edge"),
    ("QQBrowser/", "QQ"),
    ("QihooBrowser|360SE|360EE", "360"),
    ("HuaweiBrowser/", "Huawei"),
    ("Firefox/|FxiOS/", "Firefox"),
    ("Chrome/|CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("Windows NT", "Windows"),
    ("HarmonyOS|OpenHarmony", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone|iPad", "iOS"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
LONGEST = 40


def device_name(agent: str) -> str:
    """Empty for nothing; what is no browser is shown as it is."""
    named = [_first(table, agent) for table in (BROWSERS, SYSTEMS)]
    return " · ".join(filter(None, named)) if named[0] else agent[:LONGEST]


def _first(table: tuple[tuple[str, str], ...], agent: str) -> str:
    return next((name for pattern, name in table if re.search(pattern, agent)), "")
