"""The version of the installed distribution."""

from importlib.metadata import version as distribution_version


def version() -> str:
    """Return the distribution's version, such as ``0.1.0``."""
    return distribution_version("couponproof")
