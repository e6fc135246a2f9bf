"""Fixtures of the web's tests; they live in tests/support/web.py."""

from tests.support.web import clock, database, empty_database, engine, routes, seat_key_file, web, web_settings

__all__ = ["clock", "database", "empty_database", "engine", "routes", "seat_key_file", "web", "web_settings"]
