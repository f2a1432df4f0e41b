"""The command `relapse-cds doctor`: its options, the exit status, and what goes to standard error while it works."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path

import click


@click.command()
@click.option("--fhir-base", required=True, help="FHIR R4 base URL of the server to examine.")
@click.option("--patient", "patient_id", help="Id of a patient to ask about; best a test patient with leukaemia.")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="Settings, a TOML file: time allowed, time zone, the site's codes.")
@click.option("--wait", type=click.FloatRange(0.1, 600), default=30, show_default=True, help="Seconds to wait for any one search.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def doctor(fhir_base: str, patient_id: str | None, config_file: Path | None, wait: float, form: str) -> None:
    """What a FHIR server lets this service know: run it first against every new server.

    \b
    relapse-cds doctor --fhir-base https://ehr.example/fhir --patient 12724066
    FHIR_TOKEN=... relapse-cds doctor --fhir-base https://ehr.example/fhir \\
        --patient 12724066 --config service.toml --format json

    It reads the CapabilityStatement and makes the searches of a hook call, each once, then tells of every search
    whether it works and in whose words it does not; of every criterion whether it can be judged from here; which codes
    and units of this patient's chart are not understood; whether the checklist can be opened; and what to do. It only reads, and it shows no name, date or
    identifier of the patient, so that its report can be passed on.

    Without --patient it looks for a patient with leukaemia, then for any. An access token is taken from FHIR_TOKEN; without one, our own
    access under [[backend_services]] is used.
    Exit status 0 when the diagnosis was made, whatever it says; 1 when the server cannot be reached at all.
    """
    from rich.console import Console

    from cds.trials import NCT05827549
    from fhir_mappings import codelists
    from fhir_mappings.codelists import CodelistError
    from fhir_mappings.site_codes import read_site_codes
    from hooks.command_line import CannotDo, configured, fhir_base_of, patient_id_of, print_json
    from hooks.deadline import Deadline
    from hooks.doctor.diagnosis import diagnosis
    from hooks.doctor.discretion import Discretion
    from hooks.doctor.examination import Unreachable, examine
    from hooks.doctor.text import print_diagnosis
    from hooks.gather import access
    from hooks.logs import configure_logs
    from hooks.no_answer import NoAnswer
    from hooks.version import SOFTWARE_VERSION

    configure_logs(quiet=True)
    base, patient_id = fhir_base_of(fhir_base, "--fhir-base"), patient_id and patient_id_of(patient_id)
    config = configured(config_file)
    try:
        site = read_site_codes(config.site_codes) if config.site_codes else None
    except CodelistError as error:
        raise CannotDo(str(error)) from None
    try:
        token = access(os.environ.get("FHIR_TOKEN"), base, config)
        if token and not isinstance(token, str):
            token = token.token(Deadline.after(wait))
    except NoAnswer as why:
        raise CannotDo(f"{base}: {why}") from None
    discretion = Discretion(token)
    progress = Console(stderr=True)
    working = progress.status(f"Asking {base}") if progress.is_terminal else nullcontext()
    with codelists.using(site) if site else nullcontext(), working as status:
        try:
            found = examine(base, token, patient_id, wait, discretion, lambda what: status and status.update(f"Asking {base}: {what}"), config.trusted)
        except Unreachable as why:
            raise CannotDo(str(why)) from None
        data = diagnosis(found, NCT05827549, config, config.today(), discretion, token is not None, SOFTWARE_VERSION)
    if form == "json":
        print_json(data)
    else:
        print_diagnosis(data, Console(highlight=False))
