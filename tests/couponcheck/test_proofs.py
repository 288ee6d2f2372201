"""The suite can fail: for each requirement there is a server whose defect breaks that requirement and nothing else."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import yaml
from broken_server import VENDORS, accused, catalogue, judged, requirements, serving
from couponmock.defect import defects_of
from sampling import is_sampled

FOLDER = Path(__file__).parent / "proofs"


@dataclass(frozen=True)
class Proof:
    """What shows that a requirement can fail."""

    vendor: str
    requirement: str
    defect: str
    also: frozenset[str]
    """Other requirements that the same breach cannot but fail."""
    perhaps: frozenset[str]
    """Others that it fails if chance, which is the seed's, leads there."""

    @property
    def failing(self) -> frozenset[str]:
        """Return every requirement that fails."""
        return self.also | {self.requirement}


@cache
def proofs(vendor: str) -> dict[str, Proof]:
    """Read a vendor's proofs by requirement."""
    raw = yaml.safe_load((FOLDER / f"{vendor}.yaml").read_text(encoding="utf-8"))
    assert raw["vendor"] == vendor
    return {
        requirement: Proof(
            vendor, requirement, item["defect"], frozenset(item.get("also", ())), frozenset(item.get("perhaps", ()))
        )
        for requirement, item in raw["proofs"].items()
    }


PROVEN = sorted(path.stem for path in FOLDER.glob("*.yaml"))
PROOFS = {requirement: proof for vendor in PROVEN for requirement, proof in proofs(vendor).items()}


@pytest.mark.parametrize("requirement", PROOFS)
def test_a_defect_fails_its_requirement_and_only_what_cannot_but_fail_with_it(requirement: str) -> None:
    """Of all requirements for a sample; else of those that the proof is about, and of the one that all begins with."""
    proof = PROOFS[requirement]
    chosen = requirements(proof.vendor, also=proof.failing)
    if not is_sampled(requirement, 6):
        chosen = [*chosen[:1], *(item for item in chosen[1:] if item.id in proof.failing)]
    with serving(proof.vendor, defects=(proof.defect,)) as url:
        found = accused(judged(proof.vendor, url, chosen))
    assert proof.failing <= set(found) <= proof.failing | proof.perhaps, found


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_server_without_defect_passes_every_requirement(vendor: str) -> None:
    with serving(vendor) as url:
        outcomes = judged(vendor, url, catalogue(vendor).checked)
    assert {name: outcome.reason for name, outcome in outcomes.items() if outcome.verdict != "pass"} == {}


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_requirement_that_is_checked_has_a_proof(vendor: str) -> None:
    assert sorted(proofs(vendor)) == sorted(requirement.id for requirement in catalogue(vendor).checked)


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_defect_proves_a_requirement(vendor: str) -> None:
    assert sorted(defects_of(vendor, "proofs")) == sorted(proof.defect for proof in proofs(vendor).values())


@pytest.mark.parametrize("vendor", VENDORS)
def test_no_two_requirements_fail_together_always(vendor: str) -> None:
    """Each set of failing requirements belongs to one requirement, so a report tells which rule was broken."""
    failing = [proof.failing for proof in proofs(vendor).values()]
    assert len(set(failing)) == len(failing)
