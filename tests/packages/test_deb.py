"""The .deb and its source package in dist/: what they say of themselves, and that they come out the same again."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from email.message import Message
from email.parser import HeaderParser
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.packages.built import ENVIRON, ROOT, built, installed, output
from tests.packages.checkout import VERSION

pytestmark = [
    pytest.mark.skipif(not shutil.which("dpkg-buildpackage"), reason="dpkg-buildpackage is missing: dpkg-dev"),
    pytest.mark.timeout(600),
]

STAGE = ROOT / "build/stage"
LIBRARY = STAGE / "root/usr/lib/hcloud-reassign"
COPYRIGHT = ROOT / "debian/copyright"
CERTIFICATES = "/usr/lib/hcloud-reassign/certifi/cacert.pem"
MOVED = {"/usr/share/zsh/site-functions/_hcloud-reassign": "/usr/share/zsh/vendor-completions/_hcloud-reassign"}
OF_DEBIAN = {
    "/usr/lib/systemd/system/hcloud-reassign@.service",
    "/usr/lib/sysusers.d/hcloud-reassign.conf",
    "/usr/share/doc/hcloud-reassign/changelog.gz",
    "/usr/share/doc/hcloud-reassign/copyright",
    "/usr/share/lintian/overrides/hcloud-reassign",
    "/usr/share/python3/runtime.d/hcloud-reassign.rtupdate",
}

SHORT_NAMES = {
    "Apache Software License": {"Apache-2.0"},
    "BSD License": {"BSD-2-Clause", "BSD-3-Clause"},
    "ISC License (ISCL)": {"ISC"},
    "MIT": {"Expat"},
    "MIT License": {"Expat"},
    "Mozilla Public License 2.0 (MPL 2.0)": {"MPL-2.0"},
}
"""What projects call their licence -> what the machine-readable format of debian/copyright calls it."""


def package() -> Path:
    return built(f"hcloud-reassign_{VERSION}_all.deb")


def source() -> Path:
    return built(f"hcloud-reassign_{VERSION}.dsc")


def field(name: str) -> str:
    return output("dpkg-deb", "-f", package(), name).strip()


def stanzas() -> list[Message]:
    return [HeaderParser().parsestr(text) for text in COPYRIGHT.read_text("utf-8").split("\n\n")]


def stanza_of(path: Path) -> Message:
    """The last stanza of debian/copyright that has a file of the library: that one counts."""
    name = path.relative_to(STAGE.parent).as_posix()
    return [one for one in stanzas() if any(fnmatchcase(name, glob) for glob in one.get("Files", "").split())][-1]


def declared(metadata: Message) -> set[str]:
    """The licences that a project names for itself."""
    expression = metadata["License-Expression"] or metadata["License"] or ""
    classifiers = [line.rpartition(":: ")[2] for line in metadata.get_all("Classifier", []) if ":: OSI" in line]
    return set().union(*(SHORT_NAMES.get(name, {name}) for name in classifiers or [expression]))


def same_bytes(one: Path, other: Path) -> bool:
    return one.read_bytes() == other.read_bytes()


def test_it_depends_on_python_certificates_and_who_makes_users_and_on_nothing_else() -> None:
    assert field("Architecture") == "all"
    assert {name.strip() for name in field("Depends").split(",")} == {
        "ca-certificates",
        "python3 (>= 3.10)",
        "python3:any",
        "systemd | systemd-standalone-sysusers | systemd-sysusers",
    }


def test_it_has_every_file_of_the_stage_as_it_is_there_and_those_of_debian() -> None:
    root, found = STAGE / "root", installed(package())
    staged = {f"/{path.relative_to(root)}": path for path in root.rglob("*") if path.is_file()}
    assert set(found) == {MOVED.get(path, path) for path in staged} | OF_DEBIAN
    other = {
        path
        for path, file in staged.items()
        if found[MOVED.get(path, path)].content != hashlib.sha256(file.read_bytes()).hexdigest()
    }
    assert other == {CERTIFICATES}


def test_whom_it_trusts_is_said_by_the_machine_and_not_by_a_vendored_project() -> None:
    assert installed(package())[CERTIFICATES].content == "/etc/ssl/certs/ca-certificates.crt"


def test_root_owns_all_and_only_the_configuration_that_may_hold_a_token_is_closed_to_others() -> None:
    files = installed(package())
    assert {file.owner for file in files.values()} == {"root:root"}
    assert {path: file.mode for path, file in files.items() if file.mode not in ("0644", "0755", "0777")} == {
        "/etc/hcloud-reassign/config.ini": "0640"
    }
    assert output("dpkg-deb", "-I", package(), "conffiles").split() == [
        "/etc/hcloud-reassign/config.ini",
        "/etc/hcloud-reassign/notify.conf",
    ]


def projects() -> Iterator[tuple[str, Message]]:
    for folder in sorted(LIBRARY.glob("*.dist-info")):
        yield folder.name, HeaderParser().parsestr((folder / "METADATA").read_text("utf-8"))


def test_each_vendored_project_has_its_licence_in_the_copyright_file() -> None:
    named = {folder: stanza_of(LIBRARY / folder / "METADATA") for folder, _ in projects()}
    licences = {folder: {one["License"]} for folder, one in named.items()}
    wrong = {
        folder: (licences[folder], declared(metadata))
        for folder, metadata in projects()
        if not licences[folder] <= declared(metadata)
        or (named[folder]["Files"] == "*") != (metadata["Name"] == "hcloud-reassign")
    }
    assert wrong == {}
    assert len(named) > 20


def test_every_licence_that_is_named_is_there_in_words() -> None:
    named = {name for one in stanzas() if "Files" in one for name in one["License"].split(" and ")}
    texts = {
        one["License"].splitlines()[0]: one["License"] for one in stanzas() if "Files" not in one and one["License"]
    }
    assert named == set(texts)
    assert all(len(text.splitlines()) > 3 for text in texts.values())


def test_whoever_a_file_names_as_holder_of_its_copyright_is_in_the_copyright_file() -> None:
    notice = re.compile(
        r"^\W*Copyright (?:\([cC]\)|©)?[-–,\s\d]*(?:present)?[-,\s]*(?:by )?(?:the )?([A-Z]\S+ [\w-]+|[A-Z]\w+)", re.M
    )
    told = COPYRIGHT.read_text("utf-8")
    files = (path for path in LIBRARY.rglob("*") if path.is_file())
    holders = {holder for path in files for holder in notice.findall(path.read_text("utf-8", errors="replace"))}
    assert {holder for holder in holders if holder.lower() not in told.lower()} == set()
    assert {"Kenneth Reitz", "Gregory P", "Joyent, Inc"} <= holders


@pytest.mark.skipif(not shutil.which("lintian"), reason="lintian is missing")
def test_lintian_finds_nothing() -> None:
    (changes,) = package().parent.glob(f"hcloud-reassign_{VERSION}_*.changes")
    # Ubuntu's own profile knows no distribution `unstable`.
    options = ("--profile", "debian", "--allow-root", "--tag-display-limit", "0")
    assert output("lintian", *options, changes) == ""


def test_what_lintian_is_told_to_accept_has_a_reason_above_it() -> None:
    overrides = (ROOT / "debian/hcloud-reassign.lintian-overrides").read_text("utf-8").splitlines()
    accepted = [number for number, line in enumerate(overrides) if line.startswith("hcloud-reassign: ")]
    assert accepted and all(overrides[number - 1].startswith("# ") for number in accepted if number > 0)
    assert overrides[0].startswith("# ")


def test_built_elsewhere_it_and_its_source_have_the_same_bytes(tmp_path: Path) -> None:
    shutil.copytree(STAGE, tmp_path / "stage", copy_function=shutil.copy)
    environ = ENVIRON | {"TZ": "Asia/Tokyo", "LC_ALL": "C"}
    command = ["unshare", "--net", str(ROOT / "packages/build-deb"), "stage", "results"]
    subprocess.run(command, cwd=tmp_path, env=environ, umask=0o077, check=True, capture_output=True)
    results = {path.name: path for path in (tmp_path / "results").iterdir()}
    # .buildinfo and .changes tell when and on what it was built.
    for one in (package(), source(), built(f"hcloud-reassign_{VERSION}.tar.xz")):
        assert same_bytes(results[one.name], one)


def test_the_source_package_alone_gives_the_same_package_without_a_network(tmp_path: Path) -> None:
    output("dpkg-source", "-q", "-x", source(), tmp_path / "source")
    command = ["unshare", "--net", "dpkg-buildpackage", "--no-sign", "--build=binary"]
    subprocess.run(command, cwd=tmp_path / "source", env=ENVIRON, umask=0o027, check=True, capture_output=True)
    assert same_bytes(tmp_path / package().name, package())


def test_a_call_with_too_few_words_says_how_it_is_meant() -> None:
    done = subprocess.run([ROOT / "packages/build-deb"], capture_output=True, text=True, env=os.environ)
    assert (done.returncode, done.stderr) == (2, "usage: build-deb STAGE DEST\n")
