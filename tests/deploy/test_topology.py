"""The production files fit together: compose schema, settings that exist, commands that exist, mounts that exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from server.config import NODE_KEYS, WEB_KEYS
from tests.support.processes import ROOT

COMPOSE = ROOT / "docker-compose.yml"
NEEDED = {"proxy", "web", "worker", "node-1", "postgres", "redis", "objects", "turn", "turn-tls", "migrate"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(COMPOSE.read_text("utf-8"))
    return loaded


def test_compose_follows_its_schema() -> None:
    check = Path(sys.executable).with_name("check-jsonschema")
    argv = [check, "--builtin-schema", "vendor.compose-spec", COMPOSE]
    result = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_compose_has_every_part(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == NEEDED


def test_compose_settings_exist(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        keys = {key for key in service.get("environment", {}) if key.startswith("TONGTANG_")}
        known = NODE_KEYS if name.startswith("node-") else WEB_KEYS
        assert keys <= known, f"{name}: {sorted(keys - known)}"


def test_compose_commands_exist(compose: dict[str, Any]) -> None:
    from typer.main import get_command

    from server.cli import app

    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    ours = [s for s in compose["services"].values() if str(s.get("image", "")).startswith("tongtang:")]
    assert len(ours) == 4
    for service in ours:
        assert service["command"][0] in commands


def test_compose_mounts_exist(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("$"):  # the operator's own
                continue
            assert (ROOT / source).exists() if source.startswith(".") else source in compose["volumes"], volume


def test_nothing_but_proxy_turn_and_media_is_open_to_the_world(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for port in service.get("ports", []):
            assert name == "proxy" or str(port).startswith("127.0.0.1:"), f"{name} publishes {port}"


def test_every_node_has_its_path_at_the_proxy(compose: dict[str, Any]) -> None:
    caddyfile = (ROOT / "deploy" / "Caddyfile").read_text("utf-8")
    for name, service in compose["services"].items():
        if not name.startswith("node-"):
            continue
        environment = service["environment"]
        path = environment["TONGTANG_NODE_PUBLIC_URL"].rpartition("}")[2]
        assert f"handle_path {path}/*" in caddyfile
        assert f"reverse_proxy {name}:{environment['TONGTANG_NODE_PORT']}" in caddyfile
    assert re.search(r"@inner path /internal/\* /n/\*/control/\*", caddyfile), "inner doors must stay inside"


def test_systemd_units_start_commands_that_exist() -> None:
    from typer.main import get_command

    from server.cli import app

    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    started = []
    for unit in (ROOT / "deploy" / "systemd").iterdir():
        started += re.findall(r"^Exec\w+=\S+/tongtang (\w+)", unit.read_text("utf-8"), re.MULTILINE)
    assert set(started) == {"web", "worker", "node", "migrate"}
    assert set(started) <= commands


def test_coturn_reaches_nothing_but_nodes(compose: dict[str, Any], tmp_path: Path) -> None:
    conf = (ROOT / "deploy" / "turnserver.conf").read_text("utf-8")
    for everything in ("0.0.0.0-255.255.255.255", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"):
        assert f"denied-peer-ip={everything}" in conf
    assert "use-auth-secret" in conf and "static-auth-secret=" not in conf, "no secret in a tracked file"
    (tmp_path / "turnserver").write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    (tmp_path / "turnserver").chmod(0o755)
    told = {"PATH": f"{tmp_path}:/usr/bin:/bin", "SECRET": "a b", "REALM": "x", "NODES": "203.0.113.10,fd00::1,"}
    script = ["/bin/sh", str(ROOT / "deploy" / "turn.sh")]

    def words(**more: str) -> list[str]:
        done = subprocess.run(script, env=told | more, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()[2:]

    plain = ["--static-auth-secret=a b", "--realm=x", "--allowed-peer-ip=203.0.113.10", "--allowed-peer-ip=fd00::1"]
    assert words() == plain
    secure = words(TLS="yes", TLS_ADDRESS="203.0.113.11")
    assert secure[:4] == plain and "--tls-listening-port=443" in secure and "--listening-ip=203.0.113.11" in secure
    with pytest.raises(subprocess.CalledProcessError):
        words(TLS="yes", TLS_ADDRESS="")


def test_the_relay_by_tls_takes_443_of_its_own_address(compose: dict[str, Any]) -> None:
    """And both find their script: the image's own entrypoint would make something else of the words."""
    plain, secure = compose["services"]["turn"], compose["services"]["turn-tls"]
    mounted = {volume.rsplit(":", 2)[-2] for volume in secure["volumes"]}
    for service in (plain, secure):
        assert service["entrypoint"] == ["/bin/sh", "/etc/coturn/turn.sh"] and "command" not in service
        assert "./deploy/turn.sh:/etc/coturn/turn.sh:ro" in service["volumes"]
    assert mounted == {f"/etc/coturn/{name}" for name in ("turnserver.conf", "turn.sh", "cert.pem", "key.pem")}
    assert secure["profiles"] == ["turn-tls"], "only where there is a second address"
    assert secure["environment"] == plain["environment"] | {"TLS": "yes", "TLS_ADDRESS": "${TURN_TLS_ADDRESS:-}"}
    web_ports = [port for port in compose["services"]["proxy"]["ports"] if "443" in port]
    assert all(port.startswith("${SITE_ADDRESS:+") for port in web_ports), "else the proxy takes it everywhere"
    for name in ("web", "worker", "node-1"):
        urls = compose["services"][name]["environment"]["TONGTANG_TURN_URLS"]
        assert urls.endswith("${TURN_TLS_HOST:+,turns:${TURN_TLS_HOST}:443?transport=tcp}")


@pytest.mark.parametrize("path", sorted(p for p in ROOT.glob("[dt]e*/*.sh")), ids=lambda p: p.name)
def test_shell_scripts_parse(path: Path) -> None:
    result = subprocess.run(["sh", "-n", path], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
