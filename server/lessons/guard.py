"""The lifecycle table as triggers: a state that does not follow from the last one is refused by the database itself.

Made with the table by ``models.py`` (tests, new databases) and by migration 0004, which keeps its own copy for ever.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import DDL

from server.lessons.lifecycle import moves

REFUSAL = "a lesson cannot go from this state to that one"


def _allowed() -> str:
    return ", ".join(f"'{old}>{new}'" for old, new in sorted(moves()))


STATEMENTS: dict[str, tuple[str, ...]] = {
    "sqlite": (
        "CREATE TRIGGER lessons_follow_the_table BEFORE UPDATE OF state ON lessons WHEN OLD.state <> NEW.state "
        f"AND OLD.state || '>' || NEW.state NOT IN ({_allowed()}) BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION lessons_follow_the_table() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF OLD.state || '>' || NEW.state NOT IN ({_allowed()}) THEN "
        f"RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER lessons_follow_the_table BEFORE UPDATE OF state ON lessons FOR EACH ROW "
        "WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION lessons_follow_the_table()",
    ),
}


def ddl(statement: str, dialect: str) -> Any:
    return DDL(statement.replace("%", "%%")).execute_if(dialect=dialect)  # type: ignore[no-untyped-call]
