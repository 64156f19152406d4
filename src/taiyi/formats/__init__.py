"""File formats: one file each, its `read` and its `write` side by side."""
