"""Pairings as rows of a file, known by lead school, village school and first day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from server.clock import city_date
from server.exchange import store
from server.exchange.register import Effect, Late, Plan, Twice
from server.exchange.sheets import Fault
from server.ids import new_id
from server.schools import service as schools
from server.schools.models import Pairing, School
from server.scope import Action, Scope, allows

Key = tuple[str, str, date]
"""Lead school, village school, first day."""


class Pairings:
    action: Action = "pairing.write"

    async def load(self, session: AsyncSession, scope: Scope, now: datetime) -> None:
        self.scope, self.today = scope, city_date(now)
        # Pairings cross districts: the other school may be anybody's.
        self.schools = {one.code: one for one in await store.all_schools(session, scope)}
        self.by_id = {one.id: one for one in self.schools.values()}
        held = await store.pairings(session, scope)
        self.pairings = {(one.lead_school_id, one.village_school_id, one.starts_on): one for one in held}
        self.spans: dict[tuple[str, str], dict[date, date | None]] = defaultdict(dict)
        for one in held:
            self.spans[one.lead_school_id, one.village_school_id][one.starts_on] = one.ends_on
        self.kinds = {key: one.kind for key, one in self.pairings.items()}
        self.rows: dict[tuple[str, str, date], int] = {}
        self.twice = Twice()

    def export(self) -> list[dict[str, Any]]:
        return [
            {
                "lead_code": self.by_id[one.lead_school_id].code,
                "village_code": self.by_id[one.village_school_id].code,
                "kind": one.kind,
                "starts_on": one.starts_on,
                "ends_on": one.ends_on,
            }
            for one in self.pairings.values()
        ]

    def _school(self, column: str, code: str) -> School:
        if code not in self.schools:
            raise Fault(column, "no_school")
        return self.schools[code]

    def plan(self, row: dict[str, Any], plan: Plan) -> Effect:
        lead, village = self._school("lead_code", row["lead_code"]), self._school("village_code", row["village_code"])
        if lead.id == village.id:
            raise Fault("village_code", "errors.pairing_schools")
        if not any(allows(self.scope, self.action, schools.part_of(one)) for one in (lead, village)):
            raise Fault("lead_code", "no_school")
        starts, ends = row["starts_on"], row.get("ends_on")
        if ends is not None and ends <= starts:
            raise Fault("ends_on", "errors.pairing_dates")
        key, place = (lead.id, village.id, starts), (village.id, village.supervised_by)
        self.twice.once("starts_on", key)
        held = self.pairings.get(key)
        if held is not None:
            return self._changed(held, row["kind"], ends, plan, place)
        self._takes(key, ends, row["kind"], plan)
        for code, school in (("lead_code", lead), ("village_code", village)):
            if school.closed_on is not None:
                raise Fault(code, "closed_school")
        new = {"id": new_id(), "lead_school_id": lead.id, "village_school_id": village.id, "kind": row["kind"]}
        plan.insert(Pairing, {**new, "starts_on": starts, "ends_on": ends}, place)
        return "new"

    def _takes(self, key: Key, ends: date | None, kind: str, plan: Plan) -> None:
        lead, village, starts = key
        self.spans[lead, village][starts] = ends
        self.kinds[key] = kind
        self.rows[key] = plan.row

    def late(self) -> Iterator[Late]:
        """The same two schools are paired once at a time, and a lead school that helps one to one helps one; as the
        file leaves them. Of two rows the lower is wrong."""
        of_lead: dict[str, list[Key]] = defaultdict(list)
        for key in self.kinds:
            of_lead[key[0]].append(key)
        for (lead, village, starts), row in self.rows.items():
            ends = self.spans[lead, village][starts]
            for other in of_lead[lead]:
                _, helped, begun = other
                ended = self.spans[lead, helped][begun]
                overlaps = (ended is None or starts < ended) and (ends is None or begun < ends)
                if (begun == starts and helped == village) or not overlaps or self.rows.get(other, 0) >= row:
                    continue
                if helped == village:
                    yield Late(row, Fault("starts_on", "errors.pairing_twice"), starts.isoformat())
                    break
                if "one_to_one" in (self.kinds[other], self.kinds[lead, village, starts]):
                    name = self.by_id[helped].short_name
                    yield Late(row, Fault("kind", "errors.pairing_one", school=name), name)
                    break

    def _changed(
        self, held: Pairing, kind: str, ends: date | None, plan: Plan, place: tuple[str, str | None]
    ) -> Effect:
        new: dict[str, Any] = {} if held.kind == kind else {"kind": kind}
        if held.ends_on != ends:
            closed = self.today.replace(day=1)
            if any(day is not None and day < closed for day in (held.ends_on, ends)):
                raise Fault("ends_on", "errors.effective_closed", date=closed.isoformat())
            new["ends_on"] = ends
        if new:
            self._takes((held.lead_school_id, held.village_school_id, held.starts_on), ends, kind, plan)
            plan.change(Pairing, held, new, place)
        return "changed" if new else "same"
