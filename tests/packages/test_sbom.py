"""The list of what packages contain, beside them in dist/."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest

from tests.packages.checkout import EPOCH, ROOT, TOOLS, VERSION, needs_release_tools, ran, run

pytestmark = needs_release_tools

WHEELS, STAGE = ROOT / "build/wheels", ROOT / "build/stage"
LIBRARY = STAGE / "root/usr/lib/hcloud-reassign"
PYTHON = TOOLS / "python"

VALIDATE = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
for file in sys.argv[1:]:
    print(JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(file).read()))
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not LIBRARY.is_dir():
        pytest.skip(f"make packages has not been run: no {LIBRARY}")
    return made(tmp_path_factory.mktemp("sbom"))


def made(folder: Path) -> Path:
    target = folder / "hcloud-reassign.cdx.json"
    ran(PYTHON, ROOT / "packages/sbom.py", WHEELS, STAGE, target, environ={"SOURCE_DATE_EPOCH": EPOCH})
    return target


@pytest.fixture
def sbom(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text("utf-8")))


@pytest.fixture
def parts(sbom: dict[str, Any]) -> list[dict[str, Any]]:
    return [*sbom["components"], sbom["metadata"]["component"]]


def staged() -> Mapping[str, str]:
    """Version by name of each project in the stage, as its own metadata has them."""
    found = (Parser().parsestr(file.read_text("utf-8")) for file in LIBRARY.glob("*.dist-info/METADATA"))
    return {metadata["Name"]: metadata["Version"] for metadata in found}


def test_it_lists_what_is_in_the_stage_and_nothing_else(parts: list[dict[str, Any]]) -> None:
    assert {part["name"]: part["version"] for part in parts} == staged()
    assert len(parts) == len(staged())
    assert {part["purl"] for part in parts} == {
        f"pkg:pypi/{name.lower().replace('_', '-')}@{version}" for name, version in staged().items()
    }


def test_it_is_about_this_project_and_its_version(sbom: dict[str, Any]) -> None:
    ours = sbom["metadata"]["component"]
    assert (ours["type"], ours["name"], ours["version"]) == ("application", "hcloud-reassign", VERSION)
    (needs,) = (entry for entry in sbom["dependencies"] if entry["ref"] == ours["bom-ref"])
    assert {ref.partition("==")[0] for ref in needs["dependsOn"]} >= {"hcloud", "requests", "typer", "textual"}


def test_each_part_has_a_licence(parts: list[dict[str, Any]]) -> None:
    assert [part["name"] for part in parts if not part.get("licenses")] == []


def test_each_part_has_the_hash_of_the_wheel_that_the_lock_allows(parts: list[dict[str, Any]]) -> None:
    lock = (ROOT / "packages/vendor.txt").read_text("utf-8")
    for part in parts:
        ((algorithm, digest),) = ((entry["alg"], entry["content"]) for entry in part["hashes"])
        assert algorithm == "SHA-256"
        if part["name"] == "hcloud-reassign":
            (wheel,) = WHEELS.glob("hcloud_reassign-*.whl")
            assert digest == hashlib.sha256(wheel.read_bytes()).hexdigest()
        else:
            assert digest in lock


def test_it_fits_the_schema_of_cyclonedx_and_a_wrong_one_does_not(
    file: Path, sbom: dict[str, Any], tmp_path: Path
) -> None:
    del sbom["components"][0]["name"]
    (tmp_path / "wrong.json").write_text(json.dumps(sbom), encoding="utf-8")
    right, wrong = ran(PYTHON, "-c", VALIDATE, file, tmp_path / "wrong.json").split("\n", 1)
    assert right == "None"
    assert "'name' is a required property" in wrong


def test_made_again_it_is_the_same_bytes(file: Path, tmp_path: Path) -> None:
    assert made(tmp_path).read_bytes() == file.read_bytes()


def test_without_the_wheels_of_the_stage_nothing_is_written(tmp_path: Path, file: Path) -> None:
    (tmp_path / "wheels").mkdir()
    done = run(PYTHON, ROOT / "packages/sbom.py", tmp_path / "wheels", STAGE, tmp_path / "it.json")
    assert (done.returncode, (tmp_path / "it.json").exists()) == (1, False)
    assert "no wheel of" in done.stderr
    assert "next: make stage sbom" in done.stderr
