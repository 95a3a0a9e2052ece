#pragma once

// Only for the python_*.cpp files: everything else sees Values.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <string>
#include <string_view>
#include <utility>

#include "config/config.h"

namespace wende::python {

/// An owned reference. All of these need the interpreter lock.
class Ref {
 public:
  Ref() = default;
  explicit Ref(PyObject* owned) : object_(owned) {}
  static Ref borrow(PyObject* object) { return Ref(Py_XNewRef(object)); }
  Ref(const Ref& other) : object_(Py_XNewRef(other.object_)) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() { Py_XDECREF(object_); }
  PyObject* get() const { return object_; }
  PyObject* release() { return std::exchange(object_, nullptr); }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  PyObject* object_ = nullptr;
};

/// Starts the interpreter at first use and holds its lock; any thread, nested too.
class Lock {
 public:
  Lock();
  ~Lock() { PyGILState_Release(state_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  PyGILState_STATE state_;
};

/// The object of a name defined by the stub packages' first module ("_wende"): spans_of, Tensor, ...
PyObject* helper(const char* name);  ///< borrowed

std::string text_of(PyObject* string);  ///< UTF-8; lone surrogates as Python's surrogateescape would write them
PyObject* text(std::string_view utf8);

/// New reference; throws Error if Python refuses.
PyObject* to_python(const Value& value);

/// spans: the tree that spans_of() made for this object (borrowed, may be null).
struct Place {
  SourceSpan span;
  std::string path;
  PyObject* spans = nullptr;
};
/// Takes line, column, tree and file from an entry of such a tree.
void set_place(Place& place, PyObject* entry);
Value from_python(PyObject* object, const Place& place, int depth = 0);

/// The pending Python exception as an Error at the innermost line of `file` in its traceback, else at `fallback`.
Error pending_error(const SourceSpan& fallback);
/// Sets a Python exception that pending_error() turns back into this Error.
void raise_error(const Error& error);
/// Throws pending_error() if the object is null.
PyObject* checked(PyObject* object, const SourceSpan& fallback = {});

/// The functions of the built-in module "_wende_native" (trace).
PyMODINIT_FUNC init_native_module();

struct Evaluated {
  Value globals;
  std::vector<Diagnostic> warnings;
};
Evaluated evaluate_config(const std::string& source, const std::string& file,
                          const std::vector<std::pair<std::string, Value>>& overrides);

}  // namespace wende::python
