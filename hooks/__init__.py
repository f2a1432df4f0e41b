"""The conversation with the EHR: CDS Hooks in, cards out."""

from hooks.app import create_app

__all__ = ["create_app"]
