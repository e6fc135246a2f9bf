"""Dated lessons, their decks, and where each runs."""
