"""The pages that packages bring: together, and as readable as in the checkout."""

from __future__ import annotations

from tests.packages.built import ROOT, built, installed, version
from tests.test_docs import broken_links

DOCUMENTS = ROOT / "build/stage/root/usr/share/doc/hcloud-reassign"
OF_THE_CHECKOUT = ["CONTRIBUTING.md", "LICENSE", "../CONTRIBUTING.md"]


def test_the_pages_link_to_what_is_installed_with_them() -> None:
    built(f"hcloud-reassign_{version()}_all.deb")
    found = [target for page in sorted(DOCUMENTS.rglob("*.md")) for target in broken_links(page)]
    assert found == OF_THE_CHECKOUT


def test_no_page_is_compressed_where_debian_would_by_itself() -> None:
    files = installed(built(f"hcloud-reassign_{version()}_all.deb"))
    pages = {path for path in files if path.startswith("/usr/share/doc/") and ".md" in path}
    assert "/usr/share/doc/hcloud-reassign/docs/keepalived.md" in pages
    assert not [path for path in pages if path.endswith(".gz")]
