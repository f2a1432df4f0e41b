"""The checklist: a SMART on FHIR app that shows one child's whole judgement and takes a clinician's answers.

`registration` is how a site registers it, `launch` how an EHR opens it, `visits` what is remembered meanwhile, `chart` what is
read and written, `view` and `form` what is shown and answered, `pages` the routes.
"""
