"""A stateful mock of the vendors whose documents are in ``specs/``, acting in the worlds of ``fixtures/``."""
