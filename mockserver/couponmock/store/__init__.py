"""The store: seeded worlds, the namespaces made from them, and every change to them exactly once.

The bottom room of the mock. It knows records, not vendors or HTTP.
"""

from .fault import NamespaceExists, NoSuchNamespace, NoSuchPack, NoSuchSnapshot, StoreFault
from .journal import JOURNAL_KEPT
from .session import Session
from .store import Store
from .temporary import temporary_store
from .world import Difference, Namespace, Record, Seed, Snapshot, real_time, wall_clock

__all__ = [
    "JOURNAL_KEPT",
    "Difference",
    "Namespace",
    "NamespaceExists",
    "NoSuchNamespace",
    "NoSuchPack",
    "NoSuchSnapshot",
    "Record",
    "Seed",
    "Session",
    "Snapshot",
    "Store",
    "StoreFault",
    "real_time",
    "temporary_store",
    "wall_clock",
]
