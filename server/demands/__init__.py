"""Demand exchange (需求对接): a school posts what it needs, lead schools and studios offer a slot, one is accepted."""
