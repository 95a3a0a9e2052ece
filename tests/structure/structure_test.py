#!/usr/bin/env python3
"""Checks the house rules that a compiler does not: include direction (src/modules.txt), file length, file names."""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MOST_LINES = 400


def allowed_modules():
    direct = {}
    for line in (ROOT / "src/modules.txt").read_text().splitlines():
        match = re.match(r"([a-z]+):\s*(.*)", line)
        if match:
            direct[match[1]] = match[2].split()
    closed = {}
    for module, needs in direct.items():  # the table is in order: what a module needs stands above it
        closed[module] = {module}.union(*[closed[need] for need in needs]) if needs else {module}
    return closed


def sources():
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in names.stdout.split() if (ROOT / name).is_file()]


def include_faults(files, allowed):
    for path in files:
        parts = path.relative_to(ROOT).parts
        if parts[0] != "src" or path.suffix not in (".h", ".cpp", ".cu"):
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = re.match(r'#include "([a-z]+)/', line)
            if match and match[1] in allowed and match[1] not in allowed[parts[1]]:
                yield f"{path.relative_to(ROOT)}:{number}: {parts[1]} must not include {match[1]}"


def shape_faults(files):
    for path in files:
        name = path.relative_to(ROOT)
        if name.parts[:3] in (("tests", "golden", "configs"), ("tests", "golden", "seed")):
            continue  # they keep the names under which they were recorded
        if path.suffix in (".h", ".cpp", ".cu", ".py", ".sh"):
            lines = len(path.read_text().splitlines())
            if lines > MOST_LINES:
                yield f"{name}: {lines} lines, at most {MOST_LINES}"
            if not re.fullmatch(r"[a-z0-9_.\-]+", path.name):
                yield f"{name}: file names are snake_case"
        if re.search(r"(^|_)(utils?|misc|common|helpers?)(_|\.|$)", path.stem):
            yield f"{name}: a name that says nothing"


def main():
    files = sources()
    faults = list(include_faults(files, allowed_modules())) + list(shape_faults(files))
    print("\n".join(faults) or f"{len(files)} files checked")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
