"""Another vendor's skeleton: all of it or nothing, and never over what is there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from couponspec import locate
from couponspec.check import check
from couponspec.scaffold import FILES, Refused, main, skeleton, write
from vendor_tree import VendorTree


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a checkout that has the folders of the four halls, and one vendor's documents and worlds."""
    VendorTree.copied(tmp_path, ["chargeover", "crowdtwist", "shoplazza"])
    for path in FILES.values():
        if not path.startswith(("specs/", "fixtures/")):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(locate, "root", lambda: tmp_path)
    return tmp_path


def files_below(folder: Path) -> dict[str, str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in found}


@pytest.mark.parametrize("vendor", ["acme", "acme_shop_2", "x", "api", "general"])
def test_a_skeleton_is_valid_as_it_stands(vendor: str, checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Documents, sources and packs; and every file is named to whoever asked for it."""
    assert main([vendor]) == 0
    assert check(checkout)[1] == []
    written = capsys.readouterr().out.splitlines()[:-1]
    assert written == [path.format(vendor=vendor) for path in FILES.values()]
    assert all((checkout / path).is_file() for path in written)


def test_two_skeletons_can_stand_side_by_side(checkout: Path) -> None:
    """Neither paths nor operations are shared."""
    assert (main(["acme"]), main(["acme_shop"])) == (0, 0)
    assert check(checkout)[1] == []
    assert {"acme", "acme_shop"} < {*locate.vendors(checkout)}


def test_a_skeleton_leaves_no_placeholder() -> None:
    """Every token of every template is replaced."""
    for path, text in skeleton("acme_shop").items():
        assert "%" not in text.replace("%7E", ""), path
    assert "operationId: getAcmeShopCoupon" in skeleton("acme_shop")["specs/acme_shop/openapi.yaml"]
    assert "title: Acme Shop coupons" in skeleton("acme_shop")["specs/acme_shop/openapi.yaml"]


@pytest.mark.parametrize(
    "name", ["Acme", "9lives", "acme-shop", "", "acme.shop", "../acme", "class", "é", "acme\n", "_x"]
)
def test_a_name_that_no_module_or_folder_can_have_is_refused(
    name: str, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One clear line, exit code 2, nothing written."""
    before = files_below(checkout)
    assert main([name]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"new-vendor: {name!r} cannot be a vendor's name: ")
    assert files_below(checkout) == before


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("chargeover", "there is a vendor 'chargeover' already: specs/chargeover/openapi.yaml"),
        ("v2", "the paths under /v2/ belong to crowdtwist: take another name"),
        ("openapi", "the paths under /openapi/v1/ belong to shoplazza: take another name"),
    ],
)
def test_a_name_that_is_taken_is_refused(
    name: str, reason: str, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a vendor's, or by the paths it would lead to."""
    before = files_below(checkout)
    assert main([name]) == 2
    assert capsys.readouterr().err == f"new-vendor: {reason}\n"
    assert files_below(checkout) == before


def test_a_vendor_of_which_only_one_file_is_there_is_not_completed(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """That file may be somebody's work."""
    module = checkout / "mockserver/couponmock/vendors/acme.py"
    module.write_text("mine\n", encoding="utf-8")
    assert main(["acme"]) == 2
    assert "there is a vendor 'acme' already: mockserver/couponmock/vendors/acme.py" in capsys.readouterr().err
    assert module.read_text(encoding="utf-8") == "mine\n"
    assert not (checkout / "specs/acme").exists()


def test_a_checkout_with_a_faulty_document_is_mended_first(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whether paths clash cannot be told before."""
    VendorTree(checkout).replace("specs/chargeover/openapi.yaml", "openapi: 3.1.0", "openapi: 2.0.0")
    assert main(["acme"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("new-vendor: the document of chargeover has to be mended first: ")


def test_when_one_file_cannot_be_written_none_is(checkout: Path) -> None:
    """What was written before it is taken back, folders too."""
    before = files_below(checkout)
    in_the_way = checkout / "conformance/couponcheck/requirements/acme.yaml"
    in_the_way.mkdir()
    with pytest.raises(Refused, match=r"requirements/acme\.yaml cannot be written: File exists"):
        write(skeleton("acme"), checkout)
    assert files_below(checkout) == before
    assert in_the_way.is_dir()
    assert not (checkout / "specs/acme").exists()


@pytest.mark.parametrize("arguments", [[], ["a", "b"]])
def test_exactly_one_name_is_needed(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The line shows how to ask."""
    assert main(arguments) == 2
    assert capsys.readouterr().err == "new-vendor: give one name, as in: make new-vendor NAME=acme\n"


def test_an_installed_package_without_a_checkout_says_so(tmp_path: Path) -> None:
    """There is nowhere to write to: one line, exit code 2."""
    package = tmp_path / "couponspec"
    shutil.copytree(Path(locate.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    VendorTree.copied(package / "_data", ["chargeover"])
    before = files_below(package / "_data")
    outcome = subprocess.run(
        [sys.executable, "-m", "couponspec.scaffold", "acme"],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert (outcome.returncode, outcome.stdout) == (2, "")
    expected = f"new-vendor: {package / '_data'} is no checkout of couponproof: a vendor is written in a checkout\n"
    assert outcome.stderr == expected
    assert files_below(package / "_data") == before
