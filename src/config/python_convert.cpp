#include <fmt/core.h>

#include <cmath>

#include "config/python_object.h"
#include "config/value_text.h"

namespace wende::python {
namespace {

constexpr int kMaxDepth = 400;
constexpr const char* kHandleName = "wende.handle";
constexpr const char* kCallableName = "wende.callable";

/// A Python object that Wende does not look into; passes through.
class PythonObject : public Opaque {
 public:
  explicit PythonObject(PyObject* object) : object_(Py_NewRef(object)) {}
  ~PythonObject() override {
    const Lock lock;
    Py_DECREF(object_);
  }
  PyObject* get() const { return object_; }

 private:
  PyObject* object_;
};

class PythonCallable : public Callable {
 public:
  PythonCallable(PyObject* function, Place place) : object_(function), place_(std::move(place)) {
    place_.spans = nullptr;
    const Ref name(PyObject_GetAttrString(function, "__name__"));
    if (name && PyUnicode_Check(name.get())) name_ = text_of(name.get());
    PyErr_Clear();
  }
  std::string name() const override { return name_; }
  PyObject* get() const { return object_.get(); }

  Value call(const std::vector<Value>& args, const std::vector<std::pair<std::string, Value>>& kwargs) const override {
    const Lock lock;
    const Ref positional(PyTuple_New(static_cast<Py_ssize_t>(args.size())));
    for (size_t i = 0; i < args.size(); ++i) {
      PyTuple_SET_ITEM(positional.get(), static_cast<Py_ssize_t>(i), to_python(args[i]));
    }
    const Ref named(PyDict_New());
    for (const auto& [key, value] : kwargs) {
      const Ref object(to_python(value));
      PyDict_SetItemString(named.get(), key.c_str(), object.get());
    }
    const Ref result(PyObject_Call(object_.get(), positional.get(), named.get()));
    if (!result) {
      Error error = pending_error(place_.span);
      const Diagnostic& last = error.diagnostics().back();
      if (last.message.find(name_ + "() got an unexpected keyword argument") != std::string::npos) {
        error.hint("it is called with more than that: add **kwargs to its parameters");
      }
      if (last.path.empty()) error.at({}, place_.path);
      throw error;
    }
    return from_python(result.get(), place_);
  }

 private:
  PythonObject object_;
  Place place_;
  std::string name_ = "?";
};

void collect(PyObject* args, PyObject* kwargs, std::vector<Value>& positional,
             std::vector<std::pair<std::string, Value>>& named) {
  for (Py_ssize_t i = 0; i < PyTuple_Size(args); ++i) positional.push_back(from_python(PyTuple_GetItem(args, i), {}));
  PyObject *key = nullptr, *value = nullptr;
  for (Py_ssize_t at = 0; kwargs && PyDict_Next(kwargs, &at, &key, &value);) {
    named.emplace_back(text_of(key), from_python(value, {}));
  }
}

/// Runs C++ called by Python: an Error crosses the interpreter as a Python exception.
template <class F>
PyObject* guarded(F&& body) {
  try {
    return body();
  } catch (const Error& error) {
    raise_error(error);
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return nullptr;
}

PyObject* call_native(PyObject* capsule, PyObject* args, PyObject* kwargs) {
  return guarded([&]() -> PyObject* {
    const auto* held = static_cast<std::shared_ptr<const Callable>*>(PyCapsule_GetPointer(capsule, kCallableName));
    std::vector<Value> positional;
    std::vector<std::pair<std::string, Value>> named;
    collect(args, kwargs, positional, named);
    return to_python((*held)->call(positional, named));
  });
}

PyMethodDef call_native_method = {"native", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(call_native)),
                                  METH_VARARGS | METH_KEYWORDS, nullptr};

template <class T>
PyObject* capsule_of(std::shared_ptr<const T> object, const char* name) {
  return PyCapsule_New(new std::shared_ptr<const T>(std::move(object)), name, [](PyObject* self) {
    delete static_cast<std::shared_ptr<const T>*>(PyCapsule_GetPointer(self, PyCapsule_GetName(self)));
  });
}

/// Where `value` stands under `key`: as the literal around it says, else as the only such literal of the config does.
Place child_place(const Place& place, PyObject* key, const std::string& key_text, PyObject* value) {
  Place child = place;
  child.path = place.path.empty() ? key_text : fmt::format("{}[{}]", place.path, key_text);
  child.spans = nullptr;
  PyObject* entry = place.spans && PyDict_Check(place.spans) ? PyDict_GetItemWithError(place.spans, key) : nullptr;
  PyErr_Clear();
  if (entry) {
    set_place(child, entry);
  } else if (place.span.file && PyUnicode_Check(key) && PyDict_Contains(helper("key_places"), key) == 1) {
    const Ref found(PyObject_CallFunctionObjArgs(helper("only_place"), key, value, nullptr));
    PyErr_Clear();
    if (found && found.get() != Py_None) set_place(child, found.get());
  }
  return child;
}

Value from_dict(PyObject* object, const Place& place, int depth) {
  std::vector<Value::Entry> entries;
  entries.reserve(static_cast<size_t>(PyDict_Size(object)));
  PyObject *key = nullptr, *value = nullptr;
  for (Py_ssize_t at = 0; PyDict_Next(object, &at, &key, &value);) {
    Value name = from_python(key, {}, depth);
    Place child = child_place(place, key, name.repr(), value);
    Value converted = from_python(value, child, depth + 1);
    entries.emplace_back(name.placed(child.span, child.path), std::move(converted));
  }
  return Value::dict(std::move(entries));
}

Value from_iterable(PyObject* object, Value::Kind kind, const Place& place, int depth) {
  const Ref fast(PySequence_Fast(object, "not iterable"));
  if (!fast) throw pending_error(place.span);
  std::vector<Value> items;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(fast.get()); ++i) {
    const Ref index(PyLong_FromSsize_t(i));
    PyObject* item = PySequence_Fast_GET_ITEM(fast.get(), i);
    const Place child = kind == Value::Kind::kSet ? place : child_place(place, index.get(), std::to_string(i), item);
    items.push_back(from_python(item, child, depth + 1));
  }
  return Value::list(std::move(items), kind);
}

Value from_dim(PyObject* object, int depth) {
  std::vector<Value::Entry> entries;
  for (const char* name : {"id", "kind", "description", "dimension", "op", "inputs"}) {
    const Ref field(PyObject_GetAttrString(object, name));
    if (!field) throw pending_error({});
    if (field.get() != Py_None) entries.emplace_back(Value::of(name), from_python(field.get(), {}, depth + 1));
  }
  entries.emplace_back(Value::of("object"), Value::opaque(std::make_shared<PythonObject>(object)));
  return Value::dim(std::move(entries));
}

/// numpy without its headers: only what its objects tell about themselves.
std::optional<Value> from_numpy(PyObject* object, const Place& place, int depth) {
  const std::string_view module = Py_TYPE(object)->tp_name;
  if (module.substr(0, 6) != "numpy.") return std::nullopt;
  const Ref list(PyObject_CallMethod(object, "tolist", nullptr));
  const Ref dtype(PyObject_GetAttrString(object, "dtype"));
  const Ref shape(PyObject_GetAttrString(object, "shape"));
  PyErr_Clear();
  if (!list || !dtype || !shape) return std::nullopt;
  Value content = from_python(list.get(), place, depth + 1);
  if (PyTuple_Size(shape.get()) == 0) return content;
  const Ref dtype_text(PyObject_Str(dtype.get()));
  std::vector<int64_t> sizes;
  const Value shape_value = from_python(shape.get(), {}, depth + 1);
  for (const Value& size : shape_value.items()) sizes.push_back(size.as_int());
  try {
    return Value::array(text_of(dtype_text.get()), std::move(sizes), content.as_array().second);
  } catch (const Error&) {
    return content;  // an array of strings or objects
  }
}

Value convert(PyObject* object, const Place& place, int depth) {
  if (object == Py_None) return Value();
  if (PyBool_Check(object)) return Value::of(object == Py_True);
  if (PyLong_Check(object)) {
    int overflow = 0;
    const long long number = PyLong_AsLongLongAndOverflow(object, &overflow);
    if (overflow == 0) return Value::of(static_cast<int64_t>(number));
    const double large = PyLong_AsDouble(object);
    PyErr_Clear();
    return Value::of(large == -1.0 ? overflow * HUGE_VAL : large);
  }
  if (auto array = from_numpy(object, place, depth)) return *array;  // numpy.float64 is a float, too
  if (PyFloat_Check(object)) return Value::of(PyFloat_AsDouble(object));
  if (PyUnicode_Check(object)) return Value::of(text_of(object));
  if (PyDict_Check(object)) return from_dict(object, place, depth);
  if (PyList_Check(object)) return from_iterable(object, Value::Kind::kList, place, depth);
  if (PyTuple_Check(object)) return from_iterable(object, Value::Kind::kTuple, place, depth);
  if (PyAnySet_Check(object)) return from_iterable(object, Value::Kind::kSet, place, depth);
  if (PyRange_Check(object) || PyDictViewSet_Check(object) || PyDictValues_Check(object)) {
    return from_iterable(object, Value::Kind::kList, place, depth);
  }
  if (PyObject_TypeCheck(object, reinterpret_cast<PyTypeObject*>(helper("Tensor")))) {
    const Ref handle(PyObject_GetAttrString(object, "handle"));
    const void* held = handle ? PyCapsule_GetPointer(handle.get(), kHandleName) : nullptr;
    if (!held) throw pending_error(place.span);
    return Value::opaque(*static_cast<const std::shared_ptr<const Opaque>*>(held));
  }
  if (PyObject_TypeCheck(object, reinterpret_cast<PyTypeObject*>(helper("Dim")))) return from_dim(object, depth);
  if (PyObject_TypeCheck(object, reinterpret_cast<PyTypeObject*>(helper("Data")))) {
    const Ref content(checked(PyObject_CallMethod(object, "_content", nullptr)));
    return from_python(content.get(), place, depth + 1);
  }
  if (PyCFunction_Check(object) && PyCFunction_GetFunction(object) == call_native_method.ml_meth) {
    void* held = PyCapsule_GetPointer(PyCFunction_GetSelf(object), kCallableName);
    return Value::callable(*static_cast<std::shared_ptr<const Callable>*>(held));
  }
  if (PyCallable_Check(object)) return Value::callable(std::make_shared<PythonCallable>(object, place));
  return Value::opaque(std::make_shared<PythonObject>(object));
}

TraceHook& current_hook() {
  static TraceHook hook;
  return hook;
}

PyObject* trace(PyObject* /*self*/, PyObject* arguments) {
  return guarded([&]() -> PyObject* {
    const char* op = nullptr;
    PyObject *args = nullptr, *kwargs = nullptr;
    if (!PyArg_ParseTuple(arguments, "sO!O!", &op, &PyTuple_Type, &args, &PyDict_Type, &kwargs)) return nullptr;
    std::vector<Value> positional;
    std::vector<std::pair<std::string, Value>> named;
    collect(args, kwargs, positional, named);
    if (!current_hook()) {
      throw Error(ExitStatus::kConfig, fmt::format("tf.{} is called outside of a layer's function", op))
          .hint("Wende runs TensorFlow functions only while it builds a layer (eval, out_type, activation, ...)");
    }
    return to_python(current_hook()(op, positional, named));
  });
}

PyMethodDef native_methods[] = {{"trace", trace, METH_VARARGS, nullptr}, {nullptr, nullptr, 0, nullptr}};
PyModuleDef native_module = {
    PyModuleDef_HEAD_INIT, "_wende_native", nullptr, -1, native_methods, nullptr, nullptr, nullptr, nullptr};

PyObject* sequence_to_python(const Value& value) {
  const std::vector<Value>& items = value.items();
  Ref list(checked(PyList_New(static_cast<Py_ssize_t>(items.size()))));
  for (size_t i = 0; i < items.size(); ++i) {
    PyList_SET_ITEM(list.get(), static_cast<Py_ssize_t>(i), to_python(items[i]));
  }
  if (value.kind() == Value::Kind::kTuple) return checked(PyList_AsTuple(list.get()));
  if (value.kind() == Value::Kind::kSet) return checked(PySet_New(list.get()));
  return list.release();
}

PyObject* array_to_python(const std::vector<int64_t>& shape, const double*& data, size_t axis) {
  if (axis == shape.size()) return PyFloat_FromDouble(*data++);
  PyObject* list = checked(PyList_New(static_cast<Py_ssize_t>(shape[axis])));
  for (int64_t i = 0; i < shape[axis]; ++i) PyList_SET_ITEM(list, i, array_to_python(shape, data, axis + 1));
  return list;
}

PyObject* callable_to_python(const Value& value) {
  const Callable& callable = value.as_callable();
  if (const auto* python = dynamic_cast<const PythonCallable*>(&callable)) return Py_NewRef(python->get());
  const Ref capsule(checked(capsule_of(value.as_callable_ptr(), kCallableName)));
  return checked(PyCFunction_New(&call_native_method, capsule.get()));
}

PyObject* opaque_to_python(const std::shared_ptr<const Opaque>& opaque) {
  if (const auto* python = dynamic_cast<const PythonObject*>(opaque.get())) return Py_NewRef(python->get());
  Ref tensor(checked(PyObject_CallNoArgs(helper("Tensor"))));
  const Ref capsule(checked(capsule_of(opaque, kHandleName)));
  if (PyObject_SetAttrString(tensor.get(), "handle", capsule.get()) != 0) throw pending_error({});
  return tensor.release();
}

/// A dict that stands for an object of the stub packages.
bool is_object(const Value& value) { return value.find("__wende_data__") || value.find("__wende_layer__"); }

}  // namespace

PyMODINIT_FUNC init_native_module() { return PyModule_Create(&native_module); }

std::string text_of(PyObject* string) {
  Py_ssize_t size = 0;
  if (const char* utf8 = PyUnicode_AsUTF8AndSize(string, &size)) return {utf8, static_cast<size_t>(size)};
  PyErr_Clear();
  const Ref bytes(PyUnicode_AsEncodedString(string, "utf-8", "backslashreplace"));
  if (!bytes) return PyErr_Clear(), "?";
  return {PyBytes_AS_STRING(bytes.get()), static_cast<size_t>(PyBytes_GET_SIZE(bytes.get()))};
}

PyObject* text(std::string_view utf8) {
  return checked(PyUnicode_DecodeUTF8(utf8.data(), static_cast<Py_ssize_t>(utf8.size()), "surrogateescape"));
}

void set_place(Place& place, PyObject* entry) {
  place.span.line = static_cast<int>(PyLong_AsLong(PyList_GetItem(entry, 0)));
  place.span.column = static_cast<int>(PyLong_AsLong(PyList_GetItem(entry, 1)));
  place.spans = PyList_GetItem(entry, 2);
  const std::string file = text_of(PyList_GetItem(entry, 3));
  if (!place.span.file || *place.span.file != file) place.span.file = std::make_shared<const std::string>(file);
}

Value from_python(PyObject* object, const Place& place, int depth) {
  if (depth > kMaxDepth) {
    Diagnostic diagnostic{.span = place.span, .message = "nested too deeply"};
    diagnostic.path = place.path.substr(0, 100) + "...";
    throw Error(ExitStatus::kConfig, std::move(diagnostic));
  }
  if (!PyDict_Check(object) && !PyList_Check(object))
    return convert(object, place, depth).placed(place.span, place.path);
  // The interpreter's own list of what is being written, by which repr() finds such loops.
  if (Py_ReprEnter(object) != 0) {
    PyErr_Clear();
    throw Error(ExitStatus::kConfig, Diagnostic{.span = place.span, .path = place.path, .message = "contains itself"});
  }
  struct Leave {
    PyObject* object;
    ~Leave() { Py_ReprLeave(object); }
  } const leave{object};
  return convert(object, place, depth).placed(place.span, place.path);
}

PyObject* to_python(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNone:
      return Py_NewRef(Py_None);
    case Value::Kind::kBool:
      return PyBool_FromLong(value.as_bool());
    case Value::Kind::kInt:
      return checked(PyLong_FromLongLong(value.as_int()));
    case Value::Kind::kFloat:
      return checked(PyFloat_FromDouble(value.as_float()));
    case Value::Kind::kString:
      return text(value.as_string());
    case Value::Kind::kList:
    case Value::Kind::kTuple:
    case Value::Kind::kSet:
      return sequence_to_python(value);
    case Value::Kind::kDim:
      if (const Value* object = value.find("object")) return to_python(*object);
      [[fallthrough]];
    case Value::Kind::kDict: {
      Ref dict(checked(PyDict_New()));
      for (const auto& [key, entry] : value.entries()) {
        const Ref name(to_python(key));
        const Ref item(to_python(entry));
        if (PyDict_SetItem(dict.get(), name.get(), item.get()) != 0) throw pending_error(value.span());
      }
      if (is_object(value)) return checked(PyObject_CallOneArg(helper("make_object"), dict.get()));
      return dict.release();
    }
    case Value::Kind::kCallable:
      return callable_to_python(value);
    case Value::Kind::kOpaque:
      return opaque_to_python(value.as_opaque());
    case Value::Kind::kArray: {
      const auto [shape, data] = value.as_array();
      const double* next = data.data();
      return array_to_python(shape, next, 0);
    }
  }
  throw internal_error("value of unknown kind");
}

}  // namespace wende::python

namespace wende {

TraceHookGuard::TraceHookGuard(TraceHook hook) : previous_(std::move(python::current_hook())) {
  python::current_hook() = std::move(hook);
}
TraceHookGuard::~TraceHookGuard() { python::current_hook() = std::move(previous_); }

}  // namespace wende
