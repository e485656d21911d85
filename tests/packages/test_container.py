"""The image: each line of the Containerfile is run by buildah, on a root that stands in for the image of Python.

That is under the name of the one which the Containerfile takes, so that nothing is pulled; pip has no index and finds
the wheels of the stage. What came of it is run as the platforms run it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.ci_templates.templates import REQUEST, TEMPLATES, variables
from tests.engine.samples import FLOATING, A, B
from tests.harness import TOKEN
from tests.packages.built import ROOT
from tests.packages.checkout import VERSION, ran
from tests.packages.roots import DISTRIBUTIONS, Root, like_python_image, of_image, unusable
from tests.system.site import Site

CONTAINERFILE = ROOT / "packages/Containerfile"
TEXT = CONTAINERFILE.read_text("utf-8")
WHEELS = ROOT / "build/wheels"
PAGE = ROOT / "docs/container.md"
TRIXIE = next(distribution for distribution in DISTRIBUTIONS if distribution.suite == "trixie")
LIBRARY = "/usr/local/lib/hcloud-reassign"
STATE = "/var/lib/hcloud-reassign"

missing = unusable() or (None if shutil.which("buildah") else "not installed: buildah")
needs_buildah = pytest.mark.skipif(bool(missing), reason=str(missing))

CONFIG = "[client]\nproject = prod\n\n[floating.web]\ntype = ip_floating\nresource = web\nmembers = srv-a, srv-b\n"
JOB = f"""\
config=hcloud-reassign.ini api_url=$HR_API_URL timeout=60 install='' report=hcloud-reassign.json
folder=$PWD/.hcloud-reassign created_at=$HR_CREATED_AT
{"".join((TEMPLATES / name).read_text("utf-8") for name in ("check.sh", "install.sh"))}
set --
{(TEMPLATES / "run.sh").read_text("utf-8")}
"""
"""What every template runs, where the image has the program."""


class Image:
    """What buildah made: how it starts, and its files, in a root that forgets what is written."""

    def __init__(self, config: Mapping[str, Any], root: Root) -> None:
        self.config, self.root = config, root
        self.environ = dict(entry.split("=", 1) for entry in config["Env"])

    def run(
        self, *command: str, user: int = 65532, folder: str = STATE, environ: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the image in a folder of it, with its environment and more."""
        words = ("sh", "-c", 'cd "$0" && exec "$@"', folder, *command)
        return self.root.run(*words, user=user, check=False, environ={**self.environ, **(environ or {})})

    def output(self, *command: str, user: int = 65532) -> str:
        done = self.run(*command, user=user)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def taken() -> str:
    """The image that the Containerfile begins with."""
    found = re.search(r"^ARG BASE=(\S+)$", TEXT, re.MULTILINE)
    assert found
    return found[1]


def key() -> str:
    """A digest of all that the image is made of, but for its base."""
    copied = (CONTAINERFILE, Path(f"{CONTAINERFILE}.dockerignore"), ROOT / "packages/launcher", *WHEELS.glob("*.whl"))
    vendored = ROOT / "packages/vendor.txt"
    return hashlib.sha256(b"".join(path.read_bytes() for path in (vendored, *sorted(copied)))).hexdigest()


def build(folder: Path) -> None:
    """Run the Containerfile, and lay out the image's files and configuration in `folder`."""
    base = like_python_image(TRIXIE)
    pip = {"wheels": "/wheels", "pip.conf": "/etc/pip.conf"}
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        (work / "pip.conf").write_text("[global]\nno-index = true\nfind-links = /wheels\n", "utf-8")
        shutil.copytree(WHEELS, work / "wheels")

        def buildah(*words: str | Path) -> str:
            return ran("buildah", f"--root={work}/storage", f"--runroot={work}/run", *words).strip()

        try:
            began = buildah("from", "scratch")
            buildah("add", "--quiet", began, base, "/")
            buildah("config", "--env", "PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", began)
            buildah("commit", "--quiet", "--rm", began, taken())
            buildah(
                *("build", "--isolation=chroot", "--pull=never", "--layers=false", "--quiet", "--tag=built"),
                *(f"--volume={work}/{name}:{place}:ro" for name, place in pip.items()),
                *("--file", CONTAINERFILE, "--build-arg", f"VERSION={VERSION}", ROOT),
            )
            config = json.loads(buildah("inspect", "--type=image", "built"))["OCIv1"]["config"]
            files = buildah("mount", buildah("from", "--pull=never", "built"))
            folder.mkdir()
            (folder / "config.json").write_text(json.dumps(config), "utf-8")
            ran("cp", "-a", files, folder / "files")
        finally:
            buildah("rm", "--all")
            buildah("rmi", "--all", "--force")


@pytest.fixture
def image() -> Iterator[Image]:
    if not WHEELS.exists():
        pytest.skip(f"{WHEELS} is missing: make stage")
    folder = of_image(key(), build)
    with Root(folder / "files") as root:
        yield Image(json.loads((folder / "config.json").read_text("utf-8")), root)


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


def test_the_linter_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, CONTAINERFILE], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_nothing_of_the_checkout_reaches_the_builder_but_what_is_copied() -> None:
    copied = re.findall(r"^COPY ((?!--from)\S.*) \S+$", TEXT, re.MULTILINE)
    first, *others = CONTAINERFILE.with_name("Containerfile.dockerignore").read_text("utf-8").splitlines()
    assert first == "*"
    assert {line.removeprefix("!") for line in others} == {source for line in copied for source in line.split()}


def test_its_licences_are_those_of_every_vendored_project() -> None:
    (line,) = re.findall(r"^License: +(.*)$", (ROOT / "rpm/hcloud-reassign.spec").read_text("utf-8"), re.MULTILINE)
    assert f'image.licenses="{line}"' in TEXT


def test_make_builds_it_with_the_version_of_the_changelog() -> None:
    command = ["make", "-n", "-o", "dist", "image", "ENGINE=podman", "BASE=python@sha256:1"]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert said.replace("\\\n", "").split() == [
        *("podman", "build", "-f", "packages/Containerfile", "--build-arg", "BASE=python@sha256:1"),
        *("--build-arg", f"VERSION={VERSION}", "-t", f"hcloud-reassign:{VERSION}", "."),
    ]


def test_what_the_page_replaces_is_in_the_templates() -> None:
    page = PAGE.read_text("utf-8")
    assert "in place of `agent any`" in page and "\n    agent any\n" in (TEMPLATES / "jenkins/Jenkinsfile").read_text()
    assert re.search(r"^        HR_INSTALL = '", (TEMPLATES / "jenkins/Jenkinsfile").read_text(), re.MULTILINE)
    assert "\n      by: " in (TEMPLATES / "gitlab/gitlab-ci.yml").read_text()
    assert "\n      by: " in (TEMPLATES / "github/reassign.yml").read_text()
    assert "\n    runs-on: " in (TEMPLATES / "github/reassign-job.yml").read_text()
    assert "registry.example.com/hcloud-reassign:" in (TEMPLATES / "tekton/trigger.yaml").read_text()


def test_githubs_job_is_sound_with_the_lines_of_the_page(tmp_path: Path) -> None:
    (lines,) = re.findall(r"```yaml\n(    container:\n.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    job = (TEMPLATES / "github/reassign-job.yml").read_text("utf-8")
    (tmp_path / "job.yml").write_text(re.sub(r"(?m)^(    runs-on: .*\n)", rf"\1{lines}", job), "utf-8")
    schema = Path(sys.executable).with_name("check-jsonschema"), "--builtin-schema", "vendor.github-workflows"
    done = subprocess.run([*schema, tmp_path / "job.yml"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@needs_buildah
def test_it_starts_the_command_as_a_user_without_a_name(image: Image) -> None:
    config = image.config
    assert (config["Entrypoint"], config.get("Cmd"), config["User"]) == (["hcloud-reassign"], None, "65532:65532")
    assert config["WorkingDir"] == STATE
    assert config["Labels"]["org.opencontainers.image.version"] == VERSION
    assert image.output(*config["Entrypoint"], "--version") == f"hcloud-reassign {VERSION}\n"
    assert image.output("id") == "uid=65532 gid=65532 groups=65532\n"


@needs_buildah
def test_it_holds_no_secret_no_pip_and_nothing_that_was_only_there_to_build_it(image: Image) -> None:
    assert set(image.environ) == {"PATH", "HOME", "HCLOUD_REASSIGN_STATE"}
    assert "No module named pip" in image.run("python3", "-m", "pip", "--version").stderr
    assert image.run("ls", "/build").returncode != 0
    assert image.output("ls", "-A", STATE) == ""


@needs_buildah
def test_its_library_is_that_of_the_packages_compiled_and_closed_to_its_user(image: Image) -> None:
    found = set(image.output("find", LIBRARY, "-type", "f", "-printf", "%P\n").splitlines())
    modules = {name for name in found if name.endswith(".py")}
    staged = ROOT / "build/stage/root/usr/lib/hcloud-reassign"
    assert modules >= {str(path.relative_to(staged)) for path in staged.rglob("*.py")}
    assert not [name for name in found if name.endswith(".so")]
    tag = image.output("python3", "-c", "import sys; print(sys.implementation.cache_tag)").strip()
    compiled = {str(Path(name).parent / f"__pycache__/{Path(name).stem}.{tag}.pyc") for name in modules}
    assert {name for name in found if name.endswith(".pyc")} == compiled
    assert image.output("find", LIBRARY, "/usr/local/bin", "-writable", "!", "-type", "l") == ""


@needs_buildah
@pytest.mark.parametrize("user", [65532, 1001, 1000, 1000750000], ids=["Tekton", "GitHub", "Jenkins", "OpenShift"])
def test_the_templates_find_all_they_need_whoever_runs_it(image: Image, site: Site, user: int) -> None:
    work = image.root.path / "work"
    work.mkdir()
    (work / "hcloud-reassign.ini").write_text(CONFIG, "utf-8")
    (work / "job").write_text(JOB, "utf-8")
    os.chown(work, user, user)
    now_ms = time.time_ns() // 1_000_000
    request = variables({**REQUEST, "issued_at": str(now_ms)})
    known = {"HR_API_URL": site.url, "HR_CREATED_AT": str(now_ms), "HCLOUD_TOKEN": TOKEN}
    assert site.sim.state.floating_ips[FLOATING].server_id == A

    done = image.run("sh", "job", user=user, folder="/work", environ={**request, **known})
    assert (done.returncode, site.sim.state.floating_ips[FLOATING].server_id) == (0, B), done.stdout + done.stderr
    (move,) = json.loads((work / "hcloud-reassign.json").read_text("utf-8"))["moves"]
    assert move["outcome"] == "done"
    assert TOKEN not in done.stdout + done.stderr


@needs_buildah
def test_without_a_template_the_journal_is_kept_whoever_runs_it(image: Image, site: Site) -> None:
    command = 'printf %s "$CONFIG" >prod.ini; exec hcloud-reassign run -c prod.ini --to srv-b'
    given = {"CONFIG": CONFIG, "HCLOUD_TOKEN": TOKEN, "HCLOUD_ENDPOINT": site.url}
    done = image.run("sh", "-c", command, user=4242, environ=given)
    assert done.returncode == 0, done.stderr
    assert "journal" not in done.stderr
    assert image.output("stat", "-c", "%u %a", f"{STATE}/journal.jsonl", user=0) == "4242 600\n"


@needs_buildah
def test_the_step_that_asks_github_for_the_time_finds_its_python(image: Image) -> None:
    # As github/action.yml calls it.
    image.output("python3", "-I", "-c", "import json, os, urllib.request")
