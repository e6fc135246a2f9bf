"""Lights in words: the cause and the one thing to do, in the asker's language."""

from __future__ import annotations

from server.selftests.board import Lamp
from server.selftests.models import SelfTest
from server.selftests.schemas import LightOut, LineWarning, RoomLightOut
from server.selftests.service import RoomLight
from server.templating import Texts


def act(light: RoomLight, t: Texts, phone: str = "", whom: str = "") -> str:
    if not light.cause:
        return ""
    if light.cause == "off":
        return t("selftests.act.off", phone=phone, whom=whom) if phone else t("selftests.act.off_no_phone")
    return t(f"selftests.act.{light.cause}")


def cause(light: RoomLight, t: Texts) -> str:
    return t(f"selftests.cause.{light.cause}") if light.cause else ""


def light_out(light: RoomLight, t: Texts) -> LightOut:
    return LightOut(
        light=light.light,
        word=t(f"selftests.light.{light.light}"),
        cause=cause(light, t),
        act=act(light, t),
        tested_at=light.tested_at,
        demo=light.demo,
    )


def lamp_out(lamp: Lamp, t: Texts) -> RoomLightOut:
    light = lamp.light
    return RoomLightOut(
        light=light.light,
        word=t(f"selftests.light.{light.light}"),
        cause=cause(light, t),
        act=act(light, t, lamp.phone, lamp.whom),
        tested_at=light.tested_at,
        demo=light.demo,
        room=lamp.room.id,
        room_name=lamp.room.name,
        school=lamp.room.school.short_name,
        phone=lamp.phone,
    )


def crowd(one: LineWarning, t: Texts) -> str:
    """A line that two lessons share, in one sentence."""
    up, down = (t("selftests.kbps", value=f"{kbps / 1000:.1f}") for kbps in (one.up_kbps, one.down_kbps))
    named = {"name": one.name, "wanted": one.wanted_title, "title": one.title}
    return t("selftests.crowd", day=one.day, time=one.time, up=up, down=down, **named)


UNITS = {"up_kbps": "kbps", "down_kbps": "kbps", "clock_ms": "value.seconds", "disk_mb": "value.megabytes"}
SHOWN = ("camera", "microphone", "loudspeaker", "path", *UNITS, "chromium")


def found(test: SelfTest, t: Texts) -> list[str]:
    """A test's answers one by one, those it gave."""
    held = ((name, getattr(test, name)) for name in SHOWN)
    return [f"{t(f'selftests.what.{name}')} {_value(name, value, t)}" for name, value in held if value is not None]


def _value(name: str, value: int | str, t: Texts) -> str:
    if isinstance(value, str):
        return t(f"selftests.value.{value}")
    if name == "chromium":
        return str(value)
    scaled = value if name == "disk_mb" else value / 1000
    return t(f"selftests.{UNITS[name]}", value=f"{scaled:,.0f}" if name == "disk_mb" else f"{scaled:,.1f}")
