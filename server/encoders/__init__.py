"""Encoders of classrooms: stream keys that hold until they are withdrawn, cameras and recording hosts we fetch from."""
