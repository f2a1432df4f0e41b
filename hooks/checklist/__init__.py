"""The checklist: the whole judgement of one child on one page, and the form for what no record holds."""
