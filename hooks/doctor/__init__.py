"""`relapse-cds doctor`: what one FHIR server lets this service know, found out by asking it what the service asks.

Read `examination.py` first. `listening.py` and `search_report.py` look at the searches, `criteria.py` at what can be
judged from them, `patient_chart.py` and `local_codes.py` at what one patient's chart holds; `advice.py` says what to do.
"""
