"""Before the bell (候课自检): screens test themselves, every room has a light with one cause and one thing to do."""
