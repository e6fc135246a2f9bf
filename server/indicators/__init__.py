"""The registry of indicators and their roll-ups."""
