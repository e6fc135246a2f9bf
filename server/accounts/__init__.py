"""People, posts, sign-in."""
