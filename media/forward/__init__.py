"""Which packet goes to whom, and what it becomes on the way."""
