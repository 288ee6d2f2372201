"""Reads what the vendors promised (``specs/``) and what the world looks like before a call (``fixtures/``).

The only code that opens those files; it imports nothing else of this project.
"""

from couponspec.document import Document, Example, Operation, Response
from couponspec.faults import Fault, FaultyFile
from couponspec.layers import load_layers
from couponspec.locate import packs, vendors
from couponspec.pack import Entity, Kind, Pack, load_pack
from couponspec.reader import load_document
from couponspec.request import Bindings, HttpRequest, Unbound, build
from couponspec.sources import Reading, Sources

__all__ = [
    "Bindings",
    "Document",
    "Entity",
    "Example",
    "Fault",
    "FaultyFile",
    "HttpRequest",
    "Kind",
    "Operation",
    "Pack",
    "Reading",
    "Response",
    "Sources",
    "Unbound",
    "build",
    "load_document",
    "load_layers",
    "load_pack",
    "packs",
    "vendors",
]
