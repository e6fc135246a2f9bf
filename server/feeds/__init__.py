"""Calendar feeds: secret iCalendar addresses of people and rooms."""
