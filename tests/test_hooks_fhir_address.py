"""Which `fhirServer` may be called, as a table."""

from __future__ import annotations

import pytest

from hooks.fhir_address import allowed, same_origin

LISTED = ["https://ehr.example/api/FHIR/R4", "https://root.example", "http://inside.example:8080/fhir/",
          "https://10.1.2.3/fhir", "https://[2001:db8::1]/fhir"]

ALLOWED = [
    ("https://ehr.example/api/FHIR/R4", "https://ehr.example/api/FHIR/R4"),
    ("https://ehr.example/api/FHIR/R4/", "https://ehr.example/api/FHIR/R4"),
    ("HTTPS://EHR.Example/api/FHIR/R4", "https://ehr.example/api/FHIR/R4"),
    ("https://ehr.example:443/api/FHIR/R4", "https://ehr.example/api/FHIR/R4"),
    ("https://root.example/", "https://root.example"),
    ("http://inside.example:8080/fhir", "http://inside.example:8080/fhir"),
    ("https://10.1.2.3/fhir", "https://10.1.2.3/fhir"),
    ("https://[2001:DB8::1]/fhir", "https://[2001:db8::1]/fhir"),
]

REFUSED = [
    pytest.param("https://other.example/api/FHIR/R4", id="host not listed"),
    pytest.param("http://ehr.example/api/FHIR/R4", id="scheme differs"),
    pytest.param("https://ehr.example:8443/api/FHIR/R4", id="port differs"),
    pytest.param("https://ehr.example/api/fhir/r4", id="paths have case"),
    pytest.param("https://ehr.example/api/FHIR/R4/other", id="below a listed base"),
    pytest.param("https://ehr.example", id="above a listed base"),
    pytest.param("https://ehr.example/api/FHIR/R4/../R4", id="dots"),
    pytest.param("https://ehr.example/api/FHIR/R4//", id="two slashes"),
    pytest.param("https://ehr.example.evil.example/api/FHIR/R4", id="listed host as prefix"),
    pytest.param("https://user@ehr.example/api/FHIR/R4", id="user"),
    pytest.param("https://user:secret@ehr.example/api/FHIR/R4", id="user and password"),
    pytest.param("https://@ehr.example/api/FHIR/R4", id="empty user"),
    pytest.param("https://ehr.example@evil.example/api/FHIR/R4", id="listed host as user"),
    pytest.param("https://evil.example\\@ehr.example/api/FHIR/R4", id="backslash, on which parsers differ"),
    pytest.param("https://ehr.example/api/FHIR/R4?x=1", id="query"),
    pytest.param("https://ehr.example/api/FHIR/R4?", id="empty query"),
    pytest.param("https://ehr.example/api/FHIR/R4#x", id="fragment"),
    pytest.param("https://ehr.example/api/FHIR/R4#", id="empty fragment"),
    pytest.param(" https://ehr.example/api/FHIR/R4", id="leading space"),
    pytest.param("https://ehr.example/api/\nFHIR/R4", id="line feed"),
    pytest.param("https://ehr.example:x/api/FHIR/R4", id="port is no number"),
    pytest.param("https://ehr.example:99999/api/FHIR/R4", id="port too large"),
    pytest.param("https://[::1/fhir", id="broken brackets"),
    pytest.param("https://ehr.example\uff0fevil/api/FHIR/R4", id="normalises to a slash"),
    pytest.param("https://10.1.2.4/fhir", id="IP literal not listed"),
    pytest.param("https://167838211/fhir", id="listed IP as one number"),
    pytest.param("https://[2001:db8:0::1]/fhir", id="listed IP spelled otherwise"),
    pytest.param("http://127.0.0.1:8090/fhir", id="loopback"),
    pytest.param("http://localhost:8090/fhir", id="localhost"),
    pytest.param("file:///etc/passwd", id="file"),
    pytest.param("ftp://ehr.example/api/FHIR/R4", id="ftp"),
    pytest.param("//ehr.example/api/FHIR/R4", id="no scheme"),
    pytest.param("https:///fhir", id="no host"),
    pytest.param("ehr.example", id="no URL"),
    pytest.param("", id="empty"),
    pytest.param(None, id="null"),
    pytest.param(7, id="number"),
]


@pytest.mark.parametrize(("given", "base"), ALLOWED)
def test_listed_servers_are_called_by_their_normalised_base(given, base):
    assert allowed(given, LISTED, loopback_ok=False) == base


@pytest.mark.parametrize("given", REFUSED)
def test_everything_else_is_refused(given):
    assert allowed(given, LISTED, loopback_ok=False) is None


@pytest.mark.parametrize("given", ["http://127.0.0.1:8090/fhir", "http://[::1]:8090/fhir", "http://localhost:8090/fhir"])
def test_loopback_may_be_allowed_for_development(given):
    assert allowed(given, [], loopback_ok=True) == given


@pytest.mark.parametrize("given", ["http://127.0.0.1.evil.example/fhir", "http://10.0.0.1/fhir", "http://0.0.0.0/fhir",
                                   "http://user@127.0.0.1/fhir", "http://169.254.169.254/latest"])
def test_loopback_is_only_loopback(given):
    assert allowed(given, [], loopback_ok=True) is None


def test_a_broken_entry_in_the_list_allows_nothing():
    assert allowed("https://ehr.example/?x", ["https://ehr.example/?x", "", "nonsense"], loopback_ok=True) is None


def test_origins_are_compared_with_default_ports_filled_in():
    assert same_origin("https://ehr.example:443/a?b#c", "https://EHR.example/d")
    assert not same_origin("https://ehr.example", "http://ehr.example")
    assert not same_origin("https://ehr.example:0", "https://ehr.example")
    assert not same_origin("nonsense", "nonsense")
