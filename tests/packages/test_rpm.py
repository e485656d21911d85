"""The .rpm as they lie in dist/: what they say of themselves, what they hold, and that they come out the same again."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from email.parser import HeaderParser
from pathlib import Path

import pytest

from packages.stage import locked
from tests.packages.built import ENVIRON, ROOT, File, built, installed, output
from tests.packages.checkout import EPOCH, VERSION

pytestmark = pytest.mark.skipif(not shutil.which("rpmbuild"), reason="rpmbuild is missing: apt-get install rpm")

STAGE = ROOT / "build/stage"
LIBRARY = "/usr/lib/hcloud-reassign"
PYTHON = {"el9": "/usr/bin/python3.12", "el10": "/usr/bin/python3.12", "fc43": "/usr/bin/python3"}
CERTIFICATES = f"{LIBRARY}/certifi/cacert.pem"
DOCUMENTS = "/usr/share/doc/hcloud-reassign"
OF_DEBIAN = {
    f"{DOCUMENTS}/changelog.gz",
    f"{DOCUMENTS}/copyright",
    "/usr/share/lintian/overrides/hcloud-reassign",
    "/usr/share/python3/runtime.d/hcloud-reassign.rtupdate",
}
ELSEWHERE_IN_DEBIAN = {
    "/usr/share/zsh/vendor-completions/_hcloud-reassign": "/usr/share/zsh/site-functions/_hcloud-reassign",
}
REQUIRES = {"/bin/sh", "ca-certificates", "findutils", "shadow-utils"}

DECLARED = {"ISC License": "ISC", "MIT License": "MIT", "Dual License": "(Apache-2.0 OR BSD-3-Clause)"}
"""What projects wrote before there was a field for SPDX."""


def package(distribution: str) -> Path:
    return built(f"hcloud-reassign-{VERSION}-1.{distribution}.noarch.rpm")


def source() -> Path:
    return built(f"hcloud-reassign-{VERSION}-1.src.rpm")


def asked(distribution: str, *query: str) -> list[str]:
    return output("rpm", "-qp", *query, package(distribution)).splitlines()


def staged() -> dict[str, File]:
    """What the stage holds for a machine, as `installed` says it."""
    root = STAGE / "root"
    return {
        f"/{path.relative_to(root)}": File(
            f"{path.stat().st_mode & 0o7777:04o}", "root:root", hashlib.sha256(path.read_bytes()).hexdigest()
        )
        for path in root.rglob("*")
        if path.is_file()
    }


def test_built_elsewhere_by_another_user_without_a_network_the_packages_have_the_same_bytes(tmp_path: Path) -> None:
    shutil.copytree(STAGE, tmp_path / "stage", copy_function=shutil.copy)
    subprocess.run(
        ["unshare", "--net", "--map-user=65534", "--map-group=65534", ROOT / "packages/build-rpm", "stage", "results"],
        cwd=tmp_path,
        env=ENVIRON | {"TZ": "Asia/Tokyo", "LC_ALL": "C"},
        umask=0o077,
        check=True,
    )
    again = {path.name: path.read_bytes() for path in (tmp_path / "results").iterdir()}
    assert again == {path.name: path.read_bytes() for path in [source(), *map(package, PYTHON)]}


def test_the_source_package_alone_gives_the_same_package(tmp_path: Path) -> None:
    defines = {"_topdir": str(tmp_path), "dist": ".el9", "rhel": "9"}
    options = [word for name, value in defines.items() for word in ("--define", f"{name} {value}")]
    output("rpmbuild", "--quiet", "--target", "noarch", *options, "--rebuild", source())
    (rebuilt,) = (tmp_path / "RPMS/noarch").iterdir()
    assert rebuilt.read_bytes() == package("el9").read_bytes()


@pytest.mark.parametrize("distribution", PYTHON)
def test_a_package_says_what_it_is(distribution: str) -> None:
    fields = "%{NAME} %{VERSION} %{RELEASE} %{ARCH} %{BUILDHOST} %{BUILDTIME} %{PAYLOADCOMPRESSOR}"
    assert asked(distribution, "--qf", fields) == [
        f"hcloud-reassign {VERSION} 1.{distribution} noarch localhost {EPOCH} zstd"
    ]
    assert output("rpm", "--checksig", "--nosignature", package(distribution)).endswith(": digests OK\n")


@pytest.mark.parametrize("distribution", PYTHON)
def test_a_package_requires_the_python_that_its_launcher_names_and_no_library(distribution: str) -> None:
    python = PYTHON[distribution]
    requires = {line for line in asked(distribution, "--requires") if not line.startswith("rpmlib(")}
    assert requires == REQUIRES | {python} | ({"python3 >= 3.10"} if distribution.startswith("fc") else set())

    launcher = (STAGE / "root/usr/bin/hcloud-reassign").read_text("utf-8")
    named = launcher.replace("#!/usr/bin/python3 ", f"#!{python} ", 1)
    content = hashlib.sha256(named.encode()).hexdigest()
    assert installed(package(distribution))["/usr/bin/hcloud-reassign"].content == content


def test_what_the_trigger_of_keepalived_runs_is_recommended() -> None:
    assert set(asked("el9", "--recommends")) == {"(curl or wget)", "iproute"}


def test_every_vendored_project_is_provided_as_bundled_and_nothing_else() -> None:
    vendored = {f"bundled(python3dist({name})) = {number}" for name, number in locked()}
    assert set(asked("fc43", "--provides")) == vendored | {
        f"hcloud-reassign = {VERSION}-1.fc43",
        "user(hcloud-reassign)",
        "group(hcloud-reassign)",
    }


def test_the_licence_is_that_of_every_vendored_project() -> None:
    declared = set()
    for metadata in (STAGE / f"root{LIBRARY}").glob("*.dist-info/METADATA"):
        fields = HeaderParser().parsestr(metadata.read_text("utf-8"))
        classified = [line for line in fields.get_all("Classifier", []) if line.startswith("License")]
        words = fields["License-Expression"] or fields["License"] or classified[0].rpartition(" :: ")[2]
        declared.add(DECLARED.get(words, words))
    assert set(asked("fc43", "--qf", "%{LICENSE}")[0].split(" AND ")) == declared


def test_the_licences_of_all_projects_are_marked_as_such() -> None:
    marked = asked("fc43", "--licensefiles")
    projects = {path.split("/")[4] for path in marked if path.startswith(f"{LIBRARY}/")}
    assert {path.name for path in (STAGE / f"root{LIBRARY}").glob("*.dist-info")} <= projects
    assert "/usr/share/licenses/hcloud-reassign/LICENSE" in marked


def test_the_configuration_is_kept_on_upgrade_and_read_by_the_group_alone() -> None:
    flags = dict(line.split() for line in asked("el9", "--qf", r"[%{FILENAMES} =%{FILEFLAGS:fflags}\n]"))
    assert {path for path, flag in flags.items() if flag == "=cn"} == {
        "/etc/hcloud-reassign/config.ini",
        "/etc/hcloud-reassign/notify.conf",
    }
    modes = {path: (file.mode, file.owner) for path, file in installed(package("el9")).items()}
    assert modes["/etc/hcloud-reassign/config.ini"] == ("0640", "root:hcloud-reassign")
    assert modes["/etc/hcloud-reassign/notify.conf"] == ("0644", "root:root")


def test_scripts_run_only_to_make_the_user_and_the_byte_code() -> None:
    kinds = [line.partition(" scriptlet")[0] for line in asked("el9", "--scripts") if " scriptlet (" in line]
    assert kinds == ["preinstall", "preuninstall", "posttrans"]
    assert asked("el9", "--triggers") == asked("el9", "--filetriggers") == []


@pytest.mark.parametrize("distribution", PYTHON)
def test_a_package_holds_what_is_staged_with_the_certificates_of_the_system(distribution: str) -> None:
    held = installed(package(distribution))
    assert held.keys() - staged().keys() == {
        "/usr/lib/systemd/system/hcloud-reassign@.service",
        "/usr/lib/sysusers.d/hcloud-reassign.conf",
        "/usr/share/licenses/hcloud-reassign/LICENSE",
    }
    differing = {path for path, file in staged().items() if held.get(path) != file}
    # The first line of the launcher may be of another Python; the configuration has its group.
    assert differing - {"/usr/bin/hcloud-reassign"} == {CERTIFICATES, "/etc/hcloud-reassign/config.ini"}
    assert held[CERTIFICATES].content == "../../../../etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"


def test_the_package_for_debian_holds_the_same() -> None:
    rpm, deb = installed(package("fc43")), installed(built(f"hcloud-reassign_{VERSION}_all.deb"))
    same = {ELSEWHERE_IN_DEBIAN.get(path, path): file for path, file in deb.items() if path not in OF_DEBIAN}
    assert rpm.keys() ^ same.keys() == {"/usr/share/licenses/hcloud-reassign/LICENSE"}
    differing = {path for path, file in same.items() if rpm[path] != file}
    assert differing == {CERTIFICATES, "/etc/hcloud-reassign/config.ini"}


def test_every_program_has_its_manual() -> None:
    held = installed(package("el9"))
    programs = {path.rpartition("/")[2] for path in held if path.startswith("/usr/bin/")}
    assert {f"/usr/share/man/man1/{program}.1.gz" for program in programs} <= held.keys()


def test_the_changelog_is_that_of_the_project() -> None:
    told = output("rpm", "-qp", "--changelog", source())
    text = (STAGE / "changelog").read_text("utf-8")
    versions = re.findall(r"^hcloud-reassign \((.*?)\)", text, re.MULTILINE)
    assert re.findall(r"^\* .*> - (.*)-1$", told, re.MULTILINE) == versions
    assert re.findall(r"^- (.*)$", told, re.MULTILINE) == re.findall(r"^  \* (.*)$", text, re.MULTILINE)


def test_the_changelog_is_converted_with_times_in_utc_and_without_macros(tmp_path: Path) -> None:
    (tmp_path / "changelog").write_text(
        "hcloud-reassign (0.2.0) UNRELEASED; urgency=medium\n\n"
        "  [ Ada ]\n"
        "  * Fills 100 %{disk}\n    and more:\n    - one\n\n"
        " -- Ada L <a@example.org>  Mon, 01 Mar 2027 00:30:00 +0100\n\n"
        "hcloud-reassign (0.1.0) unstable; urgency=medium\n\n"
        "  * First.\n\n"
        " -- Bo <b@example.org>  Sat, 21 Nov 2026 08:41:13 +0000\n"
    )
    assert output(sys.executable, ROOT / "rpm/changelog.py", tmp_path / "changelog") == (
        "* Sun Feb 28 23:30:00 UTC 2027 Ada L <a@example.org> - 0.2.0-1\n"
        "[ Ada ]\n- Fills 100 %%{disk}\n  and more:\n  - one\n"
        "\n"
        "* Sat Nov 21 08:41:13 UTC 2026 Bo <b@example.org> - 0.1.0-1\n"
        "- First.\n"
    )


def test_a_build_without_rpmbuild_says_what_to_install(tmp_path: Path) -> None:
    done = subprocess.run(
        [ROOT / "packages/build-rpm", STAGE, tmp_path], capture_output=True, text=True, env={"PATH": ""}
    )
    assert (done.returncode, done.stderr) == (1, "error: rpmbuild is missing; next: apt-get install rpm\n")


@pytest.mark.skipif(not shutil.which("rpmlint"), reason="rpmlint is missing: apt-get install rpmlint")
def test_rpmlint_has_nothing_to_say() -> None:
    options: list[str | Path] = ["-c", ROOT / "rpm/rpmlint.toml", "-r", ROOT / "rpm/hcloud-reassign.rpmlintrc"]
    said = output("rpmlint", *options, source(), *map(package, PYTHON))
    assert " 0 errors, 0 warnings, " in said
