"""Secrets in texts that people get to see."""

import base64
import json
from collections.abc import Mapping
from urllib.parse import quote


def masked(text: str, secrets: Mapping[str, str]) -> str:
    """Replace every secret in a text, however it is written there, by what stands for it."""
    # The longest first: one secret may be a part of another.
    for secret, name in sorted(secrets.items(), key=lambda item: -len(item[0])):
        in_json = json.dumps(secret, ensure_ascii=False)[1:-1]
        for written in (secret, in_json, quote(secret, safe=""), base64.b64encode(secret.encode()).decode()):
            text = text.replace(written, name)
    return text
