#include <fmt/format.h>

#include "config/python_object.h"

namespace wende::python {
namespace {

constexpr const char* kErrorName = "wende.error";

PyObject* error_type() {
  static PyObject* type = PyErr_NewException("_wende.Error", PyExc_Exception, nullptr);
  return type;
}

std::string attribute(PyObject* object, const char* name) {
  const Ref value(PyObject_GetAttrString(object, name));
  PyErr_Clear();
  if (!value || value.get() == Py_None) return "";
  const Ref string(PyObject_Str(value.get()));
  PyErr_Clear();
  return string ? text_of(string.get()) : "";
}

int number(PyObject* object, const char* name) {
  const Ref value(PyObject_GetAttrString(object, name));
  const long result = value && PyLong_Check(value.get()) ? PyLong_AsLong(value.get()) : 0;
  PyErr_Clear();
  return static_cast<int>(result);
}

/// The name of a file of the user as messages show it; nullptr for a library's.
std::shared_ptr<const std::string> own_file(const std::string& file) {
  const Ref name(text(file));
  const Ref shown(PyObject_CallOneArg(helper("own_file"), name.get()));
  PyErr_Clear();
  return shown && shown.get() != Py_None ? std::make_shared<const std::string>(text_of(shown.get())) : nullptr;
}

/// The innermost frame that runs the user's own code: a config's or that of a module beside it.
SourceSpan place_of(PyObject* traceback, const SourceSpan& fallback) {
  SourceSpan place = fallback;
  for (Ref at = Ref::borrow(traceback); at && at.get() != Py_None;
       at = Ref(PyObject_GetAttrString(at.get(), "tb_next"))) {
    const Ref frame(PyObject_GetAttrString(at.get(), "tb_frame"));
    const Ref code(frame ? PyObject_GetAttrString(frame.get(), "f_code") : nullptr);
    if (!code) break;
    const std::string file = attribute(code.get(), "co_filename");
    if (const auto shown = own_file(file)) place = {shown, number(at.get(), "tb_lineno"), 0};
  }
  PyErr_Clear();
  return place;
}

void describe_syntax_error(PyObject* value, Diagnostic& out) {
  const std::string file = attribute(value, "filename");
  const std::string line = attribute(value, "text");
  const int column = number(value, "offset");
  if (!file.empty() && file[0] != '<') {
    const auto shown = own_file(file);
    out.span = {shown ? shown : std::make_shared<const std::string>(file), number(value, "lineno"), column};
  }
  out.message = attribute(value, "msg");
  const std::string shown = line.substr(0, std::min(line.find_first_of("\r\n"), size_t{200}));
  out.hint = shown;
  if (column > 0 && static_cast<size_t>(column) <= shown.size() + 1) {
    out.hint += fmt::format("\n{:>{}}", '^', column);
  }
  if (out.message.find("Missing parentheses in call to 'print'") != std::string::npos ||
      out.message.find("Missing parentheses in call to 'exec'") != std::string::npos ||
      out.message.find("multiple exception types must be parenthesized") != std::string::npos) {
    out.message += "; this is Python 2 syntax";
  }
}

std::string joined(const char* function, PyObject* argument) {
  const Ref names(PyObject_CallOneArg(helper(function), argument));
  const Ref comma(PyUnicode_FromString(", "));
  const Ref all(names ? PyUnicode_Join(comma.get(), names.get()) : nullptr);
  PyErr_Clear();
  return all ? text_of(all.get()) : "";
}

std::string import_hint(PyObject* value) {
  const std::string name = attribute(value, "name");
  const std::string root = name.substr(0, name.find('.'));
  if (root == "returnn" || root == "tensorflow" || root == "TFUtil" || root == "Util" || root == "Config") {
    const Ref module(text(name));
    const std::string names = joined("exported", module.get());
    std::string hint = names.empty() ? "" : fmt::format("{} has: {}\n", name, names);
    return hint + "configs may import: " + joined("module_names", Py_None);
  }
  PyObject* path = PySys_GetObject("path");
  const Ref comma(PyUnicode_FromString(":"));
  const Ref all(path ? PyUnicode_Join(comma.get(), path) : nullptr);
  PyErr_Clear();
  return fmt::format("searched by Wende's own Python {}.{}.{} in {}\nset WENDE_PYTHONPATH to the folder that has it",
                     PY_MAJOR_VERSION, PY_MINOR_VERSION, PY_MICRO_VERSION, all ? text_of(all.get()) : "?");
}

std::string name_hint(PyObject* value) {
  const Ref wanted(PyObject_GetAttrString(value, "name"));
  PyErr_Clear();
  PyObject* globals = PyDict_GetItemString(PyModule_GetDict(PyImport_AddModule("_wende")), "config_globals");
  if (!wanted || !PyUnicode_Check(wanted.get()) || !globals) return "";
  std::vector<std::string> names;
  PyObject *key = nullptr, *ignored = nullptr;
  for (Py_ssize_t at = 0; PyDict_Next(globals, &at, &key, &ignored);) {
    if (PyUnicode_Check(key)) names.push_back(text_of(key));
  }
  return did_you_mean(text_of(wanted.get()), names);
}

void describe(PyObject* type, PyObject* value, Diagnostic& out) {
  const std::string type_name = attribute(type, "__name__");
  if (PyErr_GivenExceptionMatches(type, PyExc_SyntaxError)) return describe_syntax_error(value, out);
  const Ref string(PyObject_Str(value));
  PyErr_Clear();
  std::string what = string ? text_of(string.get()) : "";
  if (PyErr_GivenExceptionMatches(type, helper("EvaluationLimit"))) {
    out.message = what;
    return;
  }
  if (PyErr_GivenExceptionMatches(type, PyExc_SystemExit)) what = "the config calls exit: " + what;
  if (const size_t end = what.find('\n'); end != std::string::npos) {
    out.hint = what.substr(end + 1, 1000);
    what.resize(end);
  }
  out.message = what.empty() ? type_name : fmt::format("{}: {}", type_name, what.substr(0, 1000));
  if (PyErr_GivenExceptionMatches(type, PyExc_ImportError)) out.hint = import_hint(value);
  if (PyErr_GivenExceptionMatches(type, PyExc_NameError)) out.hint = name_hint(value);
}

}  // namespace

void raise_error(const Error& error) {
  const Ref exception(PyObject_CallFunction(error_type(), "s", error.what()));
  const Ref capsule(PyCapsule_New(new Error(error), kErrorName, [](PyObject* self) {
    delete static_cast<Error*>(PyCapsule_GetPointer(self, kErrorName));
  }));
  if (exception && capsule) PyObject_SetAttrString(exception.get(), "error", capsule.get());
  if (exception) PyErr_SetObject(error_type(), exception.get());
}

Error pending_error(const SourceSpan& fallback) {
  PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
  PyErr_Fetch(&type, &value, &traceback);
  if (!type) return internal_error("Python failed without an exception");
  PyErr_NormalizeException(&type, &value, &traceback);
  const Ref hold_type(type), hold_value(value), hold_traceback(traceback);
  const SourceSpan place = place_of(traceback, fallback);
  if (PyErr_GivenExceptionMatches(type, error_type())) {
    const Ref capsule(PyObject_GetAttrString(value, "error"));
    if (const auto* held = capsule ? static_cast<Error*>(PyCapsule_GetPointer(capsule.get(), kErrorName)) : nullptr) {
      Error error = *held;
      if (!error.diagnostics().back().span.known()) error.at(place);
      return error;
    }
    PyErr_Clear();
  }
  Diagnostic diagnostic;
  diagnostic.span = place;
  describe(type, value, diagnostic);
  return Error(ExitStatus::kConfig, std::move(diagnostic));
}

PyObject* checked(PyObject* object, const SourceSpan& fallback) {
  if (!object) throw pending_error(fallback);
  return object;
}

}  // namespace wende::python
