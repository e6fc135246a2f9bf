"""Notices (通知): what people must know of a change, and whether they have read it."""
