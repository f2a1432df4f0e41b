"""The certificates by which the other side of a TLS connection is known: a hospital's own, where it does not use public ones."""

from __future__ import annotations

from pathlib import Path


class CertificatesError(ValueError):
    """What is wrong with the file and what to do about it, in one sentence."""


def refuse_unusable(bundle: Path) -> None:
    """Raise CertificatesError unless the file holds at least one certificate as PEM."""
    import ssl  # here, since most commands read settings without it

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(bundle)
    except ssl.SSLError:
        pass  # no PEM, or one of something else: nothing was loaded
    except OSError as error:
        raise CertificatesError(f"{bundle} cannot be read ({(error.strerror or 'unknown error').lower()}); name the file of your hospital's CA certificates") from None
    if not context.cert_store_stats()["x509"]:
        raise CertificatesError(f"{bundle} holds no certificate as PEM (begins with -----BEGIN CERTIFICATE-----); write the CA certificates into it as PEM")
