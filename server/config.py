"""Settings of the web and its workers, from the environment as TONGTANG_…; a key nobody knows is an error, not a wish.

Every field says what it is, in which unit. ``example()`` prints them all; ``deploy/settings.example`` is made from it.
The node has settings of its own (``signaling/config.py``); the keys it adds are named here only to be let through.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "TONGTANG_"

NODE_KEYS = frozenset(
    PREFIX + name
    for name in (
        "NODE_ID",
        "NODE_PUBLIC_URL",
        "NODE_CONTROL_URL",
        "NODE_LISTEN",
        "NODE_PORT",
        "NODE_SECRET",
        "MEDIA_PORT",
        "MEDIA_ADDRESSES",
        "WEB_URL",
        "SEAT_PUBLIC_KEY",
        "OBJECTS",
        "SPOOL",
        "ORIGINS",
        "SOURCES_LOCAL",
        "TURN_URLS",
        "TURN_SECRET",
        "TLS_CERTIFICATE",
        "TLS_KEY",
        "NODE_INTERNAL_PORT",
        "NODE_ROBOTS",
        "METRICS_TOKEN",
        "MEDIA_ENGINE",
    )
)

_ORIGIN = re.compile(r"^(https?|wss?)://[A-Za-z0-9.{}\[\]:-]+$")
_HOST = re.compile(r"^[A-Za-z0-9.-]{1,253}$")
_ISSUER = re.compile(r"^(https://[^\s?#]+|http://(127\.0\.0\.1|localhost)(:\d+)?[^\s?#]*)$")
_LINK = re.compile(r"^([A-Za-z0-9_.:/-]+)=(login|phone)$")
_POST = re.compile(r"^([A-Za-z0-9_.:/-]+)=([^,:]+):(teacher|assistant|class_teacher)$")
_TURN = re.compile(r"^turns?:[A-Za-z0-9.{}\[\]:-]+(\?transport=(udp|tcp))?$")  # RFC 7065


class SettingsError(Exception):
    """The environment does not describe a web; the message says which key and why."""


class WebSettings(BaseSettings):
    """One field, one key: ``data`` is TONGTANG_DATA."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, env_ignore_empty=True)

    data: Path = Field(
        Path("data"), description="Folder for the database, keys, objects and spools of the embedded default."
    )
    database_url: str = Field(
        "",
        description="SQLAlchemy address: postgresql+psycopg://user:password@host/name. Empty: SQLite in the folder.",
    )
    objects: str = Field(
        "",
        description="Object store: a folder, or s3://key:secret@host:port/bucket. Empty: a folder in the data folder.",
    )
    redis_url: str | None = Field(
        None,
        description="Rate limits and job queue shared by several webs: redis://host:6379/0. Empty: inside the process.",
    )
    node_secret: str = Field(
        "", description="What nodes show when they report to the web. At least 16 characters; required by web and node."
    )
    seat_key: Path = Field(
        Path("data/keys/seat.pem"),
        description="File with the Ed25519 private key (PEM) that signs seats. Empty: keys/seat.pem in the folder.",
    )
    listen: str = Field(
        "127.0.0.1", description="Address the web listens on. 0.0.0.0: every IPv4 address of the machine."
    )
    port: int = Field(8000, ge=1, le=65535, description="TCP port of the web.")
    tls_certificate: Path | None = Field(
        None, description="File with the web's certificate chain (PEM). Empty: plain, behind a proxy or on a LAN."
    )
    tls_key: Path | None = Field(None, description="File with the certificate's key (PEM).")
    internal_port: int = Field(
        0, ge=0, le=65535, description="With a certificate: plain port on 127.0.0.1 for the nodes. 0: none."
    )
    public_origin: str | None = Field(
        None,
        description="The one origin people type: https://class.example.edu.cn. Empty: whatever host a request names.",
    )
    node_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Origins of nodes for the pages' CSP, separated by commas; {host} is the page's own host name. "
        "Empty: nodes are reached through the web's own origin.",
    )
    turn_urls: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Relays for closed networks, separated by commas: turn:relay.example.edu.cn:3478?transport=udp,"
        "turns:relay.example.edu.cn:443?transport=tcp. {host} becomes the page's own host name. Empty: none.",
    )
    turn_secret: str = Field(
        "", description="The relays' static-auth-secret; logins made with it hold four hours. Required with TURN_URLS."
    )
    trusted_proxies: str = Field(
        "127.0.0.1", description="Addresses whose X-Forwarded-* are believed, separated by commas. *: all."
    )
    ntp_servers: Annotated[tuple[str, ...], NoDecode] = Field(
        ("ntp.ntsc.ac.cn", "ntp.aliyun.com"),
        description="Time servers that the set-up of classroom PCs names, separated by commas.",
    )
    session_hours: int = Field(12, ge=1, le=720, description="A sign-in ends after so many hours without use.")
    upload_mb: int = Field(50, ge=1, le=500, description="Largest PDF taken as slides, in MB (10^6 bytes).")
    deck_pages: int = Field(200, ge=1, le=500, description="Most pages of one deck.")
    outward_local: bool = Field(
        False,
        description="Whether notices and webhooks may also go to http:// and to addresses of the own network (a "
        "gateway or a system of the bureau). Otherwise https and public addresses only.",
    )
    oidc_issuer: str = Field(
        "", description="The bureau's sign-in service, as it names itself: https://sso.example.edu.cn. Empty: none."
    )
    oidc_client_id: str = Field("", description="What we are called there. Its callback is /login/oidc/back.")
    oidc_client_secret: str = Field("", description="Our secret there. Empty: a public client, PKCE alone.")
    oidc_name: str = Field("", description="What the button says: 天津教育云. Empty: the bureau's sign-in.")
    oidc_scopes: str = Field("openid profile", description="What is asked for.")
    oidc_claim: str = Field("preferred_username", description="The claim by which a person is known the first time.")
    oidc_matches: Literal["login", "phone"] = Field(
        "login", description="login: the claim is the person's sign-in name (工号); phone: their telephone number."
    )
    oidc_links: Annotated[tuple[tuple[str, str], ...], NoDecode] = Field(
        (),
        description="Further claims that say who it is, separated by commas: employee_number=login,phone_number=phone. "
        "All that a token carries must mean the same person, or nobody is let in.",
    )
    oidc_posts: Annotated[tuple[tuple[str, str, str], ...], NoDecode] = Field(
        (),
        description="Claims to posts, separated by commas: role=teacher:teacher,role=head:class_teacher. "
        "Only teacher, assistant, class_teacher; who administers is named here by hand.",
    )
    metrics_token: str = Field(
        "",
        description="Bearer token for /metrics of web and nodes, where Prometheus runs on another machine. "
        "Empty: only requests from the machine itself.",
    )
    log_level: str = Field("info", description="debug, info, warning or error.")

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

    @field_validator("node_origins", "turn_urls", "ntp_servers", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("oidc_links", mode="before")
    @classmethod
    def _link_table(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        rows = [(part, _LINK.match(part)) for part in filter(None, (one.strip() for one in value.split(",")))]
        for part, found in rows:
            if found is None:
                raise ValueError(f"{part!r} is not like employee_number=login (login or phone)")
        return tuple(found.groups() for _, found in rows if found)

    @field_validator("oidc_posts", mode="before")
    @classmethod
    def _post_table(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        rows = []
        for part in filter(None, (one.strip() for one in value.split(","))):
            found = _POST.match(part)
            if found is None:
                raise ValueError(f"{part!r} is not like role=teacher:teacher (teacher, assistant or class_teacher)")
            rows.append(found.groups())
        return tuple(rows)

    @field_validator("oidc_issuer")
    @classmethod
    def _issuer(cls, value: str) -> str:
        if value and not _ISSUER.match(value):
            raise ValueError("https://… as the service names itself (http only on this machine)")
        return value

    @field_validator("node_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not _ORIGIN.match(origin):
                raise ValueError(f"{origin!r} is not an origin such as wss://class.example.edu.cn:8443")
        return value

    @field_validator("ntp_servers")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            if not _HOST.match(host):
                raise ValueError(f"{host!r} is not a host name such as ntp.example.edu.cn")
        return value

    @field_validator("turn_urls")
    @classmethod
    def _turns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for url in value:
            if not _TURN.match(url):
                raise ValueError(f"{url!r} is not like turn:relay.example.edu.cn:3478?transport=udp")
        return value

    @field_validator("public_origin")
    @classmethod
    def _one_origin(cls, value: str | None) -> str | None:
        if value is not None and not re.match(r"^https?://[A-Za-z0-9.\[\]:-]+$", value):
            raise ValueError("scheme, host and port only, without a path: https://class.example.edu.cn")
        return value

    @model_validator(mode="before")
    @classmethod
    def _defaults_from_data(cls, values: dict[str, Any]) -> dict[str, Any]:
        data = Path(values.get("data") or "data")
        values.setdefault("database_url", f"sqlite+aiosqlite:///{data / 'tongtang.db'}")
        values.setdefault("objects", str(data / "objects"))
        values.setdefault("seat_key", data / "keys" / "seat.pem")
        return values

    @model_validator(mode="after")
    def _relays_need_their_secret(self) -> WebSettings:
        if self.turn_urls and not self.turn_secret:
            raise ValueError("TONGTANG_TURN_URLS without TONGTANG_TURN_SECRET: nobody could sign in there")
        return self

    @model_validator(mode="after")
    def _issuer_knows_us(self) -> WebSettings:
        if self.oidc_issuer and not self.oidc_client_id:
            raise ValueError("TONGTANG_OIDC_ISSUER without TONGTANG_OIDC_CLIENT_ID: it could not know who asks")
        return self

    @property
    def embedded(self) -> bool:
        """Everything on this machine, nothing beside Python."""
        return self.database_url.startswith("sqlite")


WEB_KEYS = frozenset(PREFIX + name.upper() for name in WebSettings.model_fields)


def check_keys(environ: Mapping[str, str]) -> None:
    """Raise SettingsError when the environment holds a TONGTANG_ key that neither web nor node knows."""
    known = WEB_KEYS | NODE_KEYS
    for key in sorted(environ):
        if key.startswith(PREFIX) and key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise SettingsError(f"{key} is not a setting{hint} `tongtang settings` lists them all.")


def load(environ: Mapping[str, str]) -> WebSettings:
    """Settings from an environment (``os.environ`` in the composition roots)."""
    check_keys(environ)
    values = {key[len(PREFIX) :].lower(): environ[key] for key in WEB_KEYS if environ.get(key)}
    try:
        return WebSettings.model_validate(values)
    except ValidationError as error:
        lines = [f"{PREFIX}{str(e['loc'][0]).upper() if e['loc'] else ''}: {e['msg']}" for e in error.errors()]
        raise SettingsError("\n".join(lines)) from error


def example() -> str:
    """Every key of the web with its meaning and default, as an environment file."""
    lines = ["# Settings of the web and its workers. Commented out: the default holds."]
    for name, field in WebSettings.model_fields.items():
        default = field.get_default()
        if default is None or name == "seat_key":  # follows from the data folder
            default = ""
        shown = ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
        lines += ["", f"# {field.description}", f"#{PREFIX}{name.upper()}={shown}"]
    return "\n".join(lines) + "\n"
