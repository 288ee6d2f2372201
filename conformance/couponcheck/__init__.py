"""Checks whether an implementation answers as the vendors' pages document it. Knows the documents, never the mock."""
