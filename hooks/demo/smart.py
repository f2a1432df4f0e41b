"""The EHR's side of a SMART App Launch: an app opened from a chart learns which child it is, and may write answers.

There is no page to sign in at, since the demonstration's clinician always is; and no register of apps, since only an app
on this very address gets a code.
"""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from secrets import compare_digest
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from hooks.demo.address import own_address
from hooks.demo.fhir_search import Holdings
from hooks.demo.id_token import id_token, public_keys
from hooks.demo.lent import Launch, Lent
from hooks.demo.smart_scopes import SUPPORTED, granted

AUTH = "/auth"
CODE_SECONDS, TOKEN_SECONDS = 60, 3600
CALLBACK = r"(/[A-Za-z0-9._~-]+)*/app/callback"
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
CAPABILITIES = (
    "launch-ehr", "client-public", "context-ehr-patient", "sso-openid-connect", "permission-patient", "permission-user",
    "permission-v1", "permission-v2",
)  # fmt: skip


class NotGranted(Exception):
    """An error of OAuth, by its code there."""

    def __init__(self, error: str, words: str) -> None:
        super().__init__(words)
        self.error, self.words = error, words


def smart_launch(held: Callable[[], Holdings], tokens: Lent, fhir_prefix: str) -> Blueprint:
    """What is lent as `tokens` opens the FHIR server below `fhir_prefix`."""
    smart = Blueprint("smart", __name__)
    codes = Lent(CODE_SECONDS)

    def fhir() -> str:
        return own_address() + fhir_prefix

    @smart.get(f"{fhir_prefix}/.well-known/smart-configuration")
    def configuration() -> Response:
        auth = own_address() + AUTH
        return jsonify(
            issuer=fhir(),
            jwks_uri=f"{auth}/keys",
            authorization_endpoint=f"{auth}/authorize",
            token_endpoint=f"{auth}/token",
            token_endpoint_auth_methods_supported=["none"],
            grant_types_supported=["authorization_code"],
            response_types_supported=["code"],
            code_challenge_methods_supported=["S256"],
            scopes_supported=SUPPORTED,
            capabilities=CAPABILITIES,
        )

    @smart.get(f"{AUTH}/keys")
    def keys() -> Response:
        return jsonify(public_keys())

    @smart.get(f"{AUTH}/authorize")
    def authorize() -> AnyResponse:
        back = request.args.get("redirect_uri", "")
        if not re.fullmatch(re.escape(own_address()) + CALLBACK, back):
            # Whoever asked is not sent anywhere: the address is not one that we know.
            raise NotGranted("invalid_request", "redirect_uri must be an address of this demonstration that ends in /app/callback")
        state = request.args.get("state")
        try:
            told = {"code": codes.lend(_asked(back, held(), fhir()))}
        except NotGranted as error:
            told = {"error": error.error, "error_description": error.words}
        return redirect(f"{back}?{urlencode(told | ({'state': state} if state else {}))}", 302)

    @smart.post(f"{AUTH}/token")
    def token() -> Response:
        launch = _redeemed(codes)
        answer = {"access_token": tokens.lend(launch), "token_type": "Bearer", "expires_in": tokens.seconds,
                  "scope": " ".join(launch.scopes), "patient": launch.patient, "need_patient_banner": True}  # fmt: skip
        if "openid" in launch.scopes:
            answer["id_token"] = id_token(launch, fhir())
        return jsonify(answer)

    @smart.errorhandler(NotGranted)
    def not_granted(error: NotGranted) -> tuple[Response, int]:
        return jsonify(error=error.error, error_description=error.words), 400

    @smart.after_request
    def kept_by_nobody(response: Response) -> Response:
        response.headers["Cache-Control"] = "no-store"
        response.headers["Pragma"] = "no-cache"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return smart


def _asked(back: str, held: Holdings, fhir: str) -> Launch:
    """What the app asks for, if it asks as the standard says."""
    asked = request.args
    for name in ("response_type", "client_id", "scope", "state"):
        if not asked.get(name):
            raise NotGranted("invalid_request", f"{name} is missing")
    if asked["response_type"] != "code":
        raise NotGranted("unsupported_response_type", "response_type must be code")
    if asked.get("aud", "").rstrip("/") != fhir:
        raise NotGranted("invalid_request", f"aud must be {fhir}")
    if asked.get("launch", "") not in held.by_id["Patient"]:
        raise NotGranted("invalid_request", "launch is not one that this chart gave out")
    if asked.get("code_challenge_method") != "S256" or not CHALLENGE.fullmatch(asked.get("code_challenge", "")):
        raise NotGranted("invalid_request", "a code_challenge by S256 is needed")
    scopes = granted(asked["scope"])
    if not {"launch", "launch/patient"} & set(scopes):
        raise NotGranted("invalid_scope", "which child it is, is told with the scope launch only")
    return Launch(asked["client_id"], back, asked["launch"], scopes, asked["code_challenge"], asked.get("nonce"))


def _redeemed(codes: Lent) -> Launch:
    """The launch that a code stands for. Whoever tries a code has used it up, also with a wrong verifier."""
    form = request.form
    if form.get("grant_type") != "authorization_code":
        raise NotGranted("unsupported_grant_type" if form.get("grant_type") else "invalid_request", "grant_type must be authorization_code")
    launch = codes.take(form.get("code", ""))
    if launch is None:
        raise NotGranted("invalid_grant", f"the code is not known, was used, or is older than {codes.seconds} seconds")
    if form.get("redirect_uri") != launch.redirect_uri or form.get("client_id") != launch.client_id:
        raise NotGranted("invalid_grant", "redirect_uri and client_id must be those that the code was given for")
    hashed = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    if not compare_digest(urlsafe_b64encode(hashed).rstrip(b"=").decode(), launch.challenge):
        raise NotGranted("invalid_grant", "code_verifier does not fit the code_challenge")
    return launch
