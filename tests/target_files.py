"""Target files for a mock that is taken for a stranger's server."""

import contextlib
import json
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from couponcheck.outcome import Outcome
from couponcheck.run import Run
from couponcheck.target import Permissions
from couponcheck.targetfile import CREDENTIAL, is_wrong, known, read_target

EVERYTHING = Permissions(writes=True, concurrency=True)


def seeded(url: str, vendor: str) -> dict[str, dict[str, Any]]:
    """Return handle -> members of the seeded entities of a mock's default world."""
    with urllib.request.urlopen(f"{url}/__admin/namespaces/default/bindings", timeout=30) as response:  # noqa: S310 - the URL is that of a mock of ours
        found: dict[str, dict[str, Any]] = json.load(response)["bindings"][vendor]
    return found


def environment(vendor: str) -> dict[str, str]:
    """Return the variables that hold a vendor's credentials."""
    _, catalogue, pack = known(vendor)
    needed = {handle for requirement in catalogue.checked for handle in requirement.handles}
    found: dict[str, str] = {}
    for entity in pack.entities:
        if entity.handle in needed and entity.kind == CREDENTIAL and not is_wrong(pack, entity.name):
            parts = entity.data["secret"].split(":")
            names = ("user", "password") if len(parts) > 1 else ("secret",)
            found |= {variable(vendor, entity.name, name): part for name, part in zip(names, parts, strict=True)}
    return found


def variable(vendor: str, name: str, part: str) -> str:
    """Name the environment variable of a part of a credential."""
    return f"{vendor}_{name}_{part}".upper()


def contents(url: str, vendor: str) -> dict[str, Any]:
    """Return a target file that tells all about one vendor's side of a mock."""
    return described(url, vendor, seeded(url, vendor))


def described(url: str, vendor: str, entities: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return a target file that tells all about a server with these entities."""
    _, catalogue, pack = known(vendor)
    needed = {handle for requirement in catalogue.checked for handle in requirement.handles}
    bindings = {handle: members for handle, members in entities.items() if handle in needed}
    credentials = {}
    for entity in pack.entities:
        if entity.kind == CREDENTIAL and entity.handle in needed:
            parts = entity.data["secret"].split(":")
            names = ("user", "password") if len(parts) > 1 else ("secret",)
            credentials[entity.name] = {"scheme": entity.data["scheme"]} | {
                name: part if is_wrong(pack, entity.name) else f"${variable(vendor, entity.name, name)}"
                for name, part in zip(names, parts, strict=True)
            }
    data = {handle: members for handle, members in bindings.items() if not handle.startswith(f"{CREDENTIAL}.")}
    return {"version": 1, "base_url": url, "vendors": {vendor: {"credentials": credentials, "data": data}}}


def written(folder: Path, contents: Mapping[str, Any]) -> Path:
    """Write a target file; its first member stands on line 2."""
    path = folder / "target.yaml"
    path.write_text(json.dumps(contents, indent=1, ensure_ascii=False), encoding="utf-8")
    return path


@contextlib.contextmanager
def running(folder: Path, raw: Mapping[str, Any], permissions: Permissions = EVERYTHING, **how: Any) -> Iterator[Run]:
    """Get ready to judge what a target file describes, as long as the block lasts."""
    file = read_target(written(folder, raw))
    with contextlib.closing(Run.prepare_given(file, (), 1, permissions, **how)) as run:
        yield run


def judged(run: Run, *chosen: str) -> dict[str, Outcome]:
    """Carry out the chosen requirements, or all but those that make requests up."""
    items = [item for judge in run.judges.values() for item in judge.catalogue.checked]
    picked = [item for item in items if (item.id in chosen if chosen else item.generated is None)]
    run.selected = len(picked)
    return {item.id: run.judge(item) for item in picked}
