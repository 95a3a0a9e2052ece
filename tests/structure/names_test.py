#!/usr/bin/env python3
"""Names follow the house style: clang-tidy with .clang-tidy over all headers at once; patterns over the source files.

names_test.py BUILD [--all]     --all: clang-tidy over every source file as well (minutes)
"""
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from function_length_test import TOKEN, blank, cpp_functions
from structure_test import ROOT, sources

TOOL = shutil.which("clang-tidy-14") or shutil.which("clang-tidy")
SNAKE = r"[a-z][a-z0-9]*(_[a-z0-9]+)*_?"
CAMEL = r"[A-Z][A-Za-z0-9]*"
CONSTANT = r"k[A-Z0-9][A-Za-z0-9]*"
TYPE = r"(?:const )?(?:auto|bool|char|int|float|double|size_t|u?int\d+_t|std::[\w:]+(?:<[^;=(){}]*>)?|[A-Z]\w*(?:::\w+)*(?:<[^;=(){}]*>)?)"

# Names that libraries call by.
FIXED = ("LLVMFuzzerTestOneInput", "SetUp", "TearDown", "PrintTo")

# What the pattern finds must match the style.
RULES = [
    (r"\b(?:class|struct|union|enum(?: class)?) (\w+)(?= (?:final )?[:{])", CAMEL),
    (r"\busing (\w+) =", CAMEL),
    (r"^\s*(?:static |inline )*constexpr [\w:<>, ]+?[ *&](\w+)(?:\[\w*\])* [={]", CONSTANT),
    (rf"^ +(?:static )?{TYPE}[ &*]+(\w+)(?: = |;|\{{)", f"{SNAKE}|{CONSTANT}|[A-Z]"),
    (r"[(,] ?(?:const )?auto[ &*]+(\w+)(?=[,):])", f"{SNAKE}|[A-Z]"),
]


def function_fault(head):
    """Functions are snake_case; constructors have the name of their class."""
    head = re.sub(r"\s+|\b(public|private|protected):|\btemplate <[^{}]*?> (?=\w)", " ", head).strip()
    match = re.search(r"([\w~:]*?)(~?\w+) ?\(", re.sub(r"<[^<>()]*>|\[\[.*?\]\]", "", head))
    if match is None or re.search(r"\b(TEST|TYPED_TEST|INSTANTIATE|BENCHMARK|PYBIND11)|operator", head):
        return None
    scope, name = match[1].strip(":").split("::")[-1], match[2]
    constructor = name.lstrip("~") == scope or re.match(rf"(explicit |inline )*~?{CAMEL}\(", head.strip() + "(")
    return None if constructor or re.fullmatch(SNAKE, name) or re.fullmatch(CONSTANT, name) or name in FIXED else name


def pattern_faults(path):
    text = path.read_text()
    for line in re.finditer(r"^#define (\w+)", text, re.M):
        if not re.fullmatch(r"[A-Z][A-Z0-9_]*", line[1]):
            yield f"{path}: macro {line[1]}"
    for first, _, head in cpp_functions(text):
        if name := function_fault(head):
            yield f"{path}:{first}: function {name}"
    text = TOKEN.sub(blank, text)
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, style in RULES:
            for match in re.finditer(pattern, line):
                if not re.fullmatch(style, match[1]) and not re.match(r"\s*(return|using|delete|throw|else|typename)\b", line):
                    yield f"{path}:{number}: {match[1]}"


def compiler_flags(build):
    """Include folders and definitions of all source files; flags by file."""
    every, by_file = {}, {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        words = shlex.split(entry["command"])
        kept = []
        for word, following in zip(words, words[1:] + [""]):
            if word.startswith(("-I", "-D", "-std")):
                kept.append((word,))
            elif word == "-isystem":
                kept.append((word, following))
        every.update(dict.fromkeys(kept))
        by_file[Path(entry["file"]).resolve()] = [word for group in kept for word in group]
    return [word for group in every for word in group], by_file


def complaints(path, flags):
    command = [TOOL, "--quiet", f"--config-file={ROOT / '.clang-tidy'}", str(path), "--", *flags, "-w"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    return sorted({line.replace(f"{ROOT}/", "") for line in done.stdout.splitlines() if re.search(r":\d+: (error|warning): ", line)})


def check_the_checks(build, flags):
    """Both must be able to fail."""
    wrong = build / "names_wrong.cpp"
    wrong.write_text("struct bad_type {\n};\nconstexpr int bad_constant = 1;\nint BadFunction() {\n  int BadLocal = 0;\n  return BadLocal;\n}\n")
    found = complaints(wrong, flags)
    assert sum("invalid case style" in line for line in found) == 4, found
    assert len(list(pattern_faults(wrong))) == 4, list(pattern_faults(wrong))


def include_line(path):
    """Headers of the CUDA backend may need the toolkit's."""
    line = f'#include "{path}"\n'
    return f"#if __has_include(<cuda_runtime.h>)\n{line}#endif\n" if path.stem.endswith("_cuda") else line


def main():
    build = Path(sys.argv[1]).resolve()
    if TOOL is None:
        print("clang-tidy is missing: launch/install-deps.sh installs it")
        return 1
    flags, by_file = compiler_flags(build)
    check_the_checks(build, flags)
    files = sources()
    headers = build / "names_headers.cpp"
    headers.write_text("".join(map(include_line, [path for path in files if path.suffix == ".h" and ROOT / "src" in path.parents])))
    found = complaints(headers, flags)
    # The emulation defines functions and types of NVIDIA's libraries, which have their own style.
    emulation = ROOT / "tests/cudasim/src"
    wanted = [path for path in files if path.suffix == ".cpp" and emulation not in path.parents]
    for path in wanted:
        found += pattern_faults(path)
        if "--all" in sys.argv and path in by_file:
            found += complaints(path, by_file[path])
    print("\n".join(sorted(set(found))) or f"{len(wanted)} source files and all headers checked")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
