"""The EHR of the benchmark: its key, its entry in the settings, and tokens made before the clock starts."""

from __future__ import annotations

import json
import time
import uuid

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

ISSUER, PUBLIC_URL, KID = "https://ehr.example/fhir", "https://cds.example", "benchmark"
LIFE_SECONDS = 3500  # the service accepts an hour at most
KEY = ec.generate_private_key(ec.SECP384R1())


def settings(database: str) -> str:
    """The settings of a service that this EHR alone may call, as TOML."""
    key = json.loads(ECAlgorithm.to_jwk(KEY.public_key()))
    members = "".join(f'{name} = "{value}"\n' for name, value in {**key, "kid": KID}.items())
    client = f'[[clients]]\nname = "benchmark"\nissuer = "{ISSUER}"\n\n[[clients.keys]]\n{members}'
    return f'public_url = "{PUBLIC_URL}"\ndatabase = "{database}"\n\n{client}'


def token(path: str) -> str:
    """A token for one call: each has an id of its own, and a second use would be refused."""
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": PUBLIC_URL + path, "iat": now, "exp": now + LIFE_SECONDS, "jti": str(uuid.uuid4())}
    return jwt.encode(claims, KEY, algorithm="ES384", headers={"kid": KID})
