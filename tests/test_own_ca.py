"""A hospital whose servers are vouched for by a CA of its own: trusted where the settings name it, and nobody else is.

Every connection of ours is tried against a real TLS server: the FHIR server, its token endpoint, the callers' key sets.
"""

from __future__ import annotations

import json

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import hostile_fhir
from command_line import cannot, run
from exporting_fhir import Exporting
from hook_calls import EHR, TODAY, TOKEN, Chart, assessment, client, refusal, tell
from hooks.backend_registration import BackendServices
from hooks.backend_services import TokenSource
from hooks.cds_client import CdsClient
from hooks.config import Config
from hooks.deadline import Deadline
from hooks.demo.children import transaction
from hooks.fhir_server import FhirServer
from hooks.fhir_session import guarded_session, sent
from hooks.jwks import KeySet, KeysUnavailable
from hooks.no_answer import NoAnswer
from own_ca import OwnCa
from screened import assessments, child_lines, screened, written
from signed_calls import EC_JWK, ISSUER
from smart_access import pem

CHILD = "screening-complete"
NOT_SECURE = "no secure connection to the FHIR server"
KEY = rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    return OwnCa(tmp_path_factory.mktemp("hospital"))


@pytest.fixture(scope="module")
def another(tmp_path_factory):
    """A CA that may vouch for anybody, and that nobody here trusts."""
    return OwnCa(tmp_path_factory.mktemp("elsewhere"))


@pytest.fixture
def settings(tmp_path):
    def write(*lines, bundle):
        file = tmp_path / "settings.toml"
        file.write_text("\n".join((f'ca_bundle = "{bundle}"' if bundle else "", *lines)), encoding="utf-8")
        return str(file)

    return write


def holding(talk):
    """A FHIR server with its token endpoint: every request must show the token that it gives."""
    if talk.path.endswith("/.well-known/smart-configuration"):
        return hostile_fhir.status(200, {"token_endpoint": f"{talk.origin}/token"})(talk)
    if talk.command == "POST":
        return hostile_fhir.status(200, {"access_token": "ours", "token_type": "bearer", "expires_in": 300})(talk)
    known = talk.headers.get("Authorization") == "Bearer ours"
    return (hostile_fhir.keeping(Chart(CHILD).resources) if known else hostile_fhir.status(401))(talk)


def of_system(server, tmp_path):
    (tmp_path / "key.pem").write_text(pem(KEY))
    return BackendServices(fhir_server=server.url, client_id="relapse-cds", key_file=tmp_path / "key.pem", kid="ours")


# --- the service ----------------------------------------------------------------------------------------------------------


def test_a_call_is_answered_from_a_server_that_our_ca_vouches_for(ca, tmp_path):
    """With the token that the same CA's endpoint gives."""
    with ca.serving(holding) as server:
        told = {"fhir_servers": (server.url,), "backend_services": (of_system(server, tmp_path),)}
        call = Chart(CHILD).call(fhirServer=server.url)
        found = assessment(tell(client(**told, ca_bundle=ca.bundle), call))
        assert found["not_looked_up"] == [] and any(path == "/token" for path, _ in server.heard)


@pytest.mark.parametrize("bundle", ["none", "another"])
def test_nobody_else_is_trusted(ca, another, bundle, tmp_path):
    with ca.serving(hostile_fhir.keeping(Chart(CHILD).resources)) as server:
        service = client(fhir_servers=(server.url,), ca_bundle=another.bundle if bundle == "another" else None)
        answer = tell(service, Chart(CHILD).call(fhirServer=server.url, fhirAuthorization=TOKEN))
    assert answer.status_code == 412 and NOT_SECURE in refusal(answer) and server.heard == []


def test_a_server_that_a_public_ca_would_vouch_for_is_not_trusted_beside_it(ca, another):
    """The file stands in place of the public CAs; written into one file, both are trusted."""
    both = another.bundle.with_name("both.pem")
    both.write_bytes(another.bundle.read_bytes() + ca.bundle.read_bytes())
    for bundle, why in ((another.bundle, NOT_SECURE), (both, "")):
        with ca.serving(hostile_fhir.keeping(Chart(CHILD).resources)) as server, FhirServer(server.url, deadline=Deadline.after(20), ca_bundle=str(bundle)) as fhir:
            assert fhir.read("Patient", CHILD).why == why


def test_a_token_endpoint_needs_it_too(ca, another, tmp_path):
    with ca.serving(holding) as server:
        ours = of_system(server, tmp_path)
        assert TokenSource(ours, ca_bundle=str(ca.bundle)).token(Deadline.after(20)) == "ours"
        told = ours.model_copy(update={"token_url": server.url.removesuffix("/fhir") + "/token"})
        assert TokenSource(told, ca_bundle=str(ca.bundle)).token(Deadline.after(20)) == "ours"
        before = len(server.heard)
        for registration in (ours, told):
            for bundle in (None, str(another.bundle)):
                with pytest.raises(NoAnswer, match="no secure connection"):
                    TokenSource(registration, ca_bundle=bundle).token(Deadline.after(20))
        assert len(server.heard) == before


def test_published_keys_need_it_too(ca, another):
    with ca.serving(hostile_fhir.status(200, {"keys": [EC_JWK]})) as server:
        caller = CdsClient(name="ehr", issuer=ISSUER, jwks_url=server.url)
        assert KeySet(caller, ca_bundle=str(ca.bundle)).key(EC_JWK["kid"])
        for bundle in (None, str(another.bundle)):
            with pytest.raises(KeysUnavailable, match="no secure connection"):
                KeySet(caller, ca_bundle=bundle).key(EC_JWK["kid"])
        service = client(jwks_url=server.url, keys=(), fhir_servers=(EHR,), ca_bundle=ca.bundle)
        assert tell(service, Chart(CHILD).call(Chart(CHILD).prefetch())).status_code == 200


def test_a_file_that_is_gone_is_no_crash(tmp_path):
    with guarded_session(Deadline.after(5), str(tmp_path / "gone.pem")) as session, pytest.raises(NoAnswer, match="certificates that we trust is gone"):
        with sent(session, requests.Request("GET", "https://127.0.0.1:9/"), Deadline.after(5)):
            pass


# --- the commands ---------------------------------------------------------------------------------------------------------


def test_screen_by_export_and_by_search(ca, settings, tmp_path):
    lines = child_lines()
    screened(written(tmp_path / "in", lines), tmp_path / "plain")
    kinds = {kind for kind, _ in lines}
    files = {f"{kind}.ndjson": "".join(line + "\n" for of, line in lines if of == kind).encode() for kind in kinds}
    resources = [entry["resource"] for entry in transaction(TODAY)["entry"]]

    def without_export(talk):
        (hostile_fhir.status(404) if "$export" in talk.path else hostile_fhir.keeping(resources))(talk)

    for how, behaviour in (("export", Exporting(files)), ("search", without_export)):
        with ca.serving(behaviour) as server:
            screened(server.url, tmp_path / how, "--config", settings(bundle=ca.bundle))
            assert {id: a["overall"] for id, a in assessments(tmp_path / how).items()} == {id: a["overall"] for id, a in assessments(tmp_path / "plain").items()}
            heard = len(server.heard)
            assert "secure connection" in cannot(run("screen", server.url, "--out", tmp_path / f"{how}-refused", "--quiet"))
            assert len(server.heard) == heard


def test_assess_and_doctor(ca, settings):
    def keeping(talk):
        (hostile_fhir.status(404) if talk.asked_for == "metadata" else hostile_fhir.keeping(Chart(CHILD).resources))(talk)

    with ca.serving(keeping) as server:
        told = ("--config", settings(bundle=ca.bundle))
        result = run("assess", CHILD, "--fhir-base", server.url, "--as-of", TODAY.isoformat(), "--format", "json", *told)
        assert json.loads(result.stdout)["not_looked_up"] == []
        asked = ("doctor", "--fhir-base", server.url, "--patient", CHILD, "--format", "json")
        assert json.loads(run(*asked, *told).stdout)["summary"]["card"]
        assert "secure connection" in cannot(run("assess", CHILD, "--fhir-base", server.url))
        line = cannot(run(*asked))
        assert NOT_SECURE in line and "ca_bundle" in line, "and what to do about it"


# --- the setting ----------------------------------------------------------------------------------------------------------

PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
UNUSABLE = {
    "missing": (None, "cannot be read (no such file or directory)"),
    "a folder": ("folder", "cannot be read (is a directory)"),
    "empty": (b"", "holds no certificate as PEM"),
    "words": (b"our certificate is on the intranet", "holds no certificate as PEM"),
    "binary": (b"\x30\x82\x01\x0a\xff\xfe", "holds no certificate as PEM"),
    "a key": (PUBLIC, "holds no certificate as PEM"),
    "broken": (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "holds no certificate as PEM"),
}


@pytest.mark.parametrize("name", UNUSABLE)
@pytest.mark.parametrize("command", [("serve", "--check"), ("serve",), ("screen", "exports", "--out", "out"), ("assess", CHILD, "--fhir-base", EHR), ("doctor", "--fhir-base", EHR)])
def test_a_file_that_will_not_do_is_named_with_its_remedy(settings, tmp_path, name, command):
    content, why = UNUSABLE[name]
    file = tmp_path / "ca.pem"
    file.mkdir() if content == "folder" else content is not None and file.write_bytes(content)
    line = cannot(run(*command, "--config", settings(bundle="ca.pem")))
    place, _, told = line.partition(": ca_bundle: ")
    assert place.endswith("settings.toml") and told.startswith(f"{file} {why}") and "; " in told, "what to do about it"
    assert not (tmp_path / "out").exists()


def test_it_counts_from_the_folder_of_the_settings(ca, settings, tmp_path):
    (tmp_path / "ca.pem").write_bytes(ca.bundle.read_bytes())
    assert Config.read(tmp_path / settings(bundle="ca.pem")).trusted == str(tmp_path / "ca.pem")
    assert Config().trusted is None
