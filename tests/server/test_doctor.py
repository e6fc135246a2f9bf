"""The doctor: every finding has its sentence and its mend in both languages, and the sick are told from the well."""

from __future__ import annotations

import inspect
import re
import socket
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from server import doctor, reach
from server.config import WebSettings
from server.doctor import Finding
from server.lessons.models import Node
from server.templating import texts
from server.up import ensure_seat_keys
from tests.support.services import Turn
from tests.support.web import Web


@pytest.fixture
def settings(tmp_path: Path) -> WebSettings:
    return WebSettings.model_validate({"data": tmp_path, "port": 8000})


def test_every_finding_has_its_words() -> None:
    source = inspect.getsource(doctor) + inspect.getsource(reach)
    said = {
        *re.findall(r'"([a-z]+(?:_[a-z]+)*)"', source),
        *re.findall(r"doctor\.([a-z_]+)'", source),
        "end_bad",
        "end_good",
    }
    ill = set(re.findall(r'Finding\(\s*"(?:bad|caution)", "([a-z_]+)"', source))
    assert len(ill) > 8
    for locale in ("zh-CN", "en"):
        t = texts(locale)
        keys = {key.removeprefix("doctor.") for key in t.area("doctor")}
        unused = {
            key for key in keys if key.removesuffix(".mend") not in said and not key.startswith(("redis", "origin"))
        }
        assert unused == set()
        assert {key for key in ill if key not in keys or f"{key}.mend" not in keys} == set()
        assert texts("zh-CN").area("doctor").keys() == t.area("doctor").keys()


def test_a_line_shows_shape_word_and_mend() -> None:
    t = texts("en")
    low = doctor.line(Finding("bad", "disk_low", {"gb": "0.1", "path": "/srv"}), t)
    assert low.startswith("✗ Only 0.1 GB free (/srv)\n    → make room")
    assert "→" not in doctor.line(Finding("good", "disk", {"gb": "9", "path": "/"}), t)


def test_a_key_that_others_can_read_is_bad(settings: WebSettings) -> None:
    assert doctor.keys(settings).key == "keys_missing"
    ensure_seat_keys(settings.seat_key)
    assert doctor.keys(settings).band == "good"
    settings.seat_key.chmod(0o644)
    assert doctor.keys(settings) == Finding("bad", "keys_open", {"path": str(settings.seat_key)})


def test_a_taken_port_is_found(settings: WebSettings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = settings.model_copy(update={"port": taken.getsockname()[1]})
        found = list(doctor.ports(busy, {}))
    assert (found[0].key, found[0].band) == ("port_taken", "caution")


async def test_an_empty_and_an_absent_database(settings: WebSettings, tmp_path: Path) -> None:
    assert (await doctor.database(settings)).key == "database_empty"
    away = settings.model_copy(update={"database_url": "postgresql+psycopg://nobody@127.0.0.1:1/x"})
    assert (await doctor.database(away)).key == "database_away"


async def test_the_object_store_is_tried_and_left_as_it_was(settings: WebSettings, tmp_path: Path) -> None:
    assert (await doctor.objects(settings)).band == "good"
    assert not [path for path in (tmp_path / "objects").rglob("*") if path.is_file()]


@pytest.mark.parametrize(("compiler", "key"), [(None, "engine_python_no_compiler"), ("/usr/bin/cc", "engine_python")])
def test_without_the_c_engine_it_says_whether_a_compiler_is_there(
    monkeypatch: pytest.MonkeyPatch, compiler: str | None, key: str
) -> None:
    monkeypatch.setattr("server.doctor.importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("server.doctor.shutil.which", lambda name: compiler)
    assert doctor.engine() == Finding("caution", key)


@pytest.mark.parametrize(
    ("said", "key"), [("native\n", "engine_c"), ("python\n", "engine_no_ciphers"), ("", "engine_no_ciphers")]
)
def test_a_built_c_engine_is_asked_whether_it_runs(monkeypatch: pytest.MonkeyPatch, said: str, key: str) -> None:
    answer = subprocess.CompletedProcess([], 0, said, "")
    monkeypatch.setattr("server.doctor.importlib.util.find_spec", lambda name: object())
    monkeypatch.setattr("server.doctor.subprocess.run", lambda *args, **settings: answer)
    assert doctor.engine().key == key


def test_http_for_others_than_this_machine_is_called_out(settings: WebSettings) -> None:
    open_to_all = settings.model_copy(update={"listen": "0.0.0.0"})
    assert [finding.key for finding in doctor.web(open_to_all)] == ["origin_http"]
    assert list(doctor.web(settings)) == []


SITE = "https://class.example"


@pytest.mark.parametrize(
    ("origin", "allowed", "url", "keys"),
    [
        (SITE, (), "wss://class.example/n/1", ["node_url"]),
        (SITE, (), "wss://class.example:443/n/1", ["node_url"]),
        (SITE, (), "ws://{host}:8001", ["node_mixed"]),
        (SITE, ("ws://{host}:8001", "http://{host}:8001"), "ws://{host}:8001", ["node_mixed"]),
        (SITE, (), "wss://media.example/n/1", ["node_not_allowed"]),
        (SITE, (), "wss://class.example:8443", ["node_not_allowed"]),
        (SITE, ("wss://media.example", "https://media.example"), "wss://media.example/n/1", ["node_url"]),
        (SITE, ("wss://{host}:8443", "https://{host}:8443"), "wss://class.example:8443", ["node_url"]),
        (SITE, ("wss://media.example",), "wss://media.example", ["node_not_allowed"]),
        (SITE, ("ws://{host}:8443", "http://{host}:8443"), "wss://{host}:8443", ["node_url"]),
        (SITE, (), "wss://nowhere.example", ["node_unknown", "node_not_allowed"]),
        (SITE, (), "ws://nowhere.example", ["node_mixed", "node_unknown", "node_not_allowed"]),
        (None, (), "ws://{host}:8001", ["node_url"]),
        (None, (), "wss://media.example/n/1", ["node_url"]),
        (None, ("ws://{host}:8003", "http://{host}:8003"), "ws://{host}:8001", ["node_not_allowed"]),
        ("http://10.0.0.7:8000", (), "ws://10.0.0.7:8000/n/1", ["node_url"]),
        ("http://10.0.0.7:8000", (), "ws://10.0.0.7:8001", ["node_not_allowed"]),
    ],
)
def test_addresses_that_do_not_fit_each_other(
    settings: WebSettings,
    monkeypatch: pytest.MonkeyPatch,
    origin: str | None,
    allowed: tuple[str, ...],
    url: str,
    keys: list[str],
) -> None:
    def known(host: str, port: object) -> list[object]:
        if host == "nowhere.example":
            raise socket.gaierror("Name or service not known")
        return []

    monkeypatch.setattr("server.reach.socket.getaddrinfo", known)
    site = settings.model_copy(update={"public_origin": origin, "node_origins": allowed})
    found = list(reach.nodes(site, [url, url]))
    assert [finding.key for finding in found] == keys
    assert all(finding.band == ("good" if finding.key == "node_url" else "bad") for finding in found)
    assert all("{" not in doctor.line(finding, texts("en")).replace("{host}", "") for finding in found)


def test_the_mend_names_what_is_missing(settings: WebSettings) -> None:
    site = settings.model_copy(update={"public_origin": "https://localhost", "node_origins": ("wss://localhost:8443",)})
    [finding] = reach.nodes(site, ["wss://localhost:8443/n/1"])
    said = doctor.line(finding, texts("en"))
    assert "add https://localhost:8443 to the web's TONGTANG_NODE_ORIGINS" in said


async def test_nodes_that_reported_lately_are_looked_at(web: Web, web_settings: WebSettings) -> None:
    for name, ago in (("n1", timedelta()), ("n2", timedelta(days=30))):
        await web.node(name)
        async with web.database.transaction() as session:
            (await session.get_one(Node, name)).seen_at = datetime.now(UTC) - ago
    assert await reach.node_urls(web_settings) == ["ws://{host}:8001"]
    away = web_settings.model_copy(update={"database_url": "postgresql+psycopg://nobody@127.0.0.1:1/x"})
    assert await reach.node_urls(away) == []


def test_wrong_settings_are_the_first_thing_it_says() -> None:
    said: list[str] = []
    assert doctor.diagnose({"TONGTANG_PROT": "1"}, "en", said.append) == 1
    assert "TONGTANG_PROT is not a setting" in said[0]


@pytest.mark.parametrize(
    ("asked", "environ", "language"),
    [("en", {}, "en"), ("", {}, "zh-CN"), ("", {"LANG": "en_GB.UTF-8"}, "en"), ("", {"LANG": "zh_CN.UTF-8"}, "zh-CN")],
)
def test_it_speaks_the_operator_s_language(asked: str, environ: dict[str, str], language: str) -> None:
    assert doctor.language(asked, environ) == language


def test_small_receive_buffers_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setting = tmp_path / "rmem_max"
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    for size, band in ((212_992, "caution"), (8 << 20, "good")):
        setting.write_text(f"{size}\n")
        assert [finding.band for finding in doctor.buffers(setting)] == [band]
    assert list(doctor.buffers(tmp_path / "absent")) == []


def test_a_relay_is_asked_by_its_own_transport(settings: WebSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "CONNECT_SECONDS", 0.3)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute, socket.create_server(("127.0.0.1", 0)) as there:
        mute.bind(("127.0.0.1", 0))
        urls = (f"turn:127.0.0.1:{mute.getsockname()[1]}", f"turn:{{host}}:{there.getsockname()[1]}?transport=tcp")
        found = list(doctor.relays(settings.model_copy(update={"turn_urls": urls})))
    assert [finding.band for finding in found] == ["bad", "good"]


@pytest.mark.real
def test_coturn_answers_the_doctor(settings: WebSettings, turn_server: Turn) -> None:
    here = settings.model_copy(update={"turn_urls": (f"turn:127.0.0.1:{turn_server.port}?transport=udp",)})
    assert [finding.band for finding in doctor.relays(here)] == ["good"]


@pytest.mark.real
def test_a_relay_by_tls_shows_a_certificate_that_browsers_take(
    settings: WebSettings, turn_server: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found(host: str) -> tuple[str, str]:
        here = settings.model_copy(update={"turn_urls": (f"turns:{host}:{turn_server.tls_port}?transport=tcp",)})
        [finding] = doctor.relays(here)
        return finding.band, finding.key

    assert found("127.0.0.1") == ("bad", "relay_untrusted")
    monkeypatch.setenv("SSL_CERT_FILE", str(turn_server.certificate))
    assert found("127.0.0.1") == ("good", "relay")
    assert found("localhost") == ("bad", "relay_untrusted"), "somebody else's name"
    assert found("{host}") == ("good", "relay")
    monkeypatch.setattr(doctor, "EXPIRY_DAYS", 91)
    assert found("127.0.0.1") == ("caution", "relay_ends")
