"""The report of a screening: one HTML file that asks nobody for anything, for a browser and for paper.

`write_report(assessments, summary, path)` reads the assessments once, keeps of each child a few letters, and writes the
page. `read_assessments(path)` gives it the lines of `assessments.ndjson`.
"""

from hooks.screen.report.write import read_assessments, write_report

__all__ = ["read_assessments", "write_report"]
