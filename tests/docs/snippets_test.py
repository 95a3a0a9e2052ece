#!/usr/bin/env python3
"""What the pages of docs/ quote is there: C++ snippets stand in the sources as quoted, and named files exist."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def squeeze(text):
    return re.sub(r"\s+", "", text)


def sources():
    paths = [path for folder in ("src", "tests", "bench") for path in (ROOT / folder).rglob("*") if path.suffix in (".h", ".cpp", ".cu")]
    return {path: squeeze(path.read_text()) for path in paths}


def faults(page, code):
    text = page.read_text()
    for snippet in re.findall(r"```cpp\n(.*?)```", text, re.S):
        if not any(squeeze(snippet) in content for content in code.values()):
            yield f"{page.name}: no source file has: {snippet.strip().splitlines()[0]} ..."
    for name in re.findall(r"`((?:src|tests|configs|launch|bench|docs)/[\w./*-]+|[\w/]+\.(?:h|cpp|py|md))`", text):
        below = [ROOT, ROOT / "src", ROOT / "docs", *(folder for folder in (ROOT / "src").iterdir() if folder.is_dir())]
        if not any(list(folder.glob(name)) for folder in below):
            yield f"{page.name}: there is no {name}"


def main():
    code = sources()
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    found = [fault for page in pages for fault in faults(page, code)]
    print("\n".join(found) or f"{len(pages)} pages")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
