"""The settings of the service: one TOML file, validated at the start; secrets come from the environment."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from hooks.backend_registration import BackendServices
from hooks.cds_client import DEVELOPER, SANDBOX_ISSUER, CdsClient, SafeUrl
from hooks.certificates import CertificatesError, refuse_unusable
from hooks.checklist.registration import SmartApp
from hooks.config_faults import first_fault
from hooks.fhir_address import is_loopback, normalised_base

DATABASE_VARIABLE = "RELAPSE_CDS_DATABASE"
IN_MEMORY = "sqlite://"


class ConfigError(ValueError):
    """What is wrong with the configuration and what to do about it, in one sentence."""


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be the name of a time zone, such as Asia/Seoul") from None
    return name


def _without_query(url: str) -> str:
    if "?" in url or "#" in url:
        raise ValueError("must be without query and fragment: the paths of the services are added to it")
    return url


class Config(BaseModel):
    """Every setting has a default that is safe in a hospital: nobody may call, no FHIR server is called."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    clients: tuple[CdsClient, ...] = ()  # who may call
    public_url: Annotated[SafeUrl, AfterValidator(_without_query)] | None = None  # where callers reach this service: what their tokens are for
    database: str = "sqlite:///relapse-cds.sqlite3"  # or postgresql://..., also by the environment: it may hold a password
    keep_days: int = Field(default=365, ge=1)  # feedback and the card log, then deleted
    backend_services: tuple[BackendServices, ...] = ()  # our own access to FHIR servers whose EHR sends no token
    smart_apps: tuple[SmartApp, ...] = ()  # where the checklist is registered; no other server can open it
    ca_bundle: Path | None = None  # PEM: the certificates that FHIR servers, token endpoints and callers' key sets are trusted by
    contact: str | None = Field(default=None, max_length=200)  # whom a clinician asks, shown on the about page
    site_codes: Path | None = None  # the site's own codes, a CSV: system,code,concept,note
    fetch_seconds: float = Field(default=0.4, gt=0, le=60)  # for all fetching of one call together
    requests_per_fhir_server: int = Field(default=16, ge=1)  # at the same time, of one worker process
    max_body_bytes: int = Field(default=16 * 1024 * 1024, ge=1024)
    time_zone: Annotated[str, AfterValidator(_time_zone)] | None = None  # whose calendar "today" is; None: the machine's
    card_when_not_eligible: bool = True  # a card that names what blocks
    cors_origins: tuple[SafeUrl, ...] = ()  # web pages that may call from a browser; EHRs do not need it
    dev: bool = False  # no caller is checked, any FHIR server on loopback may be called; by `serve --dev` only, never by a file

    @model_validator(mode="after")
    def _tells_callers_apart(self) -> Config:
        for what, names in (("name", [c.name for c in self.clients]), ("issuer", [c.issuer for c in self.clients])):
            if len(set(names)) < len(names):
                raise ValueError(f"two clients have the same {what}; every client needs its own")
        if self.clients and not self.public_url:
            raise ValueError("public_url is missing: the address under which callers reach this service, https://cds.example")
        if not self.dev and any(c.issuer.rstrip("/") == SANDBOX_ISSUER for c in self.clients):
            raise ValueError(f"issuer {SANDBOX_ISSUER} is for development only: its private key is public; use serve --dev")
        if self.smart_apps and not self.public_url:
            raise ValueError("public_url is missing: the address to which an EHR sends those who open the checklist")
        if len({app.fhir_server for app in self.smart_apps}) < len(self.smart_apps):
            raise ValueError("two smart_apps have the same fhir_server")
        return self

    @classmethod
    def development(cls) -> Config:
        return cls(dev=True, fetch_seconds=5, database=IN_MEMORY)

    @classmethod
    def read(cls, path: Path, environment: Mapping[str, str] = os.environ, dev: bool = False) -> Config:
        """The file, with what the environment adds. Paths in it count from its own folder."""
        try:
            told = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: not valid TOML: {error}") from None
        if "dev" in told:  # a file is copied from one machine to the next, and nobody would notice that callers are not checked
            raise ConfigError(f"{path}: dev: may not stand in a file; development mode is started with relapse-cds serve --dev")
        from_environment = environment.get(DATABASE_VARIABLE)
        try:
            config = cls.model_validate(told | {"dev": True} if dev else told)
        except ValidationError as invalid:
            raise ConfigError(f"{path}: {first_fault(invalid, _known())}") from None
        config = config.beside(path.parent)
        if from_environment:  # its path counts from where the command was started
            config = config.model_copy(update={"database": from_environment})
        try:
            if config.ca_bundle:
                refuse_unusable(config.ca_bundle)
        except CertificatesError as error:
            raise ConfigError(f"{path}: ca_bundle: {error}") from None
        return config

    def beside(self, folder: Path) -> Config:
        """The same settings, their relative paths counted from a folder."""
        backends = tuple(b.model_copy(update={"key_file": folder / b.key_file}) if b.key_file else b for b in self.backend_services)
        files = {name: folder / told for name in ("site_codes", "ca_bundle") if (told := getattr(self, name))}
        return self.model_copy(update={"backend_services": backends, "database": _beside(folder, self.database), **files})

    def backend_of(self, fhir_server: str) -> BackendServices | None:
        return next((b for b in self.backend_services if b.fhir_server == fhir_server), None)

    def smart_app_of(self, fhir_server: str) -> SmartApp | None:
        """How the checklist is registered at this server; in development at every server on loopback."""
        base = normalised_base(fhir_server)
        registered = next((app for app in self.smart_apps if app.fhir_server == base), None)
        if self.dev and not self.smart_apps and base and is_loopback(base):
            return SmartApp(fhir_server=base, client_id="relapse-cds")
        return registered

    def opens_checklist(self, client: CdsClient, fhir_server: str | None) -> bool:
        """Can whoever sees a card follow its link to the checklist? Where the call names no server: from every server of this client."""
        servers = [fhir_server] if fhir_server else client.fhir_servers
        return (self.dev and not servers) or (bool(servers) and all(self.smart_app_of(server) for server in servers))

    @property
    def trusted(self) -> str | None:
        """The file of certificates for a connection of ours; None: the public ones."""
        return str(self.ca_bundle) if self.ca_bundle else None

    @property
    def developer(self) -> CdsClient:
        """Whoever calls in development mode: may name the servers of every client, and any on loopback."""
        servers = tuple(server for client in self.clients for server in client.fhir_servers)
        return DEVELOPER.model_copy(update={"fhir_servers": servers})

    def now(self) -> datetime:
        """The one place that looks at the clock for the judgement; with its offset."""
        return datetime.now(ZoneInfo(self.time_zone)) if self.time_zone else datetime.now().astimezone()

    def today(self) -> date:
        return self.now().date()


def _beside(folder: Path, database: str) -> str:
    """A SQLite file counts from the folder too, so that every command finds the same; but none is ever made in this package,
    where the example lies: from there it counts from where the command was started."""
    found = re.fullmatch(r"(sqlite(?:\+pysqlite)?:///)((?!/|:memory:|file:)[^?]+)(.*)", database, re.DOTALL)
    folder = folder.absolute()
    if not found or folder.resolve().is_relative_to(Path(__file__).resolve().parent):
        return database
    return f"{found[1]}{folder / found[2]}{found[3]}"


def _known() -> dict[str, list[str]]:
    models = {"": Config, "clients": CdsClient, "backend_services": BackendServices, "smart_apps": SmartApp}
    return {table: [name for name in model.model_fields if name != "dev"] for table, model in models.items()}
