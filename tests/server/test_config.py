"""Settings: unknown keys are errors, every field is documented, web and node know each other's keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from server import config
from server.config import SettingsError, WebSettings, load
from signaling import config as node


def test_web_and_node_know_each_other_s_keys() -> None:
    assert node.NODE_KEYS == config.NODE_KEYS
    assert config.WEB_KEYS - node.NODE_KEYS == node.WEB_KEYS


def test_a_typo_is_an_error_that_names_the_right_key() -> None:
    with pytest.raises(
        SettingsError, match=r"TONGTANG_DATABSE_URL is not a setting; did you mean TONGTANG_DATABASE_URL"
    ):
        load({"TONGTANG_DATABSE_URL": "x"})


def test_other_people_s_keys_are_not_ours() -> None:
    assert load({"PATH": "/bin", "TONGTANG_NODE_PORT": "9001"}).port == 8000


@pytest.mark.parametrize(
    ("key", "value"),
    [("PORT", "0"), ("PORT", "http"), ("PUBLIC_ORIGIN", "class.edu.cn"), ("NODE_ORIGINS", "ws://a; script-src *")],
)
def test_a_value_that_makes_no_sense_is_an_error_that_names_its_key(key: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"TONGTANG_{key}"):
        load({f"TONGTANG_{key}": value})


def test_everything_lies_in_the_data_folder_unless_said() -> None:
    held = load({"TONGTANG_DATA": "/srv/t"})
    assert held.database_url == "sqlite+aiosqlite:////srv/t/tongtang.db"
    assert (held.objects, held.seat_key) == ("/srv/t/objects", Path("/srv/t/keys/seat.pem"))
    assert load({"TONGTANG_DATABASE_URL": "postgresql+psycopg://h/d"}).embedded is False


def test_empty_means_not_given() -> None:
    assert load({"TONGTANG_REDIS_URL": "", "TONGTANG_PORT": ""}).redis_url is None


def test_the_example_names_every_key_once_and_says_what_it_is() -> None:
    lines = config.example().splitlines()
    keys = [line.lstrip("#").split("=")[0] for line in lines if line.startswith("#TONGTANG_")]
    assert sorted(keys) == sorted(config.WEB_KEYS)
    assert all(field.description for field in WebSettings.model_fields.values())
