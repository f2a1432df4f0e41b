"""The settings of the checklist: what is refused, in which words; and which cards carry its link."""

from __future__ import annotations

import pytest

from command_line import cannot, run
from hook_calls import EHR, SERVICE, Chart, client, tell
from hooks.checklist.registration import SmartApp

RIGHT = {"fhir_server": '"https://ehr.example/fhir"', "client_id": '"checklist"'}
WRONG = {
    "plain http": ({"fhir_server": '"http://ehr.example/fhir"'}, "must be an https URL"),
    "no client id": ({"client_id": '""'}, "must not be empty"),
    "a scope without who": ({"scope": '"launch patient/*.rs"'}, "must hold openid and fhirUser as well"),
    "a scope without which child": ({"scope": '"openid fhirUser patient/*.rs"'}, "must hold launch as well"),
    "one address only": ({"token_url": '"https://login.example/token"'}, "give both authorize_url and token_url, or neither"),
    "a page instead of an origin": ({"embedded_by": '["https://ehr.example/frame"]'}, "must be an origin such as https://ehr.example"),
    "a key that there is not": ({"secret": '"s3cret"'}, "there is no such key"),
    "a variable that is not set": ({"client_secret_env": '"RELAPSE_CDS_NOT_SET"'}, "this environment variable is not set"),
}
CLIENT = """
[[clients]]
name = "ehr"
issuer = "https://ehr.example"
jwks_url = "https://ehr.example/jwks"
"""


def checked(tmp_path, told, public_url='public_url = "https://cds.example"', twice=1):
    file = tmp_path / "settings.toml"
    app = "[[smart_apps]]\n" + "".join(f"{key} = {value}\n" for key, value in told.items())
    file.write_text(f"{public_url}\n{CLIENT}\n{app * twice}")
    return run("serve", "--check", "--config", file)


@pytest.mark.parametrize("told, words", WRONG.values(), ids=WRONG)
def test_what_cannot_work_is_refused_with_the_reason(tmp_path, told, words):
    line = cannot(checked(tmp_path, RIGHT | told))
    assert words in line and "s3cret" not in line


def test_what_is_right_is_valid(tmp_path):
    assert "valid" in checked(tmp_path, RIGHT).stdout
    assert "two smart_apps have the same fhir_server" in cannot(checked(tmp_path, RIGHT, twice=2))
    assert "public_url is missing" in cannot(checked(tmp_path, RIGHT, public_url=""))


ANOTHER = "https://second.example/fhir"
APP = SmartApp(fhir_server=EHR, client_id="checklist")


@pytest.mark.parametrize("servers, named, linked", [
    ((EHR,), None, True), ((EHR,), EHR, True), ((EHR,), f"{EHR}/", True), ((EHR, ANOTHER), EHR, True), ((EHR, ANOTHER), ANOTHER, False),
    ((EHR, ANOTHER), None, False), ((ANOTHER,), None, False), ((), None, False),
])  # fmt: skip
def test_a_card_carries_the_link_where_it_leads_somewhere(servers, named, linked):
    chart = Chart("missing-echo")
    service = client(fhir_servers=servers, smart_apps=(APP,))
    (card,) = tell(service, chart.call(chart.prefetch(), fhirServer=named), SERVICE).json["cards"]
    smart = [link for link in card["links"] if link["type"] == "smart"]
    assert smart == ([{"label": "Open the checklist: every criterion, and your answers", "url": "https://cds.example/app/launch", "type": "smart",
                       "appContext": "NCT05827549"}] if linked else [])  # fmt: skip
