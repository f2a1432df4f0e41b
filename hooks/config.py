"""The settings of the service: which FHIR servers may be called, how long fetching may take, what goes on a card."""

from __future__ import annotations

import tomllib
from datetime import date, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from hooks.fhir_address import normalised_base


class ConfigError(ValueError):
    """What is wrong with the configuration and what to do about it, in one sentence."""


def _fhir_base(url: str) -> str:
    base = normalised_base(url)
    if base is None:
        raise ValueError("must be a FHIR base URL such as https://ehr.example/fhir, without query or user")
    return base


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be the name of a time zone, such as Asia/Seoul") from None
    return name


class Config(BaseModel):
    """Every setting has a default that is safe in a hospital: no FHIR server is called, no extension is sent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fhir_servers: tuple[Annotated[str, AfterValidator(_fhir_base)], ...] = ()  # may be called; no other is
    public_url: str | None = Field(default=None, pattern=r"^https?://")  # where this service's own pages are reached
    site_codes: Path | None = None  # the site's own codes, a CSV: system,code,concept,note
    fetch_seconds: float = Field(default=0.4, gt=0, le=60)  # for all fetching of one call together
    max_body_bytes: int = Field(default=16 * 1024 * 1024, ge=1024)
    time_zone: Annotated[str, AfterValidator(_time_zone)] | None = None  # whose calendar "today" is; None: the machine's
    card_when_not_eligible: bool = True  # a card that names what blocks
    assessment_extension: bool = False  # the whole assessment on the card, for programs
    dev: bool = False  # any FHIR server on loopback may be called; never where patients are real

    @classmethod
    def development(cls) -> Config:
        return cls(dev=True, assessment_extension=True, fetch_seconds=5)

    @classmethod
    def read(cls, path: Path) -> Config:
        try:
            return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: not valid TOML: {error}") from None
        except ValidationError as invalid:
            first = invalid.errors(include_url=False, include_input=False)[0]
            key = ".".join(map(str, first["loc"]))
            remedy = f"known keys are {', '.join(cls.model_fields)}" if first["type"] == "extra_forbidden" else first["msg"]
            raise ConfigError(f"{path}: {key}: {remedy}") from None

    def today(self) -> date:
        """The one place that looks at the clock."""
        return datetime.now(ZoneInfo(self.time_zone) if self.time_zone else None).date()
