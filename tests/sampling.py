"""What takes too long to be done about everything in each run of CI: a fair sample there, all by `make test-whole`.

Chance chooses, by name, and always the same: what passes once passes again.
"""

import os
from hashlib import sha256

SHARE = 1 if os.environ.get("COUPONPROOF_WHOLE") else 4
"""One of so many."""


def is_sampled(name: str) -> bool:
    """Tell whether something with a name is in the sample."""
    return sha256(name.encode()).digest()[0] % SHARE == 0
