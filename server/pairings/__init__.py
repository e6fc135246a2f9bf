"""Pairings' signed agreements: handed in once, shown to both schools, never swapped."""
