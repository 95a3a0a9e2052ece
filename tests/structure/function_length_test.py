#!/usr/bin/env python3
"""No function is longer than MOST_LINES lines, signature and closing brace included.

function_length_test.py [FILE ...]   (all files of the repository if none is given)
"""
import ast
import re
import sys
from pathlib import Path

from structure_test import ROOT, sources

MOST_LINES = 60

TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])*'|\#[^\n]*(?<!\\)\n""", re.S | re.X
)


def blank(match):
    """The same number of lines, nothing else: braces in comments, strings and macros do not count."""
    return ('""' if match[0][0] in "\"'R" else "") + "\n" * match[0].count("\n")


def is_function(head):
    """Whether the text between the last statement and a '{' opens a function's body."""
    head = re.sub(r"\s+", " ", head).strip()
    if not head or ")" not in head or re.match(r"(namespace|class|struct|enum|union|extern \"\")\b(?!.*\))", head):
        return False
    return re.search(r"(\)|const|noexcept|override|final|mutable|\]|-> [\w:<>,&* ]+|[)}])$", head) is not None and not head.endswith("=")


def cpp_functions(text):
    """(first line, last line, head) of each function; lambdas and local classes belong to the function around them."""
    text = TOKEN.sub(blank, text)
    line = 1
    head, head_line = "", None
    scopes = []  # per open brace: (is it a function's body, first line, head)
    for char in text:
        if char == "{" and head.count("(") > head.count(")") and not any(scope[0] for scope in scopes):
            scopes.append((None, head_line, head))  # a default argument
        elif char == "}" and scopes and scopes[-1][0] is None:
            head_line, head = scopes.pop()[1:]
        elif char == "{":
            inside = any(scope[0] for scope in scopes)
            scopes.append((not inside and is_function(head), head_line or line, head))
            if scopes[-1][0] or not inside:
                head, head_line = "", None
        elif char == "}" and scopes:
            function, first, scope_head = scopes.pop()
            if function:
                yield first, line, scope_head
            if not any(scope[0] for scope in scopes):
                head, head_line = "", None
        elif char == ";" and head.count("(") == head.count(")"):
            head, head_line = "", None
        elif not char.isspace() and head_line is None:
            head, head_line = char, line
        elif head_line is not None:
            head += char
        line += char == "\n"


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno, node.name


def faults(paths):
    for path in paths:
        read = {".h": cpp_functions, ".cpp": cpp_functions, ".cu": cpp_functions, ".py": python_functions}.get(path.suffix)
        if read is None:
            continue
        for first, last, head in read(path.read_text()):
            if last - first + 1 > MOST_LINES:
                name = re.sub(r"\s+", " ", head).strip()
                yield f"{path}:{first}: {last - first + 1} lines, at most {MOST_LINES}: {name[:80]}"


SAMPLE = """
namespace a {
Foo::Foo(int x) : a_{x}, b_(2) {
  if (x) { call([] { return 1; }); }
}
struct S {
  int f() const { return 1; }
  int x = {3};
  int y(int a = {}, S b = {1});
  int z() const { return 2; }
};
void g(int a,
       int b) {
  const char* text = "}";  // }
}
}
"""


def check_reader():
    found = [(first, last) for first, last, _ in cpp_functions(SAMPLE)]
    assert {(7, 7), (10, 10), (12, 15)} <= set(found) and any(last == 5 for _, last in found), found


def main():
    check_reader()
    given = [Path(name) for name in sys.argv[1:]]
    files = given or [path for path in sources() if path.relative_to(ROOT).parts[:2] != ("tests", "golden")]
    found = list(faults(files))
    print("\n".join(found) or "no function is too long")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
