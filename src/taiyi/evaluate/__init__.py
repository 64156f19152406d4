"""Evaluation: test sets, scores over them, and the report that sets them beside the paper's."""
