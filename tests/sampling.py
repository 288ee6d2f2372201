"""What takes too long to be done about everything in each run of CI: a fair sample there, all by `make test-whole`.

Chance chooses, by name, and always the same: what passes once passes again.
"""

import os
from hashlib import sha256

_WHOLE = "COUPONPROOF_WHOLE" in os.environ


def is_sampled(name: str, one_of: int) -> bool:
    """Tell whether something with a name is in the sample, which is one of so many."""
    return _WHOLE or sha256(name.encode()).digest()[0] % one_of == 0
