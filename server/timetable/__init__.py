"""Terms, calendar, weekly slots."""
