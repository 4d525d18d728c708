"""Every relative link in a Markdown page of the project leads somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    page
    for folder in (".", "docs", "examples", "benchmarks")
    for page in (ROOT / folder).glob("*.md")
)
if ROOT / "docs" / "README.md" not in PAGES:
    pytest.skip("the pages are not beside the tests", allow_module_level=True)

FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def text_of(page):
    return FENCE.sub("", page.read_text("utf-8"))


def anchors(page):
    """The names that GitHub gives to headings."""
    names = []
    for heading in re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE):
        plain = re.sub(r"\[(.+?)\]\(.+?\)", r"\1", heading).lower()
        names.append(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    repeats = [names[:i].count(name) for i, name in enumerate(names)]
    return {f"{name}-{n}" if n else name for name, n in zip(names, repeats, strict=True)}


def targets(page):
    """What inline links and reference definitions of a page point to."""
    text = text_of(page)
    yield from re.findall(r"\]\(([^)\s]+)\)", text)
    yield from re.findall(r"^\[[^\]]+\]: (\S+)$", text, re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file_and_a_heading(page):
    for target in targets(page):
        if re.match(r"https?://", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{page.name}: {target}"
        assert file.is_relative_to(ROOT), f"{page.name}: {target} is outside the project"
        if anchor:
            assert anchor in anchors(file), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_reference_is_defined_and_every_definition_used(page):
    text = text_of(page)
    defined = re.findall(r"^\[([^\]]+)\]: ", text, re.MULTILINE)
    assert len(defined) == len(set(defined))
    assert set(defined) == set(re.findall(r"\]\[([^\]]+)\]", text))


def test_every_page_of_the_documentation_is_in_its_index():
    linked = set(re.findall(r"\]\((\S+?\.md)", text_of(ROOT / "docs" / "README.md")))
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert pages - linked == set()
