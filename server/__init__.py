"""The web: pages, JSON, domain, database, jobs. One package per noun, the same file names in each."""
