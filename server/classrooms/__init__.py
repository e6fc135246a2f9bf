"""Synchronous classrooms."""
