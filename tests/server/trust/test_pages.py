"""The page that says how to trust this machine: there with `up --tls`, not there without."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

from server import tls
from tests.support.web import Web


async def test_a_machine_with_its_own_authority_says_how_to_trust_it(web: Web, tmp_path: Path) -> None:
    paths = tls.ensure(tmp_path, (IPv4Address("127.0.0.1"),), "server1")
    changed = web.app.state.settings.model_copy(update={"tls_certificate": paths.certificate, "tls_key": paths.key})
    web.app.state.settings = changed
    page = await web.browser().get("/trust")
    assert tls.fingerprint(paths.authority) in page.text
    file = await web.browser().get("/trust/tongtang.crt")
    assert file.content == paths.authority.read_bytes()
    assert file.headers["content-type"] == "application/x-x509-ca-cert"


async def test_a_site_behind_a_proxy_has_nothing_to_trust(web: Web) -> None:
    assert (await web.browser().get("/trust")).status_code == 404
    assert (await web.browser().get("/trust/tongtang.crt")).status_code == 404
