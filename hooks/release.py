"""Which version was released when. A new version is a new line: without one, the about page calls it not released."""

RELEASED = {"0.1.0": "2026-11-24"}  # written down by hand, because nothing else knows: a build date is not a release
