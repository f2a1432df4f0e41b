"""Which version of the program this is: it stands in every assessment."""

from importlib.metadata import version

SOFTWARE_VERSION = version("relapse-cds")
