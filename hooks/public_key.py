"""A caller's public key, from a JWK: what may verify a signature, and what may not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Algorithm = Literal["ES384", "RS384", "ES256", "RS256"]
KEY_TYPES: Mapping[str, tuple[str, str | None]] = {  # asymmetric ones only; the specification recommends the first two
    "ES384": ("EC", "P-384"),
    "RS384": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "RS256": ("RSA", None),
}
MINIMUM_RSA_BITS = 2048


class PublicKey(NamedTuple):
    kind: str  # `kty`
    curve: str | None  # `crv` of an elliptic curve
    key: Any  # as the library wants it

    def fits(self, algorithm: str) -> bool:
        """A key verifies with the algorithms of its own kind only, whatever a token says."""
        kind, curve = KEY_TYPES[algorithm]
        return self.kind == kind and curve in (None, self.curve)


def public_key(jwk: Mapping[str, Any]) -> PublicKey:
    """Raise ValueError, in words that say what to change, for a JWK that cannot verify or that could sign."""
    import jwt  # on use: settings without a key, such as those of most screenings, load no cryptography

    kind, curve = jwk.get("kty"), jwk.get("crv")
    if "d" in jwk or kind == "oct":
        raise ValueError("must be a public key; this one can sign: take out the private part, and replace the key")
    if not isinstance(jwk.get("kid"), str) or not jwk["kid"]:
        raise ValueError("must have a kid, the name that the token's header gives")
    try:
        key = jwt.PyJWK({name: value for name, value in jwk.items() if name != "alg"}).key
    except Exception:  # the library raises many kinds for a key it cannot read
        raise ValueError("is not a public key as JWK (kty EC with crv, x and y; or kty RSA with n and e)") from None
    found = PublicKey(str(kind), curve, key)
    if not any(found.fits(algorithm) for algorithm in KEY_TYPES):
        raise ValueError(f"is a key for none of {', '.join(KEY_TYPES)}")
    if kind == "RSA" and key.key_size < MINIMUM_RSA_BITS:
        raise ValueError(f"is too short: an RSA key has at least {MINIMUM_RSA_BITS} bits")
    return found
