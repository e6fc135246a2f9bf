"""Monthly pages per school and district."""
