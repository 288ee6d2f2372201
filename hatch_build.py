"""Puts the documents and the seeded worlds into the wheel, where couponspec looks for them once installed."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface[Any]):
    """Copy `specs/<vendor>` and `fixtures` to `couponspec/_data`; an editable install reads them where they stand."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        root = Path(self.root)
        vendors = [document.parent for document in sorted(root.glob("specs/*/openapi.yaml"))]
        for folder in [*vendors, root / "fixtures"]:
            build_data["force_include"][str(folder)] = f"couponspec/_data/{folder.relative_to(root).as_posix()}"
