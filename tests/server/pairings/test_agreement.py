"""A signed agreement is handed in once, seen by both schools, and never swapped."""

from __future__ import annotations

from datetime import date

from server.ids import new_id
from server.schools.models import Pairing
from tests.support.web import Browser, Web

PDF = b"%PDF-1.7 signed"


async def test_an_agreement_is_handed_in_once(web: Web) -> None:
    near, far = await web.district("120113"), await web.district("120115", "far")
    lead, village = await web.school(near, "城区小学"), await web.school(far, "村小学")
    row = Pairing(
        id=new_id(), lead_school_id=lead.id, village_school_id=village.id, kind="one_to_one", starts_on=date(2026, 9, 1)
    )
    await web.add(row)
    place = f"/admin/pairings/{row.id}"
    admin = await web.sign_in(await web.person("district_admin", district=far))
    reader = await web.sign_in(await web.person("school_admin", school=lead, of_school=lead))
    stranger = await web.sign_in(await web.person("district_admin", district=await web.district("120101")))

    async def send(browser: object, data: bytes) -> int:
        files = {"file": ("协议.pdf", data, "application/pdf")}
        return (await browser.post(f"{place}/agreement", files=files)).status_code  # type: ignore[attr-defined, no-any-return]

    assert (await admin.get(f"{place}/agreement")).status_code == 404
    assert await send(stranger, PDF) == 404
    assert await send(reader, PDF) == 403
    assert await send(admin, b"<html>") == 422
    assert await send(admin, PDF) == 303
    assert await send(admin, PDF + b" another") == 409
    for browser in (admin, reader):
        answer = await browser.get(f"{place}/agreement")
        assert answer.content == PDF and answer.headers["content-disposition"].startswith("attachment")
    assert "协议.pdf" in (await reader.get(place)).text


async def test_an_agreement_goes_through_json_too(web: Web) -> None:
    near, far = await web.district("120113"), await web.district("120115", "far")
    lead, village = await web.school(near, "城区小学"), await web.school(far, "村小学")
    row = Pairing(
        id=new_id(), lead_school_id=lead.id, village_school_id=village.id, kind="one_to_one", starts_on=date(2026, 9, 1)
    )
    await web.add(row)
    place, kind = f"/api/v1/pairings/{row.id}", {"content-type": "application/pdf"}
    admin = await web.sign_in(await web.person("district_admin", district=far))
    reader = await web.sign_in(await web.person("school_admin", school=lead, of_school=lead))
    stranger = await web.sign_in(await web.person("district_admin", district=await web.district("120101")))
    assert (await admin.get(f"{place}/agreement")).status_code == 404
    assert (await admin.get(place)).json()["agreement_name"] is None

    async def put(browser: Browser, data: bytes) -> tuple[int, str]:
        answer = await browser.put(f"{place}/agreement?name=协议.pdf", content=data, headers=kind)
        return answer.status_code, answer.json().get("error", {}).get("key", "")

    assert await put(stranger, PDF) == (404, "not_found")
    assert await put(reader, PDF) == (403, "forbidden")
    assert await put(admin, b"<html>") == (422, "agreement_kind")
    assert await put(admin, b"") == (422, "agreement_kind")
    assert (await put(admin, b"%PDF-" + b"x" * 12_000_000))[0] == 413
    assert await put(admin, PDF) == (200, "")
    assert await put(admin, PDF + b" another") == (409, "agreement_there")
    assert (await reader.get(f"{place}/agreement")).content == PDF
    assert (await stranger.get(f"{place}/agreement")).status_code == 404
    said = (await reader.get(place)).json()
    assert (said["agreement_name"], len(said["agreement_sha256"])) == ("协议.pdf", 64)
