"""`relapse-cds screen`: a whole cohort, from files or from a FHIR server, judged by the same function as at the bedside."""
