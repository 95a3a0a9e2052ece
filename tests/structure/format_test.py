#!/usr/bin/env python3
"""All C++ files are as clang-format 14 writes them with .clang-format.

format_test.py [--write]
"""
import shutil
import subprocess
import sys

from structure_test import ROOT, sources


def main():
    tool = shutil.which("clang-format-14") or shutil.which("clang-format")
    if tool is None:
        print("clang-format is missing: launch/install-deps.sh installs it")
        return 1
    if "version 14." not in subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout:
        print(f"{tool} is not version 14; others format otherwise")
        return 1
    files = [str(path) for path in sources() if path.suffix in (".h", ".cpp", ".cu")]
    arguments = ["-i"] if "--write" in sys.argv[1:] else ["--dry-run", "--Werror"]
    done = subprocess.run([tool, *arguments, *files], capture_output=True, text=True, cwd=ROOT)
    places = [line.replace(f"{ROOT}/", "") for line in done.stderr.splitlines() if ": error: " in line]
    print("\n".join(places[:50]) or f"{len(files)} files")
    if places:
        print(f"{len(places)} places; tests/structure/format_test.py --write puts them right")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
