"""The command line: try it (`demo`), run it (`serve`), judge one child (`assess`).

Exit status 0: done, whatever the verdict; 1: could not do it, said in one sentence; 2: wrong usage.
"""

from __future__ import annotations

import io
import logging
import os
import sys
from datetime import datetime
from pathlib import Path

import click
from flask import Flask
from rich.console import Console

from cds import assess as judge
from cds.trials import NCT05827549
from fhir_mappings import Record, read_patient
from hooks.bundle import BundleError, record_from_bundle
from hooks.cards import SOFTWARE_VERSION, cards
from hooks.cds_client import DEVELOPER
from hooks.cli_feedback import feedback
from hooks.cli_serve import serve
from hooks.command_line import CannotDo, configured, print_json, use_site_codes
from hooks.config import Config
from hooks.deadline import Deadline
from hooks.doctor.command import doctor
from hooks.fhir_address import normalised_base
from hooks.fhir_json import NotFhirJson, parse
from hooks.fhir_server import FhirServer
from hooks.gather import access, fetch
from hooks.logs import configure_logs
from hooks.problem import Problem
from hooks.report import print_assessment
from hooks.screen.command import screen

FETCH_SECONDS = 60  # a person waits for one child; nobody's chart is held up


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
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


@main.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0 takes any free port.")
def demo(port: int) -> None:
    """See it work: a FHIR server with invented children, the service, and a chart that calls it."""
    from werkzeug.serving import make_server

    from hooks.app import create_app
    from hooks.demo import create_demo

    configure_logs(quiet=True)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # the page shows every call; the terminal shows the address
    try:
        server = make_server("127.0.0.1", port, Flask(__name__), threaded=True)
    except (OSError, SystemExit):
        raise CannotDo(f"port {port} is taken; choose another with --port, or --port 0 for any") from None
    address = f"http://127.0.0.1:{server.server_port}"
    settings = Config.development().model_copy(update={"public_url": address, "contact": "nobody: this is a demonstration"})
    server.app = create_demo(service_app_factory=lambda: create_app(settings))
    click.echo(f"{address}/")
    click.echo("Open it in a browser. All children are invented. Ctrl-C ends it.", err=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()


@main.command()
@click.argument("patient_id", required=False)
@click.option("--bundle", "bundle_file", type=click.Path(path_type=Path), help="A FHIR Bundle; - reads standard input.")
@click.option("--fhir-base", help="FHIR R4 base URL to read PATIENT_ID from.")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="Settings: time zone, the site's codes, our own access.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Judge as of this day (default: today).")
@click.option("--format", "form", type=click.Choice(["text", "json", "cards"]), default="text", show_default=True)
def assess(patient_id: str | None, bundle_file: Path | None, fhir_base: str | None, config_file: Path | None, as_of: datetime | None,
           form: str) -> None:
    """Judge one child, from a Bundle or from a FHIR server, without an EHR around it.

    An access token is taken from FHIR_TOKEN; without one, our own access under [[backend_services]] is used.
    """
    if (bundle_file is None) == (fhir_base is None) or (fhir_base is None) != (patient_id is None):
        raise click.UsageError("give either --bundle FILE, or PATIENT_ID and --fhir-base URL")
    configure_logs(quiet=True)
    config = configured(config_file)
    use_site_codes(config)
    record = _from_file(bundle_file) if bundle_file else _from_server(str(fhir_base), str(patient_id), config)
    assessment = judge(NCT05827549, read_patient(record, as_of.date() if as_of else config.today()))
    if form == "json":
        print_json(assessment.as_json(SOFTWARE_VERSION))
    elif form == "cards":
        print_json({"cards": cards(assessment, DEVELOPER, Config())})
    else:
        print_assessment(assessment, SOFTWARE_VERSION, Console())


@main.command()
@click.option("--format", "form", type=click.Choice(["text", "json", "fhir"]), default="text", show_default=True)
def protocol(form: str) -> None:
    """The rules themselves: the document's words, our reading of them, and the data each needs.

    text is for a person; json is the same as data, with every code; fhir is a Bundle of a ResearchStudy and its
    eligibility Group (R4), for another system to show.
    """
    from fhir_mappings.protocol_export import protocol_bundle
    from hooks.protocol_data import protocol_data
    from hooks.protocol_text import protocol_text

    if form == "fhir":
        print_json(protocol_bundle(NCT05827549))
        return
    data = protocol_data(NCT05827549, SOFTWARE_VERSION)
    if form == "json":
        print_json(data)
    else:
        click.echo(protocol_text(data), nl=False)


@main.command()
def questionnaire() -> None:
    """The chart-review form as a FHIR R4 Questionnaire, for what records have no dependable place for.

    \b
    relapse-cds questionnaire > chart-review.json

    Load it into your form tool or FHIR server, under an address of your own that still ends in
    /Questionnaire/nct05827549-chart-review. A clinician fills it in; every completed or amended
    QuestionnaireResponse to it is then read with the child's record, the newest answer to each question.
    """
    from fhir_mappings.questionnaire import questionnaire as made

    print_json(made())


main.add_command(feedback)
main.add_command(serve)
main.add_command(screen)
main.add_command(doctor)


def _from_file(path: Path) -> Record:
    try:
        content = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        return record_from_bundle(parse("application/json", content))
    except OSError as error:
        raise CannotDo(f"{path}: cannot be read ({(error.strerror or 'unknown error').lower()})") from None
    except NotFhirJson:
        raise CannotDo(f"{path}: is not valid JSON") from None
    except BundleError as error:
        raise CannotDo(f"{path}: {error}") from None


def _from_server(fhir_base: str, patient_id: str, config: Config) -> Record:
    base = normalised_base(fhir_base)
    if base is None:
        raise CannotDo(f"--fhir-base {fhir_base}: must be a URL such as https://ehr.example/fhir")
    deadline = Deadline.after(FETCH_SECONDS)
    with FhirServer(base, access(os.environ.get("FHIR_TOKEN"), base, config), deadline=deadline) as server:
        try:
            return fetch(server, patient_id, {}, deadline, everything=True)
        except Problem as problem:
            raise CannotDo(problem.words.split(". Send")[0]) from None

