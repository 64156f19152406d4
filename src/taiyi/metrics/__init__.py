"""Metrics: pure functions over counts, numbers and texts."""
