"""People administration: who works where, with which posts, from when to when."""
