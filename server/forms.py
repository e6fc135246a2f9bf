"""Forms of pages through the same pydantic schemas as the JSON API, with a sentence beside each wrong field.

Rule: what a person typed is never lost: a page that refuses shows it again (``Form.values``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from server.errors import ConflictError, InvalidError, TongtangError
from server.failures import sentence
from server.templating import Texts

M = TypeVar("M", bound=BaseModel)
R = TypeVar("R")

_WRONG = {
    "missing": "required",
    "string_too_short": "too_short",
    "string_too_long": "too_long",
    "string_pattern_mismatch": "pattern",
    "int_parsing": "number",
    "float_parsing": "number",
    "greater_than_equal": "at_least",
    "less_than_equal": "at_most",
    "date_parsing": "date",
    "date_from_datetime_parsing": "date",
    "time_parsing": "time",
    "literal_error": "choice",
    "too_short": "too_few",
    "too_long": "too_many",
}
"""pydantic's error types -> ``common.wrong.*``; others are "common.wrong.other"."""


@dataclass
class Form:
    """What a page's form shows: values as typed, a sentence per wrong field, one for the form as a whole."""

    values: dict[str, Any] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)
    message: str = ""

    def value(self, name: str, default: Any = "") -> Any:
        found = self.values.get(name, default)
        return "" if found is None else found

    def error(self, name: str) -> str | None:
        return self.wrong.get(name)

    @property
    def bad(self) -> bool:
        return bool(self.wrong or self.message)

    @property
    def complaint(self) -> str:
        """One sentence, where a page shows no fields beside which it could stand."""
        return self.message or next(iter(self.wrong.values()), "")

    def refuse(self, raised: TongtangError, sentence: str) -> None:
        """A rule of a service said no: beside its field where it names one, else above the form."""
        at = raised.params.get("field")
        if isinstance(at, str) and at:
            self.wrong[at] = sentence
        else:
            self.message = sentence


def typed(pairs: Iterable[tuple[str, Any]], *, leave: tuple[str, ...] = ("csrf",)) -> dict[str, Any]:
    """The fields as typed, trimmed; an empty field is an absent one. Files are not for here."""
    return {
        name: text for name, value in pairs if name not in leave and isinstance(value, str) and (text := value.strip())
    }


def rows_of(values: Mapping[str, Any], held: Mapping[str, str]) -> dict[str, Any]:
    """A form's repeated rows: "receivers.0.room_id" -> receivers: [{room_id}]. ``held``: the field of each kind of row
    without which a row is an empty one, and left out."""
    body: dict[str, Any] = {}
    rows: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in held}
    for name, value in values.items():
        parts = name.split(".")
        if len(parts) == 3 and parts[0] in rows:
            rows[parts[0]].setdefault(parts[1], {})[parts[2]] = value
        else:
            body[name] = value
    return body | {kind: [row for row in rows[kind].values() if needed in row] for kind, needed in held.items()}


def check(schema: type[M], values: Mapping[str, Any], t: Texts) -> tuple[M | None, dict[str, str]]:
    """The schema's value in lax mode (a form sends text), or why not, by field."""
    try:
        return schema.model_validate(dict(values), strict=False), {}
    except ValidationError as error:
        return None, {_field(one["loc"]): _sentence(one, t) for one in error.errors(include_url=False)}


def faults(error: ValidationError) -> list[tuple[str, str, dict[str, Any]]]:
    """(field, key of "common.wrong.*", params) of each, for whoever says them later or elsewhere."""
    return [(_field(one["loc"]), _WRONG.get(one["type"], "other"), _bounds(one)) for one in error.errors()]


def _bounds(one: Any) -> dict[str, Any]:
    context = one.get("ctx", {})
    return {
        "least": context.get("min_length", context.get("ge", "")),
        "most": context.get("max_length", context.get("le", "")),
    }


def _field(place: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in place)


def _sentence(one: Any, t: Texts) -> str:
    return t(f"common.wrong.{_WRONG.get(one['type'], 'other')}", **_bounds(one))


async def submitted(request: Request, schema: type[M], t: Texts) -> tuple[Form, M | None]:
    """A posted form: as typed, and checked."""
    values = typed((await request.form()).multi_items())
    form = Form(values)
    body, form.wrong = check(schema, values, t)
    return form, body


async def attempt(request: Request, form: Form, doing: Awaitable[R]) -> R | None:
    """Do it; a rule's refusal goes back onto the form. A missing right or row stays an error of the request."""
    try:
        return await doing
    except (InvalidError, ConflictError) as error:
        form.refuse(error, sentence(request, error))
        return None


async def carried_out(request: Request, schema: type[M], t: Texts, doing: Callable[[M], Awaitable[Any]]) -> Form:
    """A posted form, checked and done; ``bad`` when either refused it."""
    form, body = await submitted(request, schema, t)
    if body is not None:
        await attempt(request, form, doing(body))
    return form
