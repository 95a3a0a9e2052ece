#include <fmt/core.h>

#include <filesystem>

#include "config/python_limits.h"
#include "config/python_object.h"

namespace wende::python {
namespace {

void add_to_search_path(const std::string& file) {
  std::error_code ignored;
  const std::string folder = std::filesystem::absolute(file, ignored).parent_path().string();
  PyObject* path = PySys_GetObject("path");
  const Ref entry(text(folder));
  if (path && PySequence_Contains(path, entry.get()) == 0) PyList_Append(path, entry.get());
  PyErr_Clear();
}

/// Modules, private names and what Wende itself put there are no options.
bool is_option(const std::string& name, PyObject* value) {
  return !name.empty() && name[0] != '_' && name != "config" && !PyModule_Check(value);
}

std::string path_of(PyObject* keys) {
  std::string path;
  for (Py_ssize_t i = 0; i < PyTuple_Size(keys); ++i) {
    const Value key = from_python(PyTuple_GetItem(keys, i), {});
    path += i == 0 ? (key.is_string() ? key.as_string() : key.repr()) : fmt::format("[{}]", key.repr());
  }
  return path;
}

Value convert_globals(PyObject* globals, PyObject* spans, const SourceSpan& file) {
  std::vector<Value::Entry> entries;
  ErrorCollector errors;
  PyObject *key = nullptr, *value = nullptr;
  for (Py_ssize_t at = 0; PyDict_Next(globals, &at, &key, &value);) {
    const std::string name = text_of(key);
    if (!is_option(name, value)) continue;
    Place place{file, name, nullptr};
    if (PyObject* entry = PyDict_GetItem(spans, key)) set_place(place, entry);
    errors.run([&] { entries.emplace_back(Value::of(name), from_python(value, place)); });
  }
  errors.throw_if_any();
  return Value::dict(std::move(entries)).placed(file, "");
}

std::vector<Diagnostic> convert_warnings(PyObject* list, const SourceSpan& file) {
  std::vector<Diagnostic> warnings;
  for (Py_ssize_t i = 0; i < PyList_Size(list); ++i) {
    int line = 0, column = 0, first_line = 0;
    PyObject* keys = nullptr;
    if (!PyArg_ParseTuple(PyList_GetItem(list, i), "iiO!i", &line, &column, &PyTuple_Type, &keys, &first_line)) {
      PyErr_Clear();
      continue;
    }
    Diagnostic warning;
    warning.span = {file.file, line, column};
    warning.path = path_of(keys);
    warning.message = fmt::format("key given twice; line {} is ignored, line {} counts", first_line, line);
    warnings.push_back(std::move(warning));
  }
  return warnings;
}

}  // namespace

Evaluated evaluate_config(const std::string& source, const std::string& file,
                          const std::vector<std::pair<std::string, Value>>& overrides) {
  const Lock lock;
  const SourceSpan span{std::make_shared<const std::string>(file), 0, 0};
  const Ref name(text(file));
  PySet_Add(helper("file_names"), name.get());
  add_to_search_path(file);
  const Ref source_text(PyBytes_FromStringAndSize(source.data(), static_cast<Py_ssize_t>(source.size())));
  const Ref tree(checked(PyObject_CallFunctionObjArgs(helper("parse"), source_text.get(), name.get(), nullptr), span));
  const Ref noted(checked(PyObject_CallFunctionObjArgs(helper("spans_of"), tree.get(), name.get(), nullptr), span));
  PyObject* spans = PyTuple_GetItem(noted.get(), 0);

  const Ref globals(checked(PyDict_New()));
  const Ref changes(checked(PyDict_New()));
  for (const auto& [key, value] : overrides) {
    const Ref object(to_python(value));
    PyDict_SetItemString(changes.get(), key.c_str(), object.get());
  }
  const Ref config(checked(
      PyObject_CallFunctionObjArgs(helper("new_config"), globals.get(), changes.get(), name.get(), nullptr), span));
  {
    const EvaluationLimits limits;
    const Ref done(
        checked(PyObject_CallFunctionObjArgs(helper("execute"), tree.get(), name.get(), globals.get(), nullptr), span));
  }
  const Ref added(checked(PyObject_CallOneArg(helper("add_imported"), spans), span));
  PyDict_Update(globals.get(), changes.get());
  Evaluated result;
  result.globals = convert_globals(globals.get(), spans, span);
  result.warnings = convert_warnings(PyTuple_GetItem(noted.get(), 1), span);
  return result;
}

}  // namespace wende::python

namespace wende {

Value evaluate_expression(const std::string& expression, const SourceSpan& span,
                          const std::vector<std::pair<std::string, Value>>& names) {
  using namespace python;
  const Lock lock;
  const Ref scope(checked(PyObject_CallNoArgs(helper("eval_namespace")), span));
  for (const auto& [name, value] : names) {
    const Ref object(to_python(value));
    if (PyDict_SetItemString(scope.get(), name.c_str(), object.get()) != 0) throw pending_error(span);
  }
  const Ref source(text(expression));
  const Ref result(PyObject_CallFunctionObjArgs(helper("evaluate"), source.get(), scope.get(), nullptr));
  if (!result) {
    Error error = pending_error(span);
    // Wende's own expressions begin with an underscore; users know only what they wrote.
    if (!expression.starts_with("_")) error.frame(fmt::format("in the expression {}", Value::of(expression).repr()));
    throw error;
  }
  return from_python(result.get(), {span, "", nullptr});
}

}  // namespace wende
