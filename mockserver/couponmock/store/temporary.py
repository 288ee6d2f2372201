"""A store for a server that keeps nothing."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def temporary_store() -> Iterator[str]:
    """Yield the URL of a store that goes with the server."""
    with tempfile.TemporaryDirectory(prefix="couponmock-", ignore_cleanup_errors=True) as folder:
        yield f"sqlite:///{folder}/state.db"
