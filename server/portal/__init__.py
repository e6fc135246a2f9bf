"""The front page for everybody."""
