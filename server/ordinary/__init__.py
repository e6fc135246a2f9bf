"""A school's ordinary timetable (本校课表): hours that are no synchronous lessons, and keep people and rooms busy."""
