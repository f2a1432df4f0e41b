"""The OpenAPI document is valid and complete, and the service does what it says, whatever is sent to it.

A tool reads the document, makes calls of every kind from it, good and bad, and looks at each answer: no 500, no status, type
or shape that the document does not promise. The calls are the same every time.
"""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from jsonschema import Draft202012Validator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from hook_calls import EHR, ToldTheDay, client
from hooks import create_app
from hooks.cds_client import CdsClient
from hooks.services import SERVICES
from signed_calls import EC_JWK, ISSUER, PUBLIC_URL, RSA_JWK, token

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
PATHS = {"/cds-services", "/about/nct05827549", "/about/nct05827549.json", "/healthz", "/readyz", "/metrics", "/openapi.json"} | {
    f"/cds-services/{service.id}{what}" for service in SERVICES for what in ("", "/feedback")
}  # all of them but the pages of the checklist app
FEW = settings(max_examples=20, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def in_development():
    return create_app(ToldTheDay.development())


def in_production():
    caller = CdsClient(name="ehr", issuer=ISSUER, keys=(EC_JWK, RSA_JWK), fhir_servers=(EHR,))
    return create_app(ToldTheDay(clients=(caller,), public_url=PUBLIC_URL, database="sqlite://"))


development = schemathesis.openapi.from_wsgi("/openapi.json", in_development())
production = schemathesis.openapi.from_wsgi("/openapi.json", in_production())


def test_the_document_is_valid():
    development.validate()
    document = client().get("/openapi.json").json
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_address_is_in_it_and_every_one_in_it_is_there():
    document = client().get("/openapi.json").json
    assert set(document["paths"]) == PATHS
    for path, operations in document["paths"].items():
        for method in operations:
            assert client().open(path, method=method.upper(), json={}).status_code != 404, path


@development.parametrize()
@FEW
def test_in_development_no_call_is_a_500_or_another_answer_than_promised(case):
    case.call_and_validate(checks=CHECKS)


@production.parametrize()
@FEW
def test_with_a_token_no_call_is_a_500_or_another_answer_than_promised(case):
    case.call_and_validate(checks=CHECKS, headers={"Authorization": f"Bearer {token(case.operation.path)}"})


@pytest.mark.parametrize("path", sorted(path for path in PATHS if path.startswith("/cds-services/")))
def test_without_a_token_every_call_is_refused(path):
    assert "jwt" in str(client().get("/openapi.json").json["paths"][path]["post"]["security"])
    assert client().post(path, json={}, headers={"Authorization": ""}).status_code == 401
