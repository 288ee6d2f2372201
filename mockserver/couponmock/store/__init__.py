"""The store: seeded worlds, the namespaces made from them, and every change to them exactly once.

The bottom room of the mock. It knows records, not vendors or HTTP.
"""

from .fault import NamespaceExists, NoSuchNamespace, NoSuchPack, StoreFault
from .session import Session
from .store import Store
from .world import Namespace, Record, Seed, wall_clock

__all__ = [
    "Namespace",
    "NamespaceExists",
    "NoSuchNamespace",
    "NoSuchPack",
    "Record",
    "Seed",
    "Session",
    "Store",
    "StoreFault",
    "wall_clock",
]
