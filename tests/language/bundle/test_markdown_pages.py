"""YAML in the pages of docs/ is checked like a bundle."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.language.bundle.markdown import check_markdown

DOCS = Path(__file__).parents[3] / "docs"
PAGE = """# A guide

```yaml
segment: loyal
where: profile.known
---
scenario: thanks
entry: {on: order_placed}
stepps: []
```

Some words, and a block of another kind:

```yaml
services: {web: {image: x}}
```

~~~yml
segment: rare
were: profile.known
~~~

```python
segment: no
```
"""


def test_a_problem_is_told_at_the_line_of_the_page() -> None:
    found = [(str(one.position), one.message) for one in check_markdown("guide.md", PAGE)]
    assert found == [
        ("guide.md:9:1", "unknown field `stepps`"),
        ("guide.md:20:1", "unknown field `were`"),
    ]


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=lambda path: str(path.relative_to(DOCS)))
def test_the_pages_of_docs_hold_no_wrong_documents(path: Path) -> None:
    assert check_markdown(path.name, path.read_text()) == []
