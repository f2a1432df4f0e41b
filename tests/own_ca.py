"""A hospital's own certificate authority, and servers on loopback that only it vouches for."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from hostile_fhir import Behaviour, HostileFhir


def _certified(subject: str, key: Any, issuer: str, issuing_key: Any, *extensions: x509.ExtensionType) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    told = (
        x509.CertificateBuilder().subject_name(_name(subject)).issuer_name(_name(issuer)).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
    )  # fmt: skip
    for extension in extensions:
        told = told.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
    return told.sign(issuing_key, hashes.SHA256())


def _name(words: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, words)])


class OwnCa:
    """`bundle` is the file to trust it by; `serving(behaviour)` is a server behind TLS."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._key, self.name = folder, ec.generate_private_key(ec.SECP256R1()), f"CA of {folder.name}"
        self.bundle = folder / "ca.pem"
        certificate = _certified(self.name, self._key, self.name, self._key, x509.BasicConstraints(ca=True, path_length=None))
        self.bundle.write_bytes(certificate.public_bytes(Encoding.PEM))

    def serving(self, behaviour: Behaviour) -> HostileFhir:
        server = HostileFhir(behaviour)
        server._http.socket = self._context().wrap_socket(server._http.socket, server_side=True)
        server.url = server.url.replace("http://", "https://")
        return server

    def _context(self) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        both = self._folder / "server.pem"
        certificate = _certified("127.0.0.1", key, self.name, self._key, here)
        both.write_bytes(certificate.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(both)
        return context
