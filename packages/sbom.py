"""Lists what packages contain, as CycloneDX 1.6: every project in the stage with version, licence, purl and the hash
of the wheel that it was unpacked from.

`python packages/sbom.py WHEELS STAGE FILE`, by a Python that has cyclonedx-bom. The same stage gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

LIBRARY = "root/usr/lib/hcloud-reassign"
US = "hcloud-reassign"


class SbomError(Exception):
    """What is missing, in the words to print."""


def sbom(wheels: Path, stage: Path) -> dict[str, Any]:
    """The list, with this project as the application that the others are the parts of.

    Raises:
        SbomError: the stage is not there or not made from these wheels.
    """
    found = listed(stage / LIBRARY)
    hashes = {name_and_version(wheel): hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in wheels.glob("*.whl")}
    for component in found.get("components", []):
        try:
            content = hashes[normal(component["name"]), component["version"]]
        except KeyError:
            raise SbomError(f"{wheels}: no wheel of {component['name']} {component['version']}") from None
        component["hashes"] = [{"alg": "SHA-256", "content": content}]
    ours = [component for component in found.get("components", []) if component["name"] == US]
    if not ours:
        raise SbomError(f"{stage / LIBRARY}: no {US} in it")
    found["components"].remove(ours[0])
    found["metadata"]["component"] = ours[0] | {"type": "application"}
    return found


def listed(library: Path) -> dict[str, Any]:
    """What cyclonedx-py finds there. -I keeps the library from it, -S all else from the Python that it asks."""
    options = ("-S", "--output-reproducible", "--no-validate")  # The tests validate what is written in the end.
    command = (sys.executable, "-I", "-m", "cyclonedx_py", "environment", *options, sys.executable)
    environ = os.environ | {"PYTHONPATH": str(library.resolve()), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=environ, capture_output=True, encoding="utf-8")
    if done.returncode:
        raise SbomError(f"cyclonedx-py: {done.stderr.strip()}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def name_and_version(wheel: Path) -> tuple[str, str]:
    name, version, *_ = wheel.name.split("-")
    return normal(name), version


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main(arguments: Sequence[str]) -> int:
    """0 when it is written; 1 with one line about what is wrong; 2 when called wrongly."""
    if len(arguments) != 3:
        sys.stderr.write("usage: python packages/sbom.py WHEELS STAGE FILE\n")
        return 2
    wheels, stage, file = map(Path, arguments)
    try:
        file.write_text(json.dumps(sbom(wheels, stage), indent=2, sort_keys=True) + "\n", encoding="utf-8")
    except (SbomError, OSError) as error:
        sys.stderr.write(f"error: {error}; next: make stage sbom\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
