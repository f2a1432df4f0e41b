"""Who is signed in, as OpenID Connect tells an app: always the clinician of the demonstration, who does not exist.

The key is made when it is first needed and forgotten with the process. It shows that a token came from this demonstration,
and nothing else.
"""

from __future__ import annotations

import time
from functools import lru_cache
from threading import Lock
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from hooks.demo.chart_review import REVIEWER
from hooks.demo.lent import Launch

ALGORITHM = "RS256"  # the one that SMART demands of every server
KID = "demonstration-only"
SECONDS = 3600
_ONE_KEY = Lock()


def id_token(launch: Launch, issuer: str) -> str:
    now = int(time.time())
    claims: dict[str, Any] = {"iss": issuer, "sub": REVIEWER["id"], "aud": launch.client_id, "iat": now, "exp": now + SECONDS}
    if launch.nonce is not None:
        claims["nonce"] = launch.nonce
    if "fhirUser" in launch.scopes:
        claims["fhirUser"] = f"{issuer}/Practitioner/{REVIEWER['id']}"
    return jwt.encode(claims, _key(), ALGORITHM, headers={"kid": KID})


def public_keys() -> dict[str, Any]:
    """The public half, for an app that checks the signature."""
    public = jwt.algorithms.RSAAlgorithm.to_jwk(_key().public_key(), as_dict=True)
    return {"keys": [{**public, "kid": KID, "alg": ALGORITHM, "use": "sig"}]}


def _key() -> rsa.RSAPrivateKey:
    with _ONE_KEY:  # two threads at the same moment would make two
        return _made()


@lru_cache(maxsize=1)
def _made() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)
