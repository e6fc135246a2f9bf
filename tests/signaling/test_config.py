"""The node's settings: typed, documented, unknown keys are errors; the web's keys are let through."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.config import NODE_KEYS as NODE_KEYS_OF_THE_WEB
from server.config import WEB_KEYS as REAL_WEB_KEYS
from signaling.config import NODE_KEYS, WEB_KEYS, NodeSettings, SettingsError, example, load

GIVEN = {"TONGTANG_NODE_SECRET": "s" * 16, "TONGTANG_SEAT_PUBLIC_KEY": "k.pem"}


def test_defaults() -> None:
    settings = load(GIVEN)
    assert (settings.node_port, settings.media_port, settings.media_addresses) == (8001, 8002, ())
    assert settings.seat_public_key == Path("k.pem") and "s" * 16 not in repr(settings)


def test_lists_are_separated_by_commas() -> None:
    given = {
        "TONGTANG_MEDIA_ADDRESSES": "192.0.2.1, 2001:db8::1",
        "TONGTANG_ORIGINS": "https://a.example,http://b:8000",
    }
    settings = load({**GIVEN, **given, "HOME": "/x"})
    assert settings.media_addresses == ("192.0.2.1", "2001:db8::1")
    assert settings.origins == ("https://a.example", "http://b:8000")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("NODE_PORT", "70000"),
        ("NODE_SECRET", "short"),
        ("NODE_ID", "a b"),
        ("NODE_PUBLIC_URL", "http://x"),
        ("ORIGINS", "https://a/path"),
        ("MEDIA_ADDRESSES", "localhost"),
    ],
)
def test_wrong_values_name_their_key(key: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"TONGTANG_{key}: "):
        load({**GIVEN, f"TONGTANG_{key}": value})


def test_what_is_required() -> None:
    with pytest.raises(SettingsError, match="TONGTANG_SEAT_PUBLIC_KEY"):
        load({"TONGTANG_NODE_SECRET": "s" * 16})


def test_unknown_keys_are_errors_and_the_webs_are_not() -> None:
    with pytest.raises(SettingsError, match="did you mean TONGTANG_NODE_PORT"):
        load({**GIVEN, "TONGTANG_NODE_PROT": "1"})
    load({**GIVEN, **dict.fromkeys(WEB_KEYS, "x")})


def test_both_sides_know_each_others_keys() -> None:
    assert WEB_KEYS | NODE_KEYS == REAL_WEB_KEYS | NODE_KEYS_OF_THE_WEB


def test_every_key_is_documented() -> None:
    text = example()
    for name, field in NodeSettings.model_fields.items():
        assert field.description and f"# {field.description}\n#TONGTANG_{name.upper()}=" in text
