"""Settings of one node, from the environment as TONGTANG_…; a key nobody knows is an error, not a wish.

Every field says what it is, in which unit. The web has settings of its own (``server/config.py``): its keys are let
through, so that both processes can share one environment file.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "TONGTANG_"

WEB_KEYS = frozenset(
    PREFIX + name
    for name in (
        "DATA",
        "DATABASE_URL",
        "DECK_PAGES",
        "INTERNAL_PORT",
        "LISTEN",
        "LOG_LEVEL",
        "NODE_ORIGINS",
        "OIDC_CLAIM",
        "OIDC_CLIENT_ID",
        "OIDC_CLIENT_SECRET",
        "OIDC_ISSUER",
        "OIDC_LINKS",
        "OIDC_MATCHES",
        "OIDC_NAME",
        "OIDC_POSTS",
        "OIDC_SCOPES",
        "OUTWARD_LOCAL",
        "PORT",
        "PUBLIC_ORIGIN",
        "REDIS_URL",
        "SEAT_KEY",
        "NTP_SERVERS",
        "SESSION_HOURS",
        "TRUSTED_PROXIES",
        "UPLOAD_MB",
    )
)
_PUBLIC = re.compile(r"^wss?://[A-Za-z0-9.{}\[\]:-]+(/[A-Za-z0-9._/-]*)?$")
_ORIGIN = re.compile(r"^https?://[A-Za-z0-9.\[\]:-]+$")
_ADDRESS = re.compile(r"^[0-9A-Fa-f.:]{3,45}$")


class SettingsError(Exception):
    """The environment does not describe a node; the message says which key and why."""


class NodeSettings(BaseSettings):
    """One field, one key: ``node_id`` is TONGTANG_NODE_ID."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, env_ignore_empty=True)

    node_id: str = Field(
        "n1",
        pattern=r"^[A-Za-z0-9_-]{1,32}$",
        description="Name of this node, unlike any other's; lasts over restarts.",
    )
    node_public_url: str = Field(
        "ws://{host}:8001",
        description="How browsers reach this node: wss://host/n/1. {host} becomes the page's own host name.",
    )
    node_control_url: str = Field(
        "http://127.0.0.1:8001/control", description="How the web reaches this node's control door."
    )
    node_listen: str = Field("127.0.0.1", description="Address of the signalling port. 0.0.0.0: every IPv4 address.")
    node_port: int = Field(8001, ge=0, le=65535, description="TCP port of signalling. 0: any free one.")
    tls_certificate: Path | None = Field(
        None, description="File with signalling's certificate chain (PEM). Empty: plain, behind a proxy or on a LAN."
    )
    tls_key: Path | None = Field(None, description="File with the certificate's key (PEM).")
    node_internal_port: int = Field(
        0, ge=0, le=65535, description="With a certificate: plain port on 127.0.0.1 for the web. 0: any free one."
    )
    media_port: int = Field(8002, ge=0, le=65535, description="UDP and TCP port of media. 0: any free one.")
    media_addresses: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="IP addresses at which browsers reach the media port, separated by commas. "
        "Empty: all IPv4 addresses of this machine.",
    )
    media_engine: Literal["auto", "native", "python"] = Field(
        "auto", description="Packet engine: auto (the one in C where it was built), native (C or nothing), python."
    )
    web_url: str = Field("http://127.0.0.1:8000", description="Where facts and heartbeats go.")
    node_secret: SecretStr = Field(
        min_length=16, description="What nodes show when they report to the web. Required; the same for web and node."
    )
    seat_public_key: Path = Field(description="File with the Ed25519 public key (PEM) of the web's seats. Required.")
    objects: str = Field(
        "data/objects", description="Object store: a folder, or s3://key:secret@host:port/bucket. As the web's."
    )
    spool: Path = Field(
        Path("data/spool"),
        description="Folder for what is not stored elsewhere yet: logs, facts, fragments, the node's own key.",
    )
    node_robots: int = Field(
        4,
        ge=0,
        le=64,
        description="Robot classrooms of rehearsals (试讲) at once on this node; a tenth of a core each.",
    )
    turn_urls: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Relays told to encoders and players that come by WHIP and WHEP. As the web's."
    )
    turn_secret: SecretStr = Field(SecretStr(""), description="The relays' static-auth-secret. As the web's.")
    metrics_token: SecretStr | None = Field(
        None, description="Bearer token for /metrics, as the web's. Empty: only requests from the machine itself."
    )
    sources_local: bool = Field(
        False,
        description="Whether cameras and recording hosts (RTSP, RTMP) may be fetched from this machine itself and from "
        "link-local addresses.",
    )
    origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Origins of pages that may connect, separated by commas. "
        "Empty: pages whose host name is the one this node is asked by.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # Only what ``load`` hands in: a test or a tool never inherits somebody's shell.
        return (init_settings,)

    @property
    def tls(self) -> tuple[Path, Path] | None:
        return (self.tls_certificate, self.tls_key) if self.tls_certificate and self.tls_key else None

    @field_validator("media_addresses", "origins", "turn_urls", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("node_public_url")
    @classmethod
    def _public(cls, value: str) -> str:
        if not _PUBLIC.match(value):
            raise ValueError("not like wss://class.example.edu.cn/n/1")
        return value.rstrip("/")

    @field_validator("origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not _ORIGIN.match(origin):
                raise ValueError(f"{origin!r} is not an origin such as https://class.example.edu.cn")
        return value

    @field_validator("media_addresses")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            if not _ADDRESS.match(address):
                raise ValueError(f"{address!r} is no IP address")
        return value


NODE_KEYS = frozenset(PREFIX + name.upper() for name in NodeSettings.model_fields)


def check_keys(environ: Mapping[str, str]) -> None:
    """Raise SettingsError when the environment holds a TONGTANG_ key that neither node nor web knows."""
    known = WEB_KEYS | NODE_KEYS
    for key in sorted(environ):
        if key.startswith(PREFIX) and key not in known:
            near = difflib.get_close_matches(key, known, 1)
            raise SettingsError(f"{key} is not a setting" + (f"; did you mean {near[0]}?" if near else ""))


def load(environ: Mapping[str, str]) -> NodeSettings:
    """Settings from an environment (``os.environ`` in the composition root)."""
    check_keys(environ)
    values: dict[str, Any] = {key[len(PREFIX) :].lower(): environ[key] for key in NODE_KEYS if environ.get(key)}
    try:
        return NodeSettings.model_validate(values)
    except ValidationError as error:
        lines = [f"{PREFIX}{str(e['loc'][0]).upper() if e['loc'] else ''}: {e['msg']}" for e in error.errors()]
        raise SettingsError("\n".join(lines)) from error


def example() -> str:
    """Every key of the node with its meaning and default, as an environment file."""
    lines = ["# Settings of a node. Commented out: the default holds."]
    for name, field in NodeSettings.model_fields.items():
        default = "" if field.is_required() else field.get_default()
        shown = ",".join(default) if isinstance(default, tuple) else str(default)
        lines += ["", f"# {field.description}", f"#{PREFIX}{name.upper()}={shown}"]
    return "\n".join(lines) + "\n"
