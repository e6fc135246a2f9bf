"""`tongtang up --tls`: a secure origin without anybody's help, pages and node alike, and a lesson's way through it."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import sync_playwright

from tests.e2e.test_path import check
from tests.support.browser import ARGS, chromium
from tests.support.site import Site

pytestmark = pytest.mark.e2e


def test_a_secure_origin_on_the_lan(tmp_path: Path) -> None:
    site = Site(tmp_path / "data", tls=True)
    try:
        trusting = ssl.create_default_context(cafile=str(site.data / "keys" / "tls" / "authority.crt"))
        with httpx2.Client(verify=trusting, trust_env=False) as visitor:
            assert visitor.get(f"{site.url}/healthz").status_code == 200
            assert visitor.get(f"https://127.0.0.1:{site.port + 1}/healthz").json()["ok"]
            assert visitor.get(f"{site.url}/trust/tongtang.crt").text.startswith("-----BEGIN CERTIFICATE-----")
        assert "SHA-256" in site.process.output()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium(), args=[*ARGS, "--ignore-certificate-errors"]
            )
            try:
                page = browser.new_page(ignore_https_errors=True)
                verdict, _ = check(page, site)
                assert page.evaluate("isSecureContext")
                assert all(cookie["secure"] for cookie in page.context.cookies())
            finally:
                browser.close()
        assert "直连 UDP 畅通" in verdict
    finally:
        site.stop()
