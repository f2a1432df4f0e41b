"""`relapse-cds protocol` and `relapse-cds questionnaire`: what the program itself holds, for a person or another system."""

from __future__ import annotations

import click

from cds.trials import NCT05827549
from fhir_mappings.protocol_export import protocol_bundle
from fhir_mappings.questionnaire import questionnaire as made
from hooks.command_line import print_json
from hooks.protocol_data import protocol_data
from hooks.protocol_text import protocol_text
from hooks.version import SOFTWARE_VERSION


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "json", "fhir"]), default="text", show_default=True)
def protocol(form: str) -> None:
    """The rules themselves: the document's words, our reading of them, and the data each needs.

    text is for a person; json is the same as data, with every code; fhir is a Bundle of a ResearchStudy and its
    eligibility Group (R4), for another system to show.
    """
    if form == "fhir":
        print_json(protocol_bundle(NCT05827549))
        return
    data = protocol_data(NCT05827549, SOFTWARE_VERSION)
    if form == "json":
        print_json(data)
    else:
        click.echo(protocol_text(data), nl=False)


@click.command()
def questionnaire() -> None:
    """The chart-review form as a FHIR R4 Questionnaire, for what records have no dependable place for.

    \b
    relapse-cds questionnaire > chart-review.json

    Load it into your form tool or FHIR server, under an address of your own that still ends in
    /Questionnaire/nct05827549-chart-review. A clinician fills it in; every completed or amended
    QuestionnaireResponse to it is then read with the child's record, the newest answer to each question.
    """
    print_json(made())
