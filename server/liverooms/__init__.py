"""Live rooms as the administration sees them: where they are, how they fare, and moving them."""
