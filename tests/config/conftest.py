from __future__ import annotations

from pathlib import Path

import pytest

from hcloud_reassign.config.settings import Settings
from tests.config.fakes import Load, load_file


@pytest.fixture
def ini(tmp_path: Path) -> Path:
    return tmp_path / "prod.ini"


@pytest.fixture
def load_text(ini: Path) -> Load:
    """Writes a configuration that nobody else may read, and loads it."""

    def load(text: str) -> Settings:
        ini.write_text(text, "utf-8")
        ini.chmod(0o600)
        return load_file(ini)

    return load
