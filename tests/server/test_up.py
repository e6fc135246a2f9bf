"""The one-command start: keys are made once and shut, settings are filled in, children that die come back."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from server import tls, up
from server.config import SettingsError
from server.config import load as load_web
from server.security import load_keys, public_pem
from signaling.config import load as load_node


def test_keys_are_made_once_and_only_the_owner_reads_them(tmp_path: Path) -> None:
    private = tmp_path / "keys" / "seat.pem"
    public = up.ensure_seat_keys(private)
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    before = private.read_bytes()
    up.ensure_seat_keys(private)
    assert private.read_bytes() == before
    assert public.read_bytes() == public_pem(load_keys(private).seat.public_key())
    secret = up.ensure_node_secret(tmp_path / "keys" / "node.secret")
    assert len(secret) >= 32 and up.ensure_node_secret(tmp_path / "keys" / "node.secret") == secret


def test_web_and_node_take_what_up_tells_them(tmp_path: Path) -> None:
    environ = up.environment({"PATH": "/bin"}, 9000, tmp_path)
    web, node = load_web(environ), load_node(environ)
    assert (web.port, node.node_port, node.media_port) == (9000, 9001, 9002)
    assert web.node_secret == node.node_secret.get_secret_value()
    assert web.node_origins == ("ws://{host}:9001", "http://{host}:9001")
    assert node.objects == web.objects
    assert environ["PATH"] == "/bin"


def test_many_nodes_have_their_own_ports_names_and_spools(tmp_path: Path) -> None:
    environ = up.environment({}, 9000, tmp_path, nodes=3)
    nodes = [load_node(up.node_environment(environ, number)) for number in (1, 2, 3)]
    assert [(one.node_port, one.media_port) for one in nodes] == [(9001, 9002), (9003, 9004), (9005, 9006)]
    assert len({one.node_id for one in nodes}) == len({one.spool for one in nodes}) == 3
    assert [one.node_public_url for one in nodes] == [f"ws://{{host}}:{port}" for port in (9001, 9003, 9005)]
    assert [one.node_control_url for one in nodes] == [f"http://127.0.0.1:{p}/control" for p in (9001, 9003, 9005)]
    assert set(load_web(environ).node_origins) == {
        f"{s}://{{host}}:{p}" for s in ("ws", "http") for p in (9001, 9003, 9005)
    }


def test_what_the_caller_says_holds(tmp_path: Path) -> None:
    given = {"TONGTANG_NODE_SECRET": "a secret of the caller", "TONGTANG_LISTEN": "0.0.0.0", "TONGTANG_PORT": "1"}
    environ = up.environment(given, 9000, tmp_path)
    assert environ["TONGTANG_NODE_SECRET"] == "a secret of the caller"
    assert environ["TONGTANG_NODE_LISTEN"] == "0.0.0.0"
    assert environ["TONGTANG_PORT"] == "9000", "the command line is nearer than the environment"
    assert not (tmp_path / "keys" / "node.secret").exists()


def test_on_tls_people_and_nodes_have_doors_of_their_own(tmp_path: Path) -> None:
    paths = tls.Paths(tmp_path / "authority.crt", tmp_path / "site.crt", tmp_path / "site.key")
    environ = up.secure(up.environment({}, 9000, tmp_path, 2), {}, paths)
    web = load_web(environ)
    assert (web.listen, web.internal_port, web.tls_certificate) == ("0.0.0.0", 10000, paths.certificate)
    assert set(web.node_origins) == {
        f"{scheme}://{{host}}:{port}" for scheme in ("wss", "https") for port in (9001, 9003)
    }
    nodes = [load_node(up.node_environment(environ, number)) for number in (1, 2)]
    assert [one.node_public_url for one in nodes] == ["wss://{host}:9001", "wss://{host}:9003"]
    assert [one.node_internal_port for one in nodes] == [10001, 10003]
    assert [one.node_control_url for one in nodes] == [f"http://127.0.0.1:{port}/control" for port in (10001, 10003)]
    assert {one.web_url for one in nodes} == {"http://127.0.0.1:10000"}
    assert {one.tls for one in nodes} == {(paths.certificate, paths.key)}


@pytest.mark.parametrize(
    ("asked", "cores", "count"),
    [("1", 8, 1), ("4", 2, 4), ("auto", 1, 1), ("auto", 2, 1), ("auto", 8, 7), ("64", 1, 64)],
)
def test_auto_leaves_a_core_to_the_web(asked: str, cores: int, count: int) -> None:
    assert up.how_many(asked, cores) == count


@pytest.mark.parametrize("asked", ["0", "65", "-1", "many", "", "²"])
def test_no_such_number_of_nodes(asked: str) -> None:
    with pytest.raises(SettingsError, match="auto"):
        up.how_many(asked, 4)
