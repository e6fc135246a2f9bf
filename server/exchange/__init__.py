"""Excel both ways: schools, rooms, classes, people, pairings. A file is checked wholly before any of it is written."""
