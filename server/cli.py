"""The one command line: ``tongtang up | web | node | worker | move | drain | migrate | demo | user | doctor | …``."""

from __future__ import annotations

import asyncio
import logging
import os
import runpy
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.config import SettingsError, WebSettings, check_keys, example, load

if TYPE_CHECKING:
    from fastapi import FastAPI

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="同堂 Tongtang: 同步课堂与名师工作室", rich_markup_mode=None
)
user = typer.Typer(no_args_is_help=True, help="Accounts: add, password, disable.")
app.add_typer(user, name="user")
audit = typer.Typer(no_args_is_help=True, help="The audit log: verify its chain.")
app.add_typer(audit, name="audit")

BAD_SETTINGS = 2
KEEP_ALIVE_SECONDS = 150
"""Longer than any proxy or client of ours keeps an idle connection (Caddy: 120 s): who closes first must not be us, or
a request that is just being sent meets a closed door."""


def say(line: str) -> None:
    print(line, flush=True)


def settings() -> WebSettings:
    try:
        return load(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(BAD_SETTINGS) from error


def log_to_stderr(held: WebSettings) -> None:
    logging.basicConfig(level=held.log_level.upper(), format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)


@app.command()
def up(
    port: Annotated[int, typer.Option(help="Web here, signalling on the next port, media on the one after.")] = 8000,
    data: Annotated[Path, typer.Option(help="Where database, keys, recordings and spools lie.")] = Path("data"),
    demo: Annotated[bool, typer.Option(help="Make the demo city.")] = True,
    nodes: Annotated[
        str, typer.Option(help="1 to 64, or auto: a core each but one. Each takes the next two ports.")
    ] = "1",
    tls: Annotated[bool, typer.Option("--tls", help="Secure for the whole LAN, by a certificate of its own.")] = False,
) -> None:
    """Everything on this machine: web, worker and nodes, kept running. First run makes keys, database, demo city."""
    from server.tls import ensure, local_addresses
    from server.up import environment, how_many, secure, supervise, usable_cores

    data = data.resolve()
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        check_keys(os.environ)
        count = how_many(nodes, usable_cores())
        environ = environment(os.environ, port, data, count)
        if tls:
            environ = secure(environ, os.environ, ensure(data / "keys" / "tls", local_addresses()))
        held = load(environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(BAD_SETTINGS) from error
    log_to_stderr(held)
    _migrated(held)
    if demo:
        say("正在准备演示城市…  making the demo city…")
    else:
        _greet(held, demo, count)
    asyncio.run(supervise(environ, say, _city_stands(held, count) if demo else None, count))


def _migrated(held: WebSettings) -> None:
    from server import migrations
    from server.seeding import seed

    fresh = migrations.current(held.database_url) is None
    migrations.upgrade(held.database_url, seat_key=held.seat_key)
    asyncio.run(seed(held))
    if fresh:
        say(f"数据库已建立  database made: {held.database_url}")


async def _city_stands(held: WebSettings, nodes: int) -> None:
    """Until the demo city's people and timetable are there; its past may still be on its way."""
    from server.accounts import store
    from server.database import Database, make_engine
    from server.scope import SYSTEM

    database = Database(make_engine(held.database_url))
    try:
        while True:
            async with database.reading() as session:
                if await store.has_demo(session, SYSTEM):
                    break
            await asyncio.sleep(0.2)
    finally:
        await database.dispose()
    _greet(held, True, nodes)


async def _demo(held: WebSettings) -> None:
    from server.clock import SystemClock
    from server.database import Database, make_engine
    from server.demo import build
    from server.garbage import collecting
    from server.objectstore import open_store

    database = Database(make_engine(held.database_url))
    objects = open_store(held.objects)
    try:
        async with collecting():
            await build(database, objects, SystemClock().now())
    finally:
        await database.dispose()
        await objects.close()


def _greet(held: WebSettings, demo: bool, nodes: int) -> None:
    from server.up import usable_cores

    host = "127.0.0.1" if held.listen == "0.0.0.0" else held.listen
    scheme = "https" if held.tls_certificate else "http"
    say("")
    say(f"  同堂 Tongtang  {held.public_origin or f'{scheme}://{host}:{held.port}'}")
    if held.tls_certificate:
        _explain_trust(held)
    say(f"  媒体节点 media nodes  {nodes}（处理器核数 cores: {usable_cores()}）")
    say(f"  听讲教室大屏 kiosk  …/kiosk      数据目录 data  {held.data}")
    if demo:
        from server.demo import DEMO_ACCOUNTS, DEMO_PASSWORD

        say(f"  演示账号 demo accounts (密码 password: {DEMO_PASSWORD})")
        for account in DEMO_ACCOUNTS:
            say(f"    {account.login:<10} {account.name}  {account.post}")
    else:
        say("  第一个账号 first account:  tongtang user add LOGIN --name NAME --post city_admin")
    say("  停止 stop: Ctrl-C")
    say("")


def _explain_trust(held: WebSettings) -> None:
    """A certificate nobody vouches for: what to do once on every screen, and how to know that it is the right one."""
    from server.tls import AUTHORITY, fingerprint, local_addresses

    assert held.tls_certificate is not None
    authority = held.tls_certificate.with_name(AUTHORITY)
    if not authority.exists():  # a certificate of the school's own
        return
    for address in local_addresses():
        if not address.is_loopback:
            say(f"    本校网络 on this LAN  https://{address}:{held.port}")
    say("  每台大屏和电脑先信任一次本机证书（否则浏览器不给用摄像头和麦克风）：打开 …/trust，按页面说明安装")
    say("  every screen must trust this machine's certificate once: open …/trust and follow the page")
    say(f"    证书文件 file  {authority}")
    say(f"    SHA-256  {fingerprint(authority)}")


@app.command()
def web() -> None:
    """Pages and JSON."""
    from server.app import create_app

    held = settings()
    serve(create_app(held), held)


def serve(made: FastAPI, held: WebSettings) -> None:
    import uvicorn

    from server.doors import Doors

    log_to_stderr(held)
    config = uvicorn.Config(
        made,
        host=held.listen,
        port=held.port,
        ssl_certfile=held.tls_certificate,
        ssl_keyfile=held.tls_key,
        log_level=held.log_level,
        access_log=held.log_level == "debug",
        proxy_headers=True,
        forwarded_allow_ips=held.trusted_proxies,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=5,
    )
    Doors(config, held.internal_port if held.tls_certificate else 0).run()


@app.command()
def worker() -> None:
    """Slides, attendance, roll-ups, sweeping."""
    from server.worker import run

    held = settings()
    log_to_stderr(held)
    run(held)


@app.command()
def node() -> None:
    """Live rooms: signalling and media. Settings: TONGTANG_NODE_…"""
    # By name: the web's code imports nothing of the node's (design, section 6).
    runpy.run_module("signaling", run_name="__main__")


@app.command()
def move(
    lesson: str,
    to: Annotated[str, typer.Option(help="Name of the node; the least loaded other one when not given.")] = "",
) -> None:
    """Move a lesson's live room to another node: a second of silence, nobody presses a key."""
    from server.liverooms.command import move_room

    _told(move_room(settings(), lesson, to or None))


@app.command()
def drain(node: str) -> None:
    """Move all rooms off a node and put none there, until it is started anew."""
    from server.liverooms.command import drain_node

    _told(drain_node(settings(), node))


@app.command()
def migrate() -> None:
    """Bring the database to this version; make the seat keys when there are none."""
    from server import migrations
    from server.seeding import seed
    from server.up import ensure_seat_keys

    held = settings()
    log_to_stderr(held)
    if held.embedded:
        held.data.mkdir(parents=True, exist_ok=True)
    public = ensure_seat_keys(held.seat_key)
    migrations.upgrade(held.database_url, seat_key=held.seat_key)
    asyncio.run(seed(held))
    say(f"database at {migrations.current(held.database_url)}; public key of seats: {public}")


@app.command()
def reseal(old: Path) -> None:
    """After a new seat key: seal anew what the OLD one sealed (channels' addresses and secrets, cameras' passwords)."""
    from server.outbox.command import resealed

    count = asyncio.run(resealed(settings(), old))
    say(f"重新加密  sealed anew: {count}")


@app.command()
def demo() -> None:
    """Make the demo city in this database, or add what is missing of it."""
    held = settings()
    log_to_stderr(held)
    asyncio.run(_demo(held))
    say("演示城市已就绪  the demo city is complete")


@app.command(name="settings")
def print_settings() -> None:
    """Every setting of the web with its meaning and default."""
    print(example(), end="")


@app.command()
def doctor(lang: Annotated[str, typer.Option(help="zh-CN or en.")] = "") -> None:
    """What is installed, which packet engine, ports, clock, disk, reachability; each line with the mend."""
    from server.doctor import diagnose

    raise typer.Exit(diagnose(os.environ, lang, say))


# --- accounts ---------------------------------------------------------------------------------------------------------


def _password() -> str:
    """Typed twice at a terminal; read from standard input otherwise."""
    if sys.stdin.isatty():
        return str(typer.prompt("密码 password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\n")


def _run(work: object) -> None:
    from server.accounts.command import account

    _told(account(settings(), work))


def _told(work: Coroutine[Any, Any, str]) -> None:
    """Prints what came of it; errors in both languages."""
    from server.errors import TongtangError
    from server.templating import texts

    try:
        say(asyncio.run(work))
    except TongtangError as error:
        print(texts("zh-CN")(f"errors.{error.key}", **error.params), file=sys.stderr)
        print(texts("en")(f"errors.{error.key}", **error.params), file=sys.stderr)
        raise typer.Exit(1) from error


@user.command()
def add(
    login: str,
    name: Annotated[str, typer.Option(help="Real name.")],
    post: Annotated[str, typer.Option(help="teacher, assistant, school_admin, district_admin, city_admin, …")],
    school: Annotated[str, typer.Option(help="学校标识码 of the school they work at, and of a school's post.")] = "",
    district: Annotated[str, typer.Option(help="Code of the district of a district's post.")] = "",
) -> None:
    """A new account with its post; asks for the password."""
    from server.accounts.command import Add

    _run(Add(login, name, post, school, district, _password()))


@user.command()
def password(login: str) -> None:
    """A new password; signs them out everywhere."""
    from server.accounts.command import Password

    _run(Password(login, _password()))


@user.command()
def disable(login: str) -> None:
    """No more signing in; out at once."""
    from server.accounts.command import Disable

    _run(Disable(login))


@audit.command()
def verify(
    expect: Annotated[str, typer.Option(help="NUMBER:HASH of a head noted before; the chain must still hold it.")] = "",
) -> None:
    """Walk the whole chain; say its head, to be noted outside; exit 1 when anything was changed or is missing."""
    from server.audit.command import verified

    verdict = asyncio.run(verified(settings(), expect))
    for problem in verdict.problems:
        print(problem, file=sys.stderr)
    say(f"{verdict.count} entries sealed, {verdict.waiting} waiting; head {verdict.count}:{verdict.head}")
    raise typer.Exit(0 if verdict.good else 1)


def main() -> None:
    app()


if __name__ == "__main__":
    main()
