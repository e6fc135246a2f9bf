"""``tongtang doctor``: looks at this machine and says, line by line, what is well and how to mend what is not.

Each check is a function that returns one ``Finding``; sentences are in locale/*/doctor.json. Nothing is changed.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import socket
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from server.config import SettingsError, WebSettings, load
from server.findings import Band, Finding, short
from server.reach import node_urls, nodes
from server.templating import Texts, texts

MARKS: dict[Band, str] = {"good": "✓", "caution": "!", "bad": "✗"}

PACKAGES = ("fastapi", "sqlalchemy", "aiortc", "av", "pypdfium2", "pillow", "argon2-cffi", "huey", "minio", "redis")
DISK_GOOD = 5_000_000_000  # bytes: a day of one classroom's recordings
DISK_LEAST = 500_000_000
CONNECT_SECONDS = 3.0
EXPIRY_DAYS = 14
BUFFER_LEAST = 4 * 1024 * 1024  # bytes: a fifth of a second of 20,000 datagrams a second
TIME_ERROR = 5  # ntp_adjtime(2): the clock is not synchronised

Say = Callable[[str], None]


# --- this machine -----------------------------------------------------------------------------------------------------


def python() -> Finding:
    return Finding("good", "python", {"version": platform.python_version(), "system": platform.platform(terse=True)})


def packages() -> Iterator[Finding]:
    missing = []
    for name in PACKAGES:
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        yield Finding("bad", "packages_missing", {"names": ", ".join(missing)})
    else:
        yield Finding("good", "packages", {"count": len(PACKAGES)})


def engine() -> Finding:
    """The C twin of the packet engine is optional: without it every lesson works, with fewer rooms a core."""
    if importlib.util.find_spec("media._engine") is not None:
        runs = subprocess.run([sys.executable, "-m", "media.engines"], capture_output=True, text=True, check=False)
        native = runs.stdout.strip() == "native"
        return Finding("good", "engine_c") if native else Finding("caution", "engine_no_ciphers")
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    return Finding("caution", "engine_python" if compiler else "engine_python_no_compiler")


def clock() -> Finding:
    """Whether the kernel thinks its clock is disciplined; lessons survive a wrong one, people do not understand it."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        state = libc.ntp_adjtime(ctypes.create_string_buffer(512))
    except (OSError, AttributeError):
        return Finding("caution", "clock_unknown")
    return Finding("caution", "clock_free") if state in (TIME_ERROR, -1) else Finding("good", "clock")


def disk(data: Path) -> Finding:
    place = next(path for path in (data, *data.resolve().parents) if path.exists())
    free = shutil.disk_usage(place).free
    band: Band = "good" if free >= DISK_GOOD else "caution" if free >= DISK_LEAST else "bad"
    return Finding(band, "disk" if band == "good" else "disk_low", {"gb": f"{free / 1e9:.1f}", "path": str(place)})


def files(limit: int = 4096) -> Finding:
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = soft >= limit or soft == resource.RLIM_INFINITY
    return Finding("good" if enough else "caution", "files" if enough else "files_few", {"count": soft, "least": limit})


def buffers(most: Path = Path("/proc/sys/net/core/rmem_max")) -> Iterator[Finding]:
    """A media port is emptied every few milliseconds; what comes meanwhile must fit. Root needs no such setting."""
    if os.geteuid() == 0 or not most.exists():
        return
    size = int(most.read_text())
    if size < BUFFER_LEAST:
        yield Finding("caution", "buffers_small", {"kb": size // 1024, "least": BUFFER_LEAST})
    else:
        yield Finding("good", "buffers", {"kb": size // 1024})


def keys(settings: WebSettings) -> Finding:
    path = settings.seat_key
    if not path.exists():
        return Finding("caution", "keys_missing", {"path": str(path)})
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        return Finding("bad", "keys_open", {"path": str(path)})
    return Finding("good", "keys", {"path": str(path)})


# --- ports ------------------------------------------------------------------------------------------------------------


def ports(settings: WebSettings, environ: Mapping[str, str]) -> Iterator[Finding]:
    node = int(environ.get("TONGTANG_NODE_PORT") or settings.port + 1)
    media = int(environ.get("TONGTANG_MEDIA_PORT") or settings.port + 2)
    for name, number, kind in (
        ("web", settings.port, socket.SOCK_STREAM),
        ("node", node, socket.SOCK_STREAM),
        ("media", media, socket.SOCK_STREAM),
        ("media", media, socket.SOCK_DGRAM),
    ):
        protocol = "TCP" if kind == socket.SOCK_STREAM else "UDP"
        free = _free(settings.listen, number, kind)
        yield Finding(
            "good" if free else "caution",
            "port_free" if free else "port_taken",
            {"name": name, "port": number, "protocol": protocol},
        )


def _free(address: str, port: int, kind: int) -> bool:
    with socket.socket(socket.AF_INET, kind) as trial:
        if kind == socket.SOCK_STREAM:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((address, port))
        except OSError as error:
            return error.errno not in (errno.EADDRINUSE, errno.EACCES)
    return True


# --- reachability -----------------------------------------------------------------------------------------------------


async def database(settings: WebSettings) -> Finding:
    from server import migrations

    try:
        async with asyncio.timeout(10):
            current = await asyncio.to_thread(migrations.current, settings.database_url)
    except Exception as error:
        return Finding("bad", "database_away", {"why": short(error)})
    if current is None:
        return Finding("caution", "database_empty")
    behind = current != migrations.head()
    return Finding("bad" if behind else "good", "database_old" if behind else "database", {"version": current})


async def objects(settings: WebSettings) -> Finding:
    from server.objectstore import open_store

    try:
        async with asyncio.timeout(10):
            store = open_store(settings.objects)
            await store.put("doctor/trial.txt", b"tongtang")
            good = await store.get("doctor/trial.txt") == b"tongtang"
            await store.delete("doctor/trial.txt")
            await store.close()
    except Exception as error:
        return Finding("bad", "objects_away", {"why": short(error)})
    return (
        Finding("good", "objects", {"where": _where(settings.objects)})
        if good
        else Finding("bad", "objects_away", {"why": "?"})
    )


def redis(settings: WebSettings) -> Iterator[Finding]:
    if settings.redis_url:
        parts = urlsplit(settings.redis_url)
        yield _connects("redis", parts.hostname or "", parts.port or 6379)


def web(settings: WebSettings) -> Iterator[Finding]:
    """Whether the public address leads here; only where one is set."""
    if settings.public_origin:
        parts = urlsplit(settings.public_origin)
        yield _connects("origin", parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
        if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1"):
            yield Finding("bad", "origin_http", {"origin": settings.public_origin})
    elif settings.listen not in ("127.0.0.1", "localhost", "::1"):
        yield Finding("caution", "origin_http", {"origin": f"http://{settings.listen}:{settings.port}"})


def relays(settings: WebSettings) -> Iterator[Finding]:
    """Each relay answers, by its own transport; those on the page's host are here."""
    for url in settings.turn_urls:
        where, _, transport = url.partition("?transport=")
        scheme, _, place = where.replace("{host}", "127.0.0.1").partition(":")
        host, _, port = place.rpartition(":") if place.rpartition(":")[2].isdigit() else (place, "", "")
        number = int(port or (5349 if scheme == "turns" else 3478))  # RFC 7065 section 3.2
        if scheme == "turns":
            yield _is_trusted(host.strip("[]"), number, None if "{host}" in where else host.strip("[]"))
        elif transport == "tcp":
            yield _connects("relay", host.strip("[]"), number)
        else:
            yield _answers_stun(host.strip("[]"), number)


def _is_trusted(host: str, port: int, name: str | None) -> Finding:
    """By TLS with a certificate as browsers want it (without ``name`` whoever's it is), for two more weeks at least."""
    params: dict[str, Any] = {"host": host, "port": port}
    context = ssl.create_default_context()
    context.check_hostname = name is not None
    try:
        with (
            socket.create_connection((host, port), CONNECT_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=name) as secure,
        ):
            ends = ssl.cert_time_to_seconds(str((secure.getpeercert() or {})["notAfter"]))
    except ssl.SSLCertVerificationError as error:
        return Finding("bad", "relay_untrusted", {**params, "why": error.verify_message})
    except OSError as error:
        return Finding("bad", "relay_away", {**params, "why": short(error)})
    days = int((ends - time.time()) / 86400)
    return (
        Finding("caution", "relay_ends", params | {"days": days})
        if days < EXPIRY_DAYS
        else Finding("good", "relay", params)
    )


def _answers_stun(host: str, port: int) -> Finding:
    """A Binding request (RFC 8489)."""
    request = bytes.fromhex("000100002112a442") + os.urandom(12)
    params = {"host": host, "port": port}
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as asking:
            asking.settimeout(CONNECT_SECONDS)
            asking.connect(address)
            asking.send(request)
            if asking.recv(1500)[4:20] != request[4:20]:
                return Finding("bad", "relay_away", {**params, "why": "?"})
    except OSError as error:
        return Finding("bad", "relay_away", {**params, "why": short(error)})
    return Finding("good", "relay", params)


def _connects(key: str, host: str, port: int) -> Finding:
    params = {"host": host, "port": port}
    try:
        socket.create_connection((host, port), CONNECT_SECONDS).close()
    except OSError as error:
        return Finding("bad", f"{key}_away", {**params, "why": short(error)})
    return Finding("good", key, params)


def _where(address: str) -> str:
    """Without the key and the secret."""
    return address.rsplit("@", 1)[-1]


# --- all of it --------------------------------------------------------------------------------------------------------


def look(settings: WebSettings, environ: Mapping[str, str]) -> Iterator[Finding]:
    yield python()
    yield from packages()
    yield engine()
    yield clock()
    yield disk(settings.data)
    yield files()
    yield from buffers()
    yield keys(settings)
    yield from ports(settings, environ)
    stored = asyncio.run(database(settings))
    yield stored
    yield asyncio.run(objects(settings))
    yield from redis(settings)
    yield from web(settings)
    told = asyncio.run(node_urls(settings)) if stored.band == "good" else []
    own = environ.get("TONGTANG_NODE_PUBLIC_URL")
    yield from nodes(settings, [*told, *([own] if own else [])])
    yield from relays(settings)


def line(finding: Finding, t: Texts) -> str:
    said = f"{MARKS[finding.band]} {t(f'doctor.{finding.key}', **finding.params)}"
    if finding.band == "good":
        return said
    return f"{said}\n    → {t(f'doctor.{finding.key}.mend', **finding.params)}"


def language(asked: str, environ: Mapping[str, str]) -> str:
    if asked:
        return asked
    place = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    return "en" if place.startswith("en") else "zh-CN"


def diagnose(environ: Mapping[str, str], lang: str, say: Say) -> int:
    """Print every finding; 1 when something is bad."""
    t = texts(language(lang, environ))
    try:
        settings = load(environ)
    except SettingsError as error:
        say(f"{MARKS['bad']} {t('doctor.settings')}\n    → {error}")
        return 1
    worst = 0
    for finding in look(settings, environ):
        say(line(finding, t))
        worst = max(worst, 1 if finding.band == "bad" else 0)
    say(t("doctor.end_bad" if worst else "doctor.end_good"))
    return worst


if __name__ == "__main__":
    sys.exit(diagnose(os.environ, "", print))
