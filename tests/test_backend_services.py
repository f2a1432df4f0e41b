"""Our own access to a FHIR server: tokens got, kept, renewed and refused, at a real server that asks for them.

What no real server does, such as handing out a token that it will not take, is played by `hostile_fhir`.
"""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest
import responses
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PublicFormat

import hostile_fhir
from fhir_mappings.sources import SEARCHES
from hook_calls import TODAY, TOKEN, Chart, assessment, by_id, client, favourable, refusal, tell, unanswered
from hooks.backend_registration import BackendServices
from hooks.backend_services import BackendError, TokenSource, private_key
from hooks.deadline import Deadline
from hooks.demo.children import transaction
from hooks.oauth import token_endpoint
from hooks.fhir_server import FhirServer
from hooks.no_answer import NoAnswer, Unwell
from hostile_fhir import HostileFhir
from smart_access import LIFETIME, guarded_server, jwk, known, pem

CHILD = "screening-complete"
NOT_SEARCHABLE = {"answers": "QuestionnaireResponse", "studies": "ResearchSubject"}  # by patient, at this server
RSA, OTHER_RSA, SHORT_RSA = (rsa.generate_private_key(65537, bits) for bits in (2048, 2048, 1024))
P384, P256 = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    for name, key in {"rsa": RSA, "other": OTHER_RSA, "p384": P384}.items():
        (folder / f"{name}.pem").write_text(pem(key))
    return folder


@pytest.fixture(scope="module")
def guarded(start_fhir_server):
    """A server that gives nothing without a token, and forgets its tokens after seconds."""
    ours = jwk(RSA, "ours", "RS384")
    server = guarded_server(start_fhir_server, known("relapse-cds", ours), known("relapse-cds-ec", jwk(P384, "ours-too", "ES384")),
                            known("narrow", ours, scopes="system/Patient.rs system/Condition.rs"))  # fmt: skip
    whole = transaction(TODAY)
    server.load({**whole, "entry": [e for e in whole["entry"] if e["resource"]["resourceType"] not in NOT_SEARCHABLE.values()]})
    return server


def backend(server_url, keys, **changes):
    told = {"fhir_server": server_url, "client_id": "relapse-cds", "key_file": keys / "rsa.pem", "kid": "ours", **changes}
    return BackendServices(**told)


def called(ours, prefetch=None, **members):
    """A hook call whose EHR sends no token; what this server cannot search comes along."""
    whole = Chart(CHILD).prefetch()
    sent = prefetch if prefetch is not None else {key: whole[key] for key in NOT_SEARCHABLE}
    service = client(fhir_servers=(ours.fhir_server,), backend_services=(ours,))
    return tell(service, Chart(CHILD).call(sent, fhirServer=ours.fhir_server, **members))


def asked_for_tokens(server):
    return server.log.read_text(errors="replace").count("POST /auth/token")


# --- a real server --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [{}, {"client_id": "relapse-cds-ec", "key_file": "p384.pem", "kid": "ours-too", "algorithm": "ES384"}], ids=["RS384", "ES384"])
def test_a_call_without_a_token_is_answered_with_ours(guarded, keys, how):
    how = {**how, "key_file": keys / how["key_file"]} if how else how
    found = assessment(called(backend(guarded.base_url, keys, **how)))
    assert found["not_looked_up"] == [] and favourable(found) == favourable(assessment(tell(client(), Chart(CHILD).call(Chart(CHILD).prefetch()))))


def test_without_being_registered_it_is_not_answered(guarded):
    answer = tell(client(fhir_servers=(guarded.base_url,)), Chart(CHILD).call(fhirServer=guarded.base_url))
    assert answer.status_code == 412 and refusal(answer).startswith("patient: not sent by the EHR, and no token to ask the server with")


def test_the_token_of_the_call_is_used_and_never_ours(guarded, keys):
    """Theirs is not accepted here; ours would be, and would show what the user may not see."""
    before = asked_for_tokens(guarded)
    answer = called(backend(guarded.base_url, keys), fhirAuthorization=TOKEN)
    assert answer.status_code == 412 and refusal(answer).startswith("patient: not authorised (401)")
    assert asked_for_tokens(guarded) == before


def test_one_token_serves_all_the_searches_of_many_calls(guarded, keys):
    source, before = TokenSource(backend(guarded.base_url, keys)), asked_for_tokens(guarded)
    with ThreadPoolExecutor(8) as many:
        tokens = set(many.map(lambda _: source.token(Deadline.after(20)), range(40)))
    assert len(tokens) == 1
    assert asked_for_tokens(guarded) == before + 1


def test_a_token_is_left_before_it_ends(guarded, keys):
    ours, source = backend(guarded.base_url, keys), TokenSource(backend(guarded.base_url, keys))
    first, read = source.token(Deadline.after(20)), 0
    until = time.monotonic() + LIFETIME + 1
    while time.monotonic() < until:  # a run longer than a token lasts
        with FhirServer(ours.fhir_server, source, deadline=Deadline.after(20)) as server:
            assert server.read("Patient", CHILD).complete
            read += 1
        time.sleep(0.1)
    assert read > 10 and source.token(Deadline.after(20)) != first


def test_a_token_that_ended_early_is_replaced_in_the_middle_of_a_run(guarded, keys):
    """Our clock stands still, so we hold it to be good; the server says 401, and the search is made again with another."""
    source = TokenSource(backend(guarded.base_url, keys), clock=lambda: 0.0)
    with FhirServer(guarded.base_url, source, deadline=Deadline.after(60)) as server:
        first = source.token(Deadline.after(20))
        assert server.read("Patient", CHILD).complete
        time.sleep(LIFETIME + 1)
        before = asked_for_tokens(guarded)
        with ThreadPoolExecutor(8) as many:
            answers = list(many.map(lambda _: server.search("Condition", [("patient", CHILD)]), range(8)))
        assert all(answer.complete and answer.resources for answer in answers)
        assert source.token(Deadline.after(20)) != first
        assert asked_for_tokens(guarded) == before + 1, "the eight share the new one"


@pytest.mark.parametrize("change, why", [
    ({"key_file": "other.pem"}, "the FHIR server gave us no access token (401: invalid_client)"),
    ({"client_id": "stranger"}, "the FHIR server gave us no access token (401: invalid_client)"),
    ({"client_id": "narrow"}, "the FHIR server gave us no access token (400: invalid_scope)"),
    ({"key_file": "nowhere.pem"}, "we have no usable private key for the FHIR server"),
    ({"token_url": "http://127.0.0.1:9/token"}, "the connection to the FHIR server failed"),
])  # fmt: skip
def test_what_is_wrong_with_our_access_is_said_in_plain_words(guarded, keys, change, why):
    change = {**change, "key_file": keys / change["key_file"]} if "key_file" in change else change
    ours = backend(guarded.base_url, keys, **change)
    answer = called(ours)
    assert answer.status_code == 412 and refusal(answer).startswith(f"patient: {why}")
    whole = Chart(CHILD).prefetch()
    found = assessment(called(ours, {key: whole[key] for key in ("patient", "conditions")}))
    assert unanswered(found) == {s.name for s in SEARCHES if not s.required}
    assert "PRIVATE KEY" not in answer.text + json.dumps(found)


def test_a_scope_that_is_missing_makes_unknown_and_not_absent(guarded, keys):
    ours = backend(guarded.base_url, keys, client_id="narrow", scope="system/Patient.rs system/Condition.rs")
    found = assessment(called(ours))
    assert unanswered(found) == {s.name for s in SEARCHES if not s.required} - set(NOT_SEARCHABLE)
    assert {told["words"] for told in found["not_looked_up"]} == {"forbidden (403)"}
    assert (by_id(found)["INC-06"]["truth"], by_id(found)["INC-06"]["reason"]) == ("unknown", "not_looked_up")


# --- what no real server does ---------------------------------------------------------------------------------------------------


class Authority:
    """A FHIR server and its token endpoint: the n-th grant, and what becomes of a search with a token."""

    def __init__(self, grant=None, configuration=None, takes=lambda token: True):
        self.grant, self.configuration, self.takes = grant, configuration, takes
        self.forms, self.tokens, self.lock = [], [], threading.Lock()
        self.sound = hostile_fhir.keeping(Chart(CHILD).resources)

    def __call__(self, talk):
        if talk.path.endswith("/.well-known/smart-configuration"):
            told = self.configuration or {"token_endpoint": f"http://{talk.headers['Host']}/token"}
            return hostile_fhir.text(json.dumps(told).encode(), "application/json")(talk)
        if talk.command == "POST":
            with self.lock:
                self.forms.append(talk.form)
                number = len(self.forms)
            grant = self.grant or hostile_fhir.status(200, {"access_token": f"token-{number}", "token_type": "bearer", "expires_in": 300})
            return grant(talk)
        token = talk.headers.get("Authorization", "").removeprefix("Bearer ")
        self.tokens.append(token)
        return (self.sound if self.takes(token) else hostile_fhir.status(401))(talk)


def test_the_assertion_says_who_we_are_once_and_for_minutes(keys):
    authority = Authority()
    with HostileFhir(authority) as server:
        source = TokenSource(backend(server.url, keys, scope="system/Patient.rs"))
        assert source.renewed(source.token(Deadline.after(20)), Deadline.after(20)) == "token-2"
        endpoint = server.url.removesuffix("/fhir") + "/token"
    seen = []
    for form in authority.forms:
        assert form["grant_type"] == "client_credentials" and form["scope"] == "system/Patient.rs"
        assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        assertion = form["client_assertion"]
        assert jwt.get_unverified_header(assertion) == {"alg": "RS384", "kid": "ours", "typ": "JWT"}
        claims = jwt.decode(assertion, RSA.public_key(), algorithms=["RS384"], audience=endpoint)
        assert claims["iss"] == claims["sub"] == "relapse-cds" and 0 < claims["exp"] - time.time() <= 240
        seen.append(claims["jti"])
    assert len(set(seen)) == 2


def test_a_server_that_takes_no_token_leaves_all_unknown(keys):
    with HostileFhir(Authority(takes=lambda token: False)) as server:
        whole = Chart(CHILD).prefetch()
        found = assessment(called(backend(server.url, keys), {key: whole[key] for key in ("patient", "conditions")}))
    assert unanswered(found) == {s.name for s in SEARCHES if not s.required}
    assert {told["words"] for told in found["not_looked_up"]} == {"not authorised (401)"}


def test_a_fresh_token_that_is_not_taken_is_the_last(keys):
    """Once per call, not once per search."""
    authority = Authority(takes=lambda token: False)
    with HostileFhir(authority) as server, FhirServer(server.url, TokenSource(backend(server.url, keys)), deadline=Deadline.after(20)) as fhir:
        for _ in range(5):
            assert fhir.read("Patient", CHILD).why == "not authorised (401)"
    assert len(authority.forms) == 2 and authority.tokens == ["token-1", *["token-2"] * 5]


def test_a_token_of_the_call_is_not_renewed():
    authority = Authority(takes=lambda token: False)
    with HostileFhir(authority) as server, FhirServer(server.url, "theirs", deadline=Deadline.after(20)) as fhir:
        assert fhir.read("Patient", CHILD).why == "not authorised (401)"
    assert authority.forms == [] and authority.tokens == ["theirs"]


@pytest.mark.parametrize("code", [302, 307, 308])
def test_a_redirect_does_not_see_our_assertion(keys, code):
    with HostileFhir(Authority()) as elsewhere:
        moved = lambda talk: talk.start(code, Location=elsewhere.url + "/token")  # noqa: E731
        with HostileFhir(Authority(grant=moved)) as server, pytest.raises(NoAnswer):
            TokenSource(backend(server.url, keys)).token(Deadline.after(20))
        assert elsewhere.heard == []


def test_a_refusal_is_not_asked_for_again_by_every_search(keys):
    authority = Authority(grant=hostile_fhir.status(400, {"error": "invalid_client"}))
    with HostileFhir(authority) as server:
        whole = Chart(CHILD).prefetch()
        called(backend(server.url, keys), {key: whole[key] for key in ("patient", "conditions")})
    assert len(authority.forms) == 1 and authority.tokens == []


def test_a_refusal_is_forgotten_after_a_moment(keys):
    now, replies = [0.0], [hostile_fhir.status(500), hostile_fhir.status(200, {"access_token": "good", "token_type": "Bearer"})]
    with HostileFhir(Authority(grant=lambda talk: replies.pop(0)(talk))) as server:
        source = TokenSource(backend(server.url, keys), clock=lambda: now[0])
        for _ in range(2):
            with pytest.raises(Unwell, match=r"no access token \(500\)"):
                source.token(Deadline.after(20))
        now[0] += 2.1
        assert source.token(Deadline.after(20)) == "good"


GRANTS = {
    "an error in words of its own": (hostile_fhir.status(400, {"error": "key -----BEGIN", "error_description": "patient Juni"}), "(400)"),
    "an error that is no text": (hostile_fhir.status(400, {"error": ["invalid_client"]}), "(400)"),
    "no token": (hostile_fhir.status(200, {"token_type": "bearer", "expires_in": 5}), "(200)"),
    "a token that is no text": (hostile_fhir.status(200, {"access_token": 7}), "(200)"),
    "a token that would break the header": (hostile_fhir.status(200, {"access_token": "a\r\nX-Evil: 1"}), "(200)"),
    "another kind of token": (hostile_fhir.status(200, {"access_token": "a", "token_type": "mac"}), "(200)"),
    "a list": (hostile_fhir.status(200, ["token"]), "(200)"),
    "a web page": (hostile_fhir.web_page, "(200)"),
    "broken JSON": (hostile_fhir.cut_short, "(200)"),
    "busy": (hostile_fhir.status(429), "(429)"),
    "a redirect": (hostile_fhir.redirect_to("http://127.0.0.1:9/token"), "(302)"),
}


@pytest.mark.parametrize("name", GRANTS)
def test_what_is_no_grant_is_refused_in_words_of_ours(keys, name):
    grant, why = GRANTS[name]
    with HostileFhir(Authority(grant=grant)) as server, pytest.raises(NoAnswer) as refused:
        TokenSource(backend(server.url, keys)).token(Deadline.after(20))
    assert str(refused.value) == f"the FHIR server gave us no access token {why}"


@pytest.mark.parametrize("grant", [hostile_fhir.hang, hostile_fhir.drip_headers, hostile_fhir.drip_body, hostile_fhir.endless_body, hostile_fhir.zipped_bomb])
def test_a_token_endpoint_cannot_hold_us_up(keys, grant):
    with HostileFhir(Authority(grant=grant)) as server, pytest.raises(NoAnswer, match="no answer in time|too large"):
        TokenSource(backend(server.url, keys)).token(Deadline.after(0.5))


@pytest.mark.parametrize("told, lasts", [(300, 270), ("300", 270), (4, 2), (0, 0), (-5, 0), (None, 270), ("soon", 270), ([], 270), (1e300, 86370)])
def test_a_token_is_used_until_shortly_before_its_end(keys, told, lasts):
    now, numbers = [0.0], iter(range(99))
    grant = lambda talk: hostile_fhir.status(200, {"access_token": f"t{next(numbers)}", "token_type": "bearer", "expires_in": told})(talk)  # noqa: E731
    with HostileFhir(Authority(grant=grant)) as server:
        source = TokenSource(backend(server.url, keys), clock=lambda: now[0])
        assert source.token(Deadline.after(20)) == "t0"
        if lasts:
            now[0] = lasts - 0.1
            assert source.token(Deadline.after(20)) == "t0"
        now[0] = lasts + 0.1
        assert source.token(Deadline.after(20)) == "t1"


@pytest.mark.parametrize("endpoint", ["http://auth.example/token", "ftp://auth.example/token", "/token", "", None, 7, ["https://auth.example/token"],
                                      "https://user:password@auth.example/token", "http://127.0.0.1@auth.example/token"])  # fmt: skip
def test_a_configuration_that_names_no_safe_address_is_not_followed(endpoint):
    with HostileFhir(Authority(configuration={"token_endpoint": endpoint})) as server:
        with pytest.raises(NoAnswer, match="^the FHIR server names no token endpoint that we may use$"):
            token_endpoint(server.url, Deadline.after(20))


def test_a_configuration_may_name_another_host_over_tls():
    with HostileFhir(Authority(configuration={"token_endpoint": "https://login.example/token"})) as server:
        assert token_endpoint(server.url, Deadline.after(20)) == "https://login.example/token"


def test_a_server_without_tls_is_not_asked_where_to_prove_ourselves():
    with pytest.raises(NoAnswer, match="set token_url"):
        token_endpoint("http://ehr.example/fhir", Deadline.after(1))


def test_a_server_elsewhere_cannot_send_us_to_this_very_machine():
    with responses.RequestsMock() as mock:
        mock.get("https://ehr.example/fhir/.well-known/smart-configuration", json={"token_endpoint": "http://127.0.0.1:8080/token"})
        with pytest.raises(NoAnswer, match="names no token endpoint"):
            token_endpoint("https://ehr.example/fhir", Deadline.after(5))


@pytest.mark.parametrize("fault", [hostile_fhir.status(404), hostile_fhir.redirect_to("https://login.example/"), hostile_fhir.web_page, hostile_fhir.xml])
def test_without_a_configuration_there_is_no_token(fault):
    with HostileFhir(fault) as server, pytest.raises(NoAnswer, match="names no token endpoint"):
        token_endpoint(server.url, Deadline.after(20))


# --- our key ---------------------------------------------------------------------------------------------------------------------

KEYS = {
    "missing": (None, "RS384", "cannot be read (no such file or directory)"),
    "not a key": ("hello", "RS384", "is no private key as PEM"),
    "binary": (b"\xff\xfe", "RS384", "is no PEM file"),
    "public": (RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(), "RS384", "is no private key as PEM"),
    "encrypted": (pem(RSA, BestAvailableEncryption(b"secret")), "RS384", "is encrypted; give the key without a passphrase"),
    "short": (pem(SHORT_RSA), "RS384", "algorithm RS384 needs an RSA key of 2048 bits or more"),
    "another kind": (pem(P384), "RS384", "algorithm RS384 needs an RSA key"),
    "another curve": (pem(P256), "ES384", "algorithm ES384 needs an EC key on secp384r1"),
    "RSA for EC": (pem(RSA), "ES256", "algorithm ES256 needs an EC key on secp256r1"),
}


@pytest.mark.parametrize("name", KEYS)
def test_a_key_that_will_not_do_is_named_with_its_remedy(tmp_path, name):
    content, algorithm, why = KEYS[name]
    if content is not None:
        (tmp_path / "key.pem").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BackendError) as wrong:
        private_key(backend("https://ehr.example/fhir", tmp_path, key_file=tmp_path / "key.pem", algorithm=algorithm))
    assert str(wrong.value).startswith(f"key_file {tmp_path / 'key.pem'}: {why}") and "BEGIN RSA" not in str(wrong.value)
    assert not isinstance(content, str) or content.strip().splitlines()[-2:][0] not in str(wrong.value)


def test_the_key_may_come_from_the_environment():
    ours = BackendServices(fhir_server="https://ehr.example/fhir", client_id="relapse-cds", kid="ours", key_env="OUR_KEY")
    assert private_key(ours, {"OUR_KEY": pem(RSA)}) == pem(RSA)
    with pytest.raises(BackendError, match="^key_env OUR_KEY: this environment variable is not set; put"):
        private_key(ours, {})


def test_nothing_secret_is_logged(keys, caplog, capsys):
    caplog.set_level("DEBUG")
    authority = Authority()
    with HostileFhir(authority) as server:
        assert assessment(called(backend(server.url, keys), {}))
    with HostileFhir(Authority(grant=hostile_fhir.status(400, {"error": "invalid_client", "error_description": "said-by-the-server"}))) as server:
        called(backend(server.url, keys), {})
    told = caplog.text + "".join(capsys.readouterr())
    assert "invalid_client" in told
    for secret in ("token-1", "said-by-the-server", authority.forms[0]["client_assertion"], "PRIVATE KEY", CHILD):
        assert secret not in told
