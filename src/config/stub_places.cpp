#include "config/stub_packages.h"

namespace wende::python {

const char* const kPlacesSource = R"PY(
import sys
import _ast
import posix
import _wende

file_names = set()
# What values that came through variables, loops and functions are looked up by: every {key: value} of the configs' files.
key_places = {}
_library = tuple(path + "/" for path in sys.path
                 if path not in posix.environ.get(b"WENDE_PYTHONPATH", b"").decode(errors="replace").split(":"))
_known_modules = set()
_found = {}


def own_file(file):
    """A file of the user as messages show it, or None: it is of a library."""
    if file in file_names:
        return file
    if not file.endswith(".py") or file.startswith(_library) or "-packages/" in file:
        return None
    here = posix.getcwd() + "/"
    return file[len(here):] if file.startswith(here) else file


def _entry(where, file):
    return [where.lineno, where.col_offset + 1, None, file]


class Notes:
    """Tree {name: [line, column, subtree, file]} of assigned names and literal keys, and the keys that are written twice."""

    def __init__(self, module, file):
        self.file = file
        self.tree = {}
        self.warnings = []
        self.visit(module.body)

    def note(self, tree, node, value, where, path):
        tree[node] = child = _entry(where, self.file)
        self.descend(child, value, path + (node,))

    def descend(self, child, value, path):
        kind = type(value)
        if kind is _ast.Dict:
            child[2] = keys = {}
            for key, item in zip(value.keys, value.values):
                if type(key) is not _ast.Constant:
                    continue
                try:
                    if key.value in keys:
                        self.warnings.append(
                            (key.lineno, key.col_offset + 1, path + (key.value,), keys[key.value][0]))
                except TypeError:
                    continue
                self.note(keys, key.value, item, key, path)
        elif kind is _ast.List or kind is _ast.Tuple:
            child[2] = keys = {}
            for index, item in enumerate(value.elts):
                if type(item) is _ast.Starred:
                    break
                self.note(keys, index, item, item, path)
        elif kind is _ast.Call and type(value.func) is _ast.Name and value.func.id == "dict":
            child[2] = keys = {}
            for keyword in value.keywords:
                if keyword.arg is not None:
                    self.note(keys, keyword.arg, keyword.value, keyword, path)

    def target(self, target):
        """The (parent tree, key) of `name` or `name["a"]["b"]`."""
        if type(target) is _ast.Name:
            return self.tree, target.id, (target.id,)
        if type(target) is not _ast.Subscript or type(target.slice) is not _ast.Constant:
            return None
        found = self.target(target.value)
        if found is None or found[0].get(found[1]) is None:
            return None
        entry = found[0][found[1]]
        if entry[2] is None:
            entry[2] = {}
        return entry[2], target.slice.value, found[2] + (target.slice.value,)

    def assign(self, target, value):
        if type(target) in (_ast.Tuple, _ast.List):
            for item in target.elts:
                self.assign(item, None)
            return
        found = self.target(target)
        if found is not None:
            try:
                self.note(found[0], found[1], value, target, found[2][:-1])
            except TypeError:
                pass

    def update(self, call):
        """name["a"].update({...})"""
        if type(call.func) is not _ast.Attribute or call.func.attr != "update" or len(call.args) != 1:
            return
        found = self.target(call.func.value)
        entry = found[0].get(found[1]) if found else None
        if entry is not None and type(call.args[0]) is _ast.Dict:
            update = [0, 0, None, None]
            self.descend(update, call.args[0], found[2])
            entry[2] = dict(entry[2] or {})
            entry[2].update(update[2])

    def visit(self, body):
        for node in body:
            kind = type(node)
            if kind is _ast.Assign:
                for target in node.targets:
                    self.assign(target, node.value)
            elif kind is _ast.AnnAssign and node.value is not None:
                self.assign(node.target, node.value)
            elif kind in (_ast.FunctionDef, _ast.ClassDef):
                self.tree[node.name] = _entry(node, self.file)
            elif kind is _ast.Expr and type(node.value) is _ast.Call:
                self.update(node.value)
            for block in ("body", "orelse", "finalbody"):
                if kind not in (_ast.FunctionDef, _ast.ClassDef) and hasattr(node, block):
                    self.visit(getattr(node, block))


def _keys_of(node):
    """(key, value, where) of what an AST node writes under a name: a dict, keyword arguments, name["key"] = value."""
    kind = type(node)
    if kind is _ast.Dict:
        return [(key.value, item, key) for key, item in zip(node.keys, node.values) if type(key) is _ast.Constant]
    if kind is _ast.Call:
        return [(keyword.arg, keyword.value, keyword) for keyword in node.keywords]
    if kind is _ast.Assign:
        return [(target.slice.value, node.value, target) for target in node.targets
                if type(target) is _ast.Subscript and type(target.slice) is _ast.Constant]
    return []


def _note_keys(tree, file):
    """Adds what stands in a file to key_places."""
    left = [tree]
    while left:
        node = left.pop()
        for key, value, where in _keys_of(node):
            if type(key) is str:
                key_places.setdefault(key, []).append((value, where, file))
        for field in node._fields:
            child = getattr(node, field, None)
            left += [item for item in (child if type(child) is list else (child,))
                     if isinstance(item, _ast.AST) and type(item) is not _ast.Constant]


def only_place(key, value):
    """[line, column, subtree, file] of the one literal {key: value} that may have made a value, or None. Where another of the
    same key is computed, it may have been that one."""
    plain = value is None or type(value) in (str, int, float, bool)
    found = []
    for node, where, file in key_places[key]:
        sign = 1
        if type(node) is _ast.UnaryOp and type(node.op) is _ast.USub and type(node.operand) is _ast.Constant:
            node, sign = node.operand, -1
        if type(node) is _ast.Constant:
            same = plain and type(node.value) is type(value)
            if same and (sign * node.value if sign < 0 else node.value) == value:
                found.append((node, where, file))
        elif not (plain and type(node) in (_ast.Dict, _ast.List, _ast.Tuple)):
            found.append((node, where, file))
    if len(found) != 1:
        return None
    node, where, file = found[0]
    if id(where) not in _found:
        notes = Notes(_ast.Module(body=[]), file)
        notes.note(notes.tree, key, node, where, ())
        _found[id(where)] = notes.tree[key]
    return _found[id(where)]


def spans_of(module, file):
    key_places.clear()
    _found.clear()
    _known_modules.clear()
    _known_modules.update(sys.modules)
    _note_keys(module, file)
    notes = Notes(module, file)
    return notes.tree, notes.warnings


def add_imported(tree):
    """The names that came from the user's own modules, such as `from base_config import *`."""
    for name, module in list(sys.modules.items()):
        path = getattr(module, "__file__", None)
        file = own_file(path) if name not in _known_modules and type(path) is str else None
        if file is None:
            continue
        try:
            with open(path, "rb") as source:
                parsed = _wende.parse(source.read(), path)
        except Exception:
            continue
        _note_keys(parsed, file)
        for key, entry in Notes(parsed, file).tree.items():
            tree.setdefault(key, entry)


for name in ("file_names", "key_places", "own_file", "only_place", "spans_of", "add_imported"):
    setattr(_wende, name, globals()[name])
)PY";

}  // namespace wende::python
