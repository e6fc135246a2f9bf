"""Setting up studios: name, school, host, and who belongs to them from when to when."""
