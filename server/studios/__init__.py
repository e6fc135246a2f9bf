"""Famous-teacher studios."""
