"""The installer as text: what it sets, in which order, and that nobody's words become a command."""

from __future__ import annotations

import re

import pytest

from server.installers.windows import BROWSERS, INSECURE, LISTS, NAME_AS, Site, harmless, script
from server.templating import LOCALES, texts

SITE = Site("https://class.example.edu.cn", ("ntp.example.edu.cn", "time.example.edu.cn"))
CODE = {"zh-CN": (936, "gb18030"), "en": (437, "ascii")}


def written(site: Site = SITE, room: str = "南里小学 三年级1班", locale: str = "zh-CN") -> str:
    return script(site, room, texts(locale), CODE[locale][0])


def place(text: str, part: str) -> int:
    assert part in text, part
    return text.index(part)


def test_the_clock_comes_first_then_policies_sleep_and_start() -> None:
    text = written()
    order = [
        "Set-Date",
        "w32tm /resync /force",
        LISTS[0],
        "powercfg /change standby-timeout-ac 0",
        "StartUp",
        "--kiosk",
    ]
    assert place(text, "Set-Date") < place(text, "AutoplayAllowlist") < place(text, "powercfg /change standby")
    assert all(part in text for part in order)
    assert "[Net.WebRequest]::Create('http://class.example.edu.cn/check/pc')" in text, "plain: TLS needs a right clock"
    assert '/manualpeerlist:"ntp.example.edu.cn,0x8 time.example.edu.cn,0x8"' in text


def test_every_browser_gets_every_policy_for_this_site_only() -> None:
    text = written()
    for browser in BROWSERS:
        for name in LISTS:
            key = rf"HKLM\SOFTWARE\Policies\{browser}\{name}"
            assert f'reg add "{key}" /v {NAME_AS} /t REG_SZ /d "https://class.example.edu.cn" /f' in text
            assert f'reg delete "{key}" /v {NAME_AS} /f' in text, "undo takes back what was set"
    assert INSECURE not in text
    assert "*" not in "".join(re.findall(r"reg add .*", text))


def test_a_site_on_plain_http_is_trusted_by_policy_and_said_so() -> None:
    text = written(Site("http://10.0.0.5:8000", ("ntp.example.edu.cn",)))
    assert text.count(INSECURE) == 2 * len(BROWSERS)
    assert "'http://10.0.0.5:8000/check/pc'" in text
    assert 'set "URL=http://10.0.0.5:8000/kiosk"' in text


@pytest.mark.parametrize("locale", LOCALES)
def test_it_is_a_file_windows_reads(locale: str) -> None:
    text = written(locale=locale)
    lines = text.split("\r\n")
    assert lines[0] == "@echo off"
    assert "\n" not in "".join(lines)
    text.encode(CODE[locale][1], "strict" if locale == "zh-CN" else "replace")
    assert "installers." not in text, "a sentence is missing"
    labels = {line[1:] for line in lines if line.startswith(":")}
    assert set(re.findall(r"goto (\w+)", text)) <= labels
    assert max(map(len, lines)) < 8191, "cmd's longest line"
    opened = sum(line.endswith("(") for line in lines)
    assert opened == lines.count(")")


@pytest.mark.parametrize("name", ["a & del /q C:\\", "x%PATH%y", 'q" & calc', "行\r\nformat c:", "^|<>()!`'"])
def test_a_rooms_name_is_no_command(name: str) -> None:
    text = written(room=name)
    assert not re.search(r"[^\w\- ]", harmless(name))
    head = [line for line in text.split("\r\n") if line.startswith(("rem Tongtang", "echo 同堂听讲端"))]
    assert len(head) == 2
    assert all(not re.search(r"[&|<>%\"^!]", line) for line in head)
    assert len(text.split("\r\n")) == len(written().split("\r\n")), "no line more"


def test_a_host_that_is_none_makes_no_script() -> None:
    with pytest.raises(ValueError):
        written(Site('http://x" & calc', ()))
