"""The checklist on a FHIR server written by others: it takes what we write, strictly validated, and gives it back."""

from __future__ import annotations

import pytest

from hook_calls import TODAY
from hooks.demo.children import everyone
from real_fhir_server import RealFhirServer
from signed_calls import PUBLIC_URL
from smart_access import LOADER, guarded_server
from smart_ehr import CLINICIAN, ehr, opened
from test_checklist_answers import answered, shown

CHILD = "missing-echo"


@pytest.fixture(scope="module")
def guarded(start_fhir_server) -> RealFhirServer:
    server = guarded_server(start_fhir_server)
    mine = [r for r in everyone(TODAY) if r.get("subject", r.get("patient", {})).get("reference") == f"Patient/{CHILD}" or r["id"] == CHILD]
    wanted = [r for r in mine if r["resourceType"] in ("Patient", "Condition", "Observation", "QuestionnaireResponse")]
    server.load({"resourceType": "Bundle", "type": "transaction", "entry": [
        {"resource": r, "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"}} for r in wanted]})  # fmt: skip
    return server


def test_answers_are_taken_as_they_were_given_and_count(guarded):
    """The authorization server is the tests' own: this one gives tokens to programs only."""
    with ehr(CHILD, grant={"access_token": LOADER}) as authority:
        origin = authority.url.removesuffix("/fhir")
        browser = authority.service(app={"fhir_server": guarded.base_url, "authorize_url": f"{origin}/authorize", "token_url": f"{origin}/token"})
        authority.url = guarded.base_url
        path = opened(browser, authority)
        assert "Is there an unstable condition that would put the child at risk?" in shown(browser, path)
        answer = answered(browser, path, unstable_condition="no", frontline_induction_end_date="2021-03", eoi_ngs_mrd="0.0040", eoi_ngs_mrd_lod="0.001")
        assert answer.status_code == 303, answer.text
        page = browser.get(answer.location, base_url=PUBLIC_URL).text
    assert "the chart was read again" in page and "unstable condition no" in page
    (written,) = (r["resource"] for r in guarded.get("QuestionnaireResponse?_count=500")["entry"] if r["resource"]["author"]["reference"] == CLINICIAN)
    assert written["subject"] == {"reference": f"Patient/{CHILD}"} and written["id"] in answer.location
    items = {item["linkId"]: item["answer"][0] for group in written["item"] for item in group["item"]}
    assert list(items) == ["frontline-induction-end-date", "eoi-ngs-mrd", "eoi-ngs-mrd-lod", "unstable-condition"]
    assert items["frontline-induction-end-date"] == {"valueDate": "2021-03"}
