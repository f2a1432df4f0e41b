"""An EHR that signs its calls: its key, its tokens, and a test client that sends one with every request.

`token(path=..., iss=..., ...)` makes any token, good or bad; `SignedClient` is a Flask test client of a caller in good order.
"""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from flask.testing import FlaskClient
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

PUBLIC_URL = "https://cds.example"
ISSUER = "https://ehr.example/fhir"
EC_KEY = ec.generate_private_key(ec.SECP384R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def jwk(key: Any, kid: str) -> dict[str, Any]:
    """The public half, as a caller publishes it."""
    kind = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**json.loads(kind.to_jwk(key.public_key())), "kid": kid}


EC_JWK, RSA_JWK = jwk(EC_KEY, "ehr+ec/1="), jwk(RSA_KEY, "ehr-rsa")  # Epic's key names look like the first


def token(path: str = "/cds-services/nct05827549-patient-view", key: Any = EC_KEY, alg: str = "ES384", kid: str | None = EC_JWK["kid"],
          headers: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token as an EHR sends it; a claim or header given as None is left out."""
    now = int(time.time())
    told = {"iss": ISSUER, "aud": PUBLIC_URL + path, "iat": now, "exp": now + 300, "jti": str(uuid.uuid4()), **claims}
    header = {name: value for name, value in {"kid": kid, **(headers or {})}.items() if value is not None}
    return jwt.encode({name: value for name, value in told.items() if value is not None}, key, algorithm=alg, headers=header)


class SignedClient(FlaskClient):
    """Sends a new token with every request, unless the test sends an Authorization header of its own."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], str):
            headers = dict(kwargs.pop("headers", None) or {})
            headers.setdefault("Authorization", f"Bearer {token(args[0].partition('?')[0])}")
            kwargs["headers"] = headers
        return super().open(*args, **kwargs)
