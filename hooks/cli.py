"""The command line: try it (`demo`), run it (`serve`), judge one child (`assess`) or a cohort (`screen`).

Exit status 0: done, whatever the verdict; 1: could not do it, said in one sentence; 2: wrong usage.
"""

from __future__ import annotations

import io
import sys
from importlib import import_module

import click

from hooks.version import SOFTWARE_VERSION

PLACES = {
    "assess": "hooks.cli_assess",
    "demo": "hooks.cli_demo",
    "doctor": "hooks.doctor.command",
    "feedback": "hooks.cli_feedback",
    "protocol": "hooks.cli_protocol",
    "questionnaire": "hooks.cli_protocol",
    "screen": "hooks.screen.command",
    "serve": "hooks.cli_serve",
}


class Commands(click.Group):
    """Each command is imported when it is used: none waits for what others need, nor does any process of `screen`, each of
    which imports this file."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(PLACES)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        return getattr(import_module(PLACES[name]), name) if name in PLACES else None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(SOFTWARE_VERSION, prog_name="relapse-cds")
def main() -> None:
    """Decision support for trial NCT05827549: first relapse of childhood acute lymphoblastic leukaemia.

    \b
    relapse-cds demo                                        see it work, with invented children
    relapse-cds assess --bundle chart.json                  judge one child from a FHIR Bundle
    relapse-cds assess 123 --fhir-base https://.../fhir     judge one child from a FHIR server
    relapse-cds serve --config FILE                         answer CDS Hooks calls
    relapse-cds feedback                                    what became of the cards
    relapse-cds screen exports --out results                judge a whole cohort
    relapse-cds doctor --fhir-base https://.../fhir         what a new FHIR server lets it know
    relapse-cds protocol                                    the rules, and the data each needs
    relapse-cds questionnaire                               the chart-review form, as FHIR
    """
    for stream in (sys.stdout, sys.stderr):  # a terminal that has no "≥" shows a question mark, not a traceback
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
