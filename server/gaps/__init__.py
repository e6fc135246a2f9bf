"""Declared gaps (缺课需求): which subject which grade of a school cannot be taught this term."""
