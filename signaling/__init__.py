"""Live rooms: people, the op log, seats and negotiation. A pure core (no clock, no socket) behind thin doors in
``net/``.
"""
