"""Who may call: every way a token can be wrong is refused alike, with 401 and one text; the log alone knows the reason.

The table is cds-hooks 2.14. A refused token leaves nothing behind: no request to a FHIR server, no replay entry.
"""

from __future__ import annotations

import base64
import json
import threading
import time
import uuid
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
import pytest
import structlog
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from hook_calls import EHR, SERVICE, Chart, client, owed_to_every_caller, playing, refusal
from hooks import create_app
from hooks.cds_client import SANDBOX_ISSUER, CdsClient
from hooks.config import Config
from hooks.trust import REFUSED
from signed_calls import EC_JWK, EC_KEY, ISSUER, PUBLIC_URL, RSA_KEY, jwk, token

CHILD = "screening-complete"
PEM = EC_KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
OTHER_EC, SHORT_RSA = ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(public_exponent=65537, key_size=1024)


def asked(service, authorization, path=SERVICE):
    chart = Chart(CHILD)
    headers = {"Authorization": authorization} if authorization is not None else {"Authorization": ""}
    answer = service.post(path, json=chart.call(chart.prefetch()), headers=headers)
    owed_to_every_caller(answer)
    return answer


def hmac_signed_with_the_public_key():
    """The classic confusion: the public key, which everybody has, taken for a shared secret."""
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    import hashlib
    import hmac

    now = int(time.time())
    body = part({"alg": "HS256", "typ": "JWT", "kid": EC_JWK["kid"]}) + b"." + part(
        {"iss": ISSUER, "aud": PUBLIC_URL + SERVICE, "iat": now, "exp": now + 300, "jti": str(uuid.uuid4())})
    return (body + b"." + base64.urlsafe_b64encode(hmac.new(PEM, body, hashlib.sha256).digest()).rstrip(b"=")).decode()


def unsigned():
    now = int(time.time())
    return jwt.encode({"iss": ISSUER, "aud": PUBLIC_URL + SERVICE, "iat": now, "exp": now + 300, "jti": "1"}, None, algorithm="none",
                      headers={"kid": EC_JWK["kid"]})  # fmt: skip


NOW = int(time.time())
GOOD = {
    "ES384": lambda: token(),
    "RS384": lambda: token(key=RSA_KEY, alg="RS384", kid="ehr-rsa"),
    "aud with a slash at the end": lambda: token(aud=PUBLIC_URL + SERVICE + "/"),
    "aud as a list": lambda: token(aud=["https://elsewhere.example", PUBLIC_URL + SERVICE]),
    "Epic's nbf and sub": lambda: token(nbf=NOW - 300, sub="client-id"),
    "expired within the skew": lambda: token(exp=int(time.time()) - 30),
    "a clock that is fast within the skew": lambda: token(iat=int(time.time()) + 30, exp=int(time.time()) + 300),
    "55 minutes": lambda: token(exp=int(time.time()) + 3300),
    "typ in lower case": lambda: token(headers={"typ": "jwt"}),
}
BAD = {
    "none": ("algorithm", unsigned),
    "HS256 with the public key": ("algorithm", hmac_signed_with_the_public_key),
    "another's signature": ("signature", lambda: token(key=OTHER_EC)),
    "an RSA key's name": ("key_type", lambda: token(kid="ehr-rsa")),
    "unknown kid": ("kid", lambda: token(kid="who")),
    "no kid": ("kid", lambda: token(kid=None)),
    "typ at+jwt": ("typ", lambda: token(headers={"typ": "at+jwt"})),
    "crit": ("malformed", lambda: token(headers={"crit": ["b64"]})),
    "foreign jku": ("jku", lambda: token(headers={"jku": "https://evil.example/keys"})),
    "unknown issuer": ("issuer", lambda: token(iss="https://evil.example")),
    "no issuer": ("issuer", lambda: token(iss=None)),
    "issuer in other spelling": ("issuer", lambda: token(iss=ISSUER.upper())),
    "aud of another service": ("audience", lambda: token(aud=PUBLIC_URL + "/cds-services/other")),
    "aud of the feedback": ("audience", lambda: token(aud=PUBLIC_URL + SERVICE + "/feedback")),
    "aud by the Host header": ("audience", lambda: token(aud="http://localhost" + SERVICE)),
    "no aud": ("claim_missing", lambda: token(aud=None)),
    "expired": ("expired", lambda: token(exp=int(time.time()) - 90)),
    "no exp": ("claim_missing", lambda: token(exp=None)),
    "not yet": ("not_yet", lambda: token(nbf=int(time.time()) + 600)),
    "issued in the future": ("not_yet", lambda: token(iat=int(time.time()) + 600, exp=int(time.time()) + 900)),
    "no iat": ("claim_missing", lambda: token(iat=None)),
    "two hours": ("lifetime", lambda: token(exp=int(time.time()) + 7200)),
    "for ever, issued long ago": ("lifetime", lambda: token(iat=1, exp=int(time.time()) + 300)),
    "exp as text": ("claim_malformed", lambda: token(exp="soon")),
    "exp as true": ("expired", lambda: token(exp=True)),
    "no jti": ("claim_missing", lambda: token(jti=None)),
    "an empty jti": ("jti", lambda: token(jti="")),
    "a jti that is no text": ("claim_malformed", lambda: token(jti=5)),
    "a jti without end": ("jti", lambda: token(jti="x" * 256)),
    "too long": ("malformed", lambda: token(sub="x" * 8192)),
}  # fmt: skip
NO_TOKEN = {
    "nothing": ("no_token", ""),
    "Basic": ("no_token", "Basic dXNlcjpwYXNz"),
    "Bearer alone": ("no_token", "Bearer"),
    "two segments": ("malformed", "Bearer a.b"),
    "three of nothing": ("malformed", "Bearer ..."),
    "not base64": ("malformed", "Bearer a.b.c"),
    "a second one behind": ("malformed", "Bearer a.b.c, Bearer a.b.c"),
    "no JSON inside": ("malformed", "Bearer " + ".".join([base64.urlsafe_b64encode(b"[]").decode()] * 3)),
    "letters outside ASCII": ("malformed", "Bearer \u00e4.\u00f6.\u00fc"),
}


@pytest.mark.parametrize("algorithm", [["ES384"], {}, 5, None, True])
def test_an_algorithm_that_is_no_word_is_refused_like_any_other(algorithm):
    header, _, rest = token().partition(".")
    told = json.loads(base64.urlsafe_b64decode(header + "=="))
    forged = base64.urlsafe_b64encode(json.dumps(told | {"alg": algorithm}).encode()).rstrip(b"=").decode()
    assert asked(client(), f"Bearer {forged}.{rest}").status_code == 401


@pytest.mark.parametrize("case", GOOD)
def test_a_token_in_good_order_is_let_in(case):
    assert asked(client(), f"Bearer {GOOD[case]()}").status_code == 200


@pytest.mark.parametrize("case", [*BAD, *NO_TOKEN])
def test_every_other_is_told_the_same(case):
    reason, made = BAD.get(case) or NO_TOKEN[case]
    authorization = f"Bearer {made()}" if callable(made) else made
    chart = Chart(CHILD)
    with playing(chart) as ehr, structlog.testing.capture_logs() as logs:
        answer = client().post(SERVICE, json=chart.call(fhirServer=EHR), headers={"Authorization": authorization})
    owed_to_every_caller(answer)
    assert (answer.status_code, refusal(answer), answer.headers["WWW-Authenticate"]) == (401, REFUSED, "Bearer")
    assert ehr.asked == []
    (line,) = [log for log in logs if log["event"] == "untrusted"]
    assert line["reason"] == reason or reason is None, line
    sent = authorization.partition(" ")[2]
    assert not sent or sent not in str(logs), "the token is in the log"


@pytest.mark.parametrize(("claims", "header", "told"), [
    ({"iss": "https://other.example", "jti": "j1"}, {}, {"reason": "issuer", "iss": "https://other.example", "kid": EC_JWK["kid"], "jti": "j1"}),
    ({"jti": "j2"}, {"kid": "who"}, {"reason": "kid", "iss": ISSUER, "kid": "who", "jti": "j2", "client": "ehr"}),
    ({"jti": "j3", "aud": "sand_man"}, {}, {"reason": "audience", "jti": "j3", "aud": "sand_man"}),
    ({"aud": ["https://a.example", "b"]}, {}, {"reason": "audience", "aud": "https://a.example b"}),
    ({"aud": "sand_man", "exp": NOW - 90}, {}, {"reason": "expired", "aud": None}),
    ({"iss": "https://\u202eevil\r\nlevel=info \u00e4"}, {}, {"iss": "https://?evil??level=info ?"}),
    ({"jti": "x" * 2000, "iss": "y" * 500}, {"kid": "z" * 500}, {"iss": "y" * 100 + "...", "kid": "z" * 100 + "...", "jti": "x" * 100 + "..."}),
    ({"jti": 5, "aud": "x"}, {}, {"reason": "audience", "jti": None}),
])  # fmt: skip
def test_the_log_says_whose_token_it_claims_to_be(claims, header, told):
    """What a stranger wrote is cut, and is printable ASCII: it can neither end a line nor turn one around."""
    with structlog.testing.capture_logs() as logs:
        assert asked(client(), f"Bearer {token(headers=header, **claims)}").status_code == 401
    (line,) = [log for log in logs if log["event"] == "untrusted"]
    assert {name: line.get(name) for name in told} == told, line


def test_of_no_token_nothing_is_told_but_that():
    with structlog.testing.capture_logs() as logs:
        asked(client(), "Basic dXNlcjpwYXNz")
    assert [log for log in logs if log["event"] == "untrusted"] == [{"event": "untrusted", "log_level": "warning", "reason": "no_token"}]


@pytest.mark.parametrize(("settings", "words"), [
    ({}, "give jwks_url"), ({"jwks_url": "https://ehr.example/keys"}, "is not the jwks_url of this client"),
])  # fmt: skip
def test_a_jku_that_is_not_accepted_is_told_with_the_remedy(settings, words):
    """Epic sends one with every token: keys alone will not do there."""
    with structlog.testing.capture_logs() as logs:
        assert asked(client(**settings), f"Bearer {token(headers={'jku': 'https://ehr.example/other'})}").status_code == 401
    (line,) = [log for log in logs if log["event"] == "untrusted"]
    assert line["reason"] == "jku" and words in line["why"]


def test_before_anything_else_is_looked_at():
    """A body that is no JSON, too: who may not call is not told what we think of it."""
    for data, kind in ((b"{", "application/json"), (b"", "text/plain"), (b"x" * 1000, "application/json")):
        answer = client().post(SERVICE, data=data, content_type=kind, headers={"Authorization": "Bearer a.b.c"})
        assert answer.status_code == 401


def test_a_token_is_used_once():
    once = f"Bearer {token()}"
    assert asked(client(), once).status_code == 200
    assert asked(client(), once).status_code == 401


def test_a_forged_token_uses_up_nobodys_id():
    jti = str(uuid.uuid4())
    assert asked(client(), f"Bearer {token(jti=jti, key=OTHER_EC)}").status_code == 401
    assert asked(client(), f"Bearer {token(jti=jti)}").status_code == 200


def test_two_issuers_may_use_one_id():
    other = CdsClient(name="other", issuer="https://other.example", keys=(jwk(OTHER_EC, "o"),))
    first = CdsClient(name="ehr", issuer=ISSUER, keys=(EC_JWK,))
    service = create_app(Config(clients=(first, other), public_url=PUBLIC_URL, database="sqlite://")).test_client()
    jti = str(uuid.uuid4())
    assert asked(service, f"Bearer {token(jti=jti)}").status_code == 200
    assert asked(service, f"Bearer {token(jti=jti, key=OTHER_EC, kid='o', iss='https://other.example')}").status_code == 200
    assert asked(service, f"Bearer {token(key=OTHER_EC, kid='o')}").status_code == 401, "one caller's key for another's name"


def test_the_tenants_of_a_client():
    service = client(tenants=("ward-1",))
    assert asked(service, f"Bearer {token(tenant='ward-1')}").status_code == 200
    for tenant in ("ward-2", None, ["ward-1"]):
        assert asked(service, f"Bearer {token(tenant=tenant)}").status_code == 401


def test_an_audience_that_the_hospital_typed_in():
    service = client(audiences=("sand_man",))
    assert asked(service, f"Bearer {token(aud='sand_man')}").status_code == 200
    assert asked(client(), f"Bearer {token(aud='sand_man')}").status_code == 401


def test_feedback_has_its_own_audience():
    path = SERVICE + "/feedback"
    told = {"feedback": []}
    assert client().post(path, json=told, headers={"Authorization": f"Bearer {token(path)}"}).status_code == 200
    assert client().post(path, json=told, headers={"Authorization": f"Bearer {token()}"}).status_code == 401


def test_without_a_client_nobody_may_call():
    service = create_app(Config(database="sqlite://")).test_client()
    assert asked(service, f"Bearer {token()}").status_code == 401
    assert service.get("/readyz").status_code == 503 and "client" in service.get("/readyz").text


def test_in_development_nobody_is_asked():
    assert asked(create_app(Config.development()).test_client(), "").status_code == 200


def test_when_the_replay_store_is_down_nobody_is_let_in(tmp_path):
    service = create_app(Config(clients=(CdsClient(name="e", issuer=ISSUER, keys=(EC_JWK,)),), public_url=PUBLIC_URL,
                                database=f"sqlite:///{tmp_path}/missing/state.sqlite3")).test_client()  # fmt: skip
    answer = asked(service, f"Bearer {token()}")
    assert answer.status_code == 503 and str(tmp_path) not in answer.text
    assert service.get("/healthz").status_code == 200
    assert [c["ok"] for c in service.get("/readyz").json["checks"] if c["name"] == "database"] == [False]


# --- keys that a caller publishes -----------------------------------------------------------------------------------


class Published:
    """An address with a key set, which the test changes; it counts who asks."""

    def __init__(self):
        self.body, self.status, self.headers, self.asked = json.dumps({"keys": [EC_JWK]}).encode(), 200, {}, 0

    @contextmanager
    def served(self):
        published = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                published.asked += 1
                self.send_response(published.status)
                for name, value in {"Content-Length": str(len(published.body)), **published.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(published.body)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/keys"
        finally:
            server.shutdown()
            server.server_close()


@pytest.fixture
def published():
    keys = Published()
    with keys.served() as keys.url:
        yield keys


def service_of(url, **more):
    known = CdsClient(name="ehr", issuer=ISSUER, jwks_url=url, **more)
    return create_app(Config(clients=(known,), public_url=PUBLIC_URL, database="sqlite://"))


def test_published_keys_are_fetched_once(published):
    service = service_of(published.url).test_client()
    for headers in ({"jku": published.url}, None, {"jku": published.url}):
        assert asked(service, f"Bearer {token(headers=headers)}").status_code == 200
    assert published.asked == 1


def test_an_unknown_key_is_asked_for_once_a_minute(published):
    """A caller may change its keys at any time; an attacker may name a new one at every call."""
    app = service_of(published.url)
    service = app.test_client()
    assert asked(service, f"Bearer {token()}").status_code == 200
    published.body = json.dumps({"keys": [EC_JWK, jwk(OTHER_EC, "next")]}).encode()
    for _ in range(5):
        assert asked(service, f"Bearer {token(kid='next', key=OTHER_EC)}").status_code == 401
    assert published.asked == 1


def test_a_key_set_is_fetched_again_when_a_new_key_is_named(published):
    from hooks.jwks import PAUSE_SECONDS, KeySet

    clock = [0.0]
    keys = KeySet(CdsClient(name="ehr", issuer=ISSUER, jwks_url=published.url), lambda: clock[0])
    assert keys.key(EC_JWK["kid"]) and keys.key("next") is None
    published.body = json.dumps({"keys": [jwk(OTHER_EC, "next")]}).encode()
    clock[0] += PAUSE_SECONDS
    assert keys.key("next") and keys.key(EC_JWK["kid"]) is None, "a key that was withdrawn no longer counts"


def test_keys_that_cannot_be_fetched_again_hold_for_a_day(published):
    from hooks.jwks import FRESH_SECONDS, STALE_SECONDS, KeySet, KeysUnavailable

    clock = [0.0]
    keys = KeySet(CdsClient(name="ehr", issuer=ISSUER, jwks_url=published.url), lambda: clock[0])
    assert keys.key(EC_JWK["kid"])
    published.status = 500
    clock[0] = FRESH_SECONDS[0] + STALE_SECONDS - 1
    assert keys.key(EC_JWK["kid"])
    clock[0] = FRESH_SECONDS[0] + STALE_SECONDS + 120
    with pytest.raises(KeysUnavailable):
        keys.key(EC_JWK["kid"])


@pytest.mark.parametrize("change", [
    {"status": 500}, {"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}, {"body": b"<html>"}, {"body": b'{"keys": []}'}, {"body": b"[]"},
    {"body": b'{"keys": "none"}'}, {"body": json.dumps({"keys": [EC_JWK], "x": "y" * 70_000}).encode()},
    {"body": json.dumps({"keys": [jwk(SHORT_RSA, EC_JWK["kid"])]}).encode()},
    {"body": json.dumps({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": EC_JWK["kid"]}]}).encode()},
], ids=["500", "redirect", "HTML", "no keys", "a list", "words", "too large", "short RSA", "symmetric"])  # fmt: skip
def test_a_key_set_that_is_none_lets_nobody_in(published, change):
    for name, value in change.items():
        setattr(published, name, value)
    app = service_of(published.url)
    assert asked(app.test_client(), f"Bearer {token()}").status_code == 401
    assert app.test_client().get("/readyz").status_code == 503


def test_one_odd_key_does_not_hide_the_others(published):
    published.body = json.dumps({"keys": [None, {"kty": "EC"}, {"kty": "OKP", "crv": "Ed25519", "x": "AA", "kid": "x"}, EC_JWK]}).encode()
    assert asked(service_of(published.url).test_client(), f"Bearer {token()}").status_code == 200


def test_the_address_in_a_token_is_never_asked(published):
    foreign = Published()
    with foreign.served() as url:
        for headers in ({"jku": url}, {"jku": published.url + "?x"}, {"jku": 5}, {"x5u": url}, {"jwk": jwk(OTHER_EC, "o")}):
            key = OTHER_EC if "jwk" in headers else EC_KEY
            status = asked(service_of(published.url).test_client(), f"Bearer {token(headers=headers, key=key)}").status_code
            assert status == (200 if "x5u" in headers else 401)
    assert foreign.asked == 0


def test_the_sandbox_is_no_issuer_in_production():
    """Its private key is public."""
    known = CdsClient(name="sandbox", issuer=SANDBOX_ISSUER, keys=(EC_JWK,))
    with pytest.raises(ValueError, match="development"):
        Config(clients=(known,), public_url=PUBLIC_URL)
    assert Config(clients=(known,), public_url=PUBLIC_URL, dev=True)
