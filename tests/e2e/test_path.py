"""路径检查 in a real browser against a real site: what is open, what a shut port looks like, what the report says."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.support.browser import ARGS, chromium
from tests.support.site import DEMO_PASSWORD, Site

pytestmark = pytest.mark.e2e


def check(page: Page, site: Site) -> tuple[str, str]:
    """(verdict, report)"""
    page.goto(f"{site.url}/login")
    page.fill("input[name=login]", "teacher")
    page.fill("input[name=password]", DEMO_PASSWORD)
    page.click("main form button[type=submit], main form button:not([type])")
    page.wait_for_url("**/desk")
    page.goto(f"{site.url}/check/path?lang=zh-CN")
    page.click("#path-start")
    page.wait_for_selector("#path-outcome:not([hidden])", timeout=60_000)
    return page.inner_text("#path-verdict"), page.input_value("#path-report")


def test_an_open_network_needs_nobody(site: Site) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGS)
        try:
            verdict, report = check(browser.new_page(), site)
        finally:
            browser.close()
    assert "直连 UDP 畅通" in verdict
    assert "直连 TCP: 通" in report and "课堂信令（WebSocket）: 通" in report
    assert "本站没有配置这种中继" in report
    assert f"UDP 127.0.0.1:{site.port + 2}" in report


def test_a_network_without_udp_is_told_what_to_open(site: Site) -> None:
    """Chromium's own switch for it: nothing leaves by UDP unless through a proxy."""
    with sync_playwright() as playwright:
        shut = "--webrtc-ip-handling-policy=disable_non_proxied_udp"
        browser = playwright.chromium.launch(executable_path=chromium(), args=[*ARGS, shut])
        try:
            verdict, report = check(browser.new_page(), site)
        finally:
            browser.close()
    assert "UDP 被拦，只能走 TCP" in verdict
    assert "请学校网络管理员开放 UDP 端口" in report
    assert "直连 UDP: 不通" in report
