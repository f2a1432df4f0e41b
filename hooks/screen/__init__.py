"""`relapse-cds screen`: a whole cohort, judged by the same function as at the bedside."""
