"""A real FHIR server that gives nothing without a SMART Backend Services token, and our registration with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, KeySerializationEncryption, NoEncryption, PrivateFormat

from real_fhir_server import RealFhirServer

LOADER = "token-of-the-loader"  # the token that fills it
LIFETIME = 4  # seconds of a token's life: short, so that renewal can be seen
OURS = {"client_id": "relapse-cds", "kid": "ours"}


def pem(key: Any, encryption: KeySerializationEncryption = NoEncryption()) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()


def jwk(key: Any, kid: str, algorithm: str) -> dict[str, Any]:
    """The public half, as it is registered."""
    kind = jwt.algorithms.RSAAlgorithm if algorithm.startswith("RS") else jwt.algorithms.ECAlgorithm
    return {**kind.to_jwk(key.public_key(), as_dict=True), "kid": kid, "alg": algorithm, "use": "sig"}


def known(id: str, *keys: Mapping[str, Any], scopes: str = "system/*.rs") -> dict[str, Any]:
    return {"client_id": id, "scopes": scopes, "jwks": {"keys": list(keys)}}


def guarded_server(start_fhir_server: Callable[..., RealFhirServer], *clients: Mapping[str, Any]) -> RealFhirServer:
    return start_fhir_server(server_auth={
        "types": ["bearer", "smart"], "tokens": [LOADER], "token_lifetime": LIFETIME, "enforce_scopes": True, "smart_clients": list(clients),
    })  # fmt: skip


def server_that_knows_us(start_fhir_server: Callable[..., RealFhirServer], key_file: Path) -> RealFhirServer:
    """A server where we are registered as `OURS`; our new private key is written to the file."""
    key = rsa.generate_private_key(65537, 2048)
    key_file.write_text(pem(key))
    return guarded_server(start_fhir_server, known(OURS["client_id"], jwk(key, OURS["kid"], "RS384")))
