"""One module for each vendor: its deliberate defects, found by the vendor's slug."""
