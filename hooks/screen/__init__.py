"""Screening: the whole cohort judged at once, and the report about it."""
