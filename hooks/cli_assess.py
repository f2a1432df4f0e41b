"""`relapse-cds assess`: one child, from a Bundle or a FHIR server, as text, as data or as the cards that an EHR would get."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console

from cds import assess as judge
from cds.trials import NCT05827549
from fhir_mappings import Record, read_patient
from hooks.bundle import BundleError, record_from_bundle
from hooks.cards import cards
from hooks.cds_client import DEVELOPER
from hooks.command_line import CannotDo, configured, fhir_base_of, patient_id_of, print_json, use_site_codes
from hooks.config import Config
from hooks.deadline import Deadline
from hooks.fhir_json import NotFhirJson, parse
from hooks.fhir_server import FhirServer
from hooks.gather import access, fetch
from hooks.logs import configure_logs
from hooks.problem import Problem
from hooks.report import print_assessment
from hooks.version import SOFTWARE_VERSION

FETCH_SECONDS = 60  # a person waits for one child; nobody's chart is held up


@click.command()
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
        print_json({"cards": cards(assessment, DEVELOPER, config)})
    else:
        print_assessment(assessment, SOFTWARE_VERSION, Console())


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
    base, patient_id = fhir_base_of(fhir_base, "--fhir-base"), patient_id_of(patient_id)
    deadline = Deadline.after(FETCH_SECONDS)
    with FhirServer(base, access(os.environ.get("FHIR_TOKEN"), base, config), deadline=deadline, ca_bundle=config.trusted) as server:
        try:
            return fetch(server, patient_id, {}, deadline, everything=True)
        except Problem as problem:
            raise CannotDo(problem.words.split(". Send")[0]) from None
