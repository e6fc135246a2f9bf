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
NEEDED = {"proxy", "web", "worker", "node-1", "postgres", "redis", "objects", "turn", "migrate"}


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
    command = [word.replace("$$", "$") for word in compose["services"]["turn"]["command"]]
    told = {"PATH": f"{tmp_path}:/usr/bin:/bin", "SECRET": "a b", "REALM": "x", "NODES": "203.0.113.10,fd00::1,"}
    words = subprocess.run(command, env=told, capture_output=True, text=True, check=True).stdout.splitlines()
    assert words[2:] == [
        "--static-auth-secret=a b", "--realm=x", "--allowed-peer-ip=203.0.113.10", "--allowed-peer-ip=fd00::1",
    ]  # fmt: skip


@pytest.mark.parametrize("path", sorted(p for p in ROOT.glob("[dt]e*/*.sh")), ids=lambda p: p.name)
def test_shell_scripts_parse(path: Path) -> None:
    result = subprocess.run(["sh", "-n", path], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
