"""Screening a cohort: every child of a folder or of a FHIR server judged by the trial's rules."""
