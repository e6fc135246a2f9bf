"""The register: districts, schools, rooms, devices, pairings."""
