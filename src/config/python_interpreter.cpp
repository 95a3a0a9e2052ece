#include <dlfcn.h>
#include <fmt/core.h>

#include <cstdlib>
#include <filesystem>
#include <mutex>

#include "config/python_object.h"
#include "config/stub_packages.h"

namespace wende::python {
namespace {

namespace fs = std::filesystem;

std::wstring wide(const std::string& path) {
  wchar_t* decoded = Py_DecodeLocale(path.c_str(), nullptr);
  std::wstring result = decoded ? decoded : L"";
  PyMem_RawFree(decoded);
  return result;
}

/// The standard library that belongs to the libpython in this process. Found by the library's own place, because the
/// interpreter that comes first on the user's PATH may be another one.
std::vector<std::string> library_paths() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<void*>(&Py_InitializeFromConfig), &info) == 0 || !info.dli_fname) return {};
  std::error_code ignored;
  const std::string version = fmt::format("python{}.{}", PY_MAJOR_VERSION, PY_MINOR_VERSION);
  for (fs::path folder = fs::canonical(info.dli_fname, ignored).parent_path(); folder.has_relative_path();
       folder = folder.parent_path()) {
    for (const fs::path& library : {folder / version, folder / "lib" / version}) {
      if (!fs::exists(library / "os.py", ignored)) continue;
      std::vector<std::string> paths = {library, library / "lib-dynload"};
      for (const fs::path& packages :
           {library.parent_path() / "python3" / "dist-packages", library / "site-packages"}) {
        if (fs::is_directory(packages, ignored)) paths.push_back(packages);
      }
      return paths;
    }
  }
  return {};
}

[[noreturn]] void start_failed(const char* what) {
  throw internal_error(fmt::format("the embedded Python {} does not start: {}", PY_VERSION, what));
}

void check(PyStatus status) {
  if (PyStatus_Exception(status)) start_failed(status.err_msg ? status.err_msg : "no reason given");
}

void start() {
  PyImport_AppendInittab("_wende_native", init_native_module);
  PyConfig config;
  PyConfig_InitIsolatedConfig(&config);
  config.site_import = 0;
  config.install_signal_handlers = 0;
  config.pathconfig_warnings = 0;
  config.write_bytecode = 0;
  for (const std::string& path : library_paths()) {
    config.module_search_paths_set = 1;
    check(PyWideStringList_Append(&config.module_search_paths, wide(path).c_str()));
  }
  if (const char* extra = std::getenv("WENDE_PYTHONPATH")) {
    std::string rest = extra;
    while (config.module_search_paths_set && !rest.empty()) {
      const size_t end = std::min(rest.find(':'), rest.size());
      if (end > 0) check(PyWideStringList_Append(&config.module_search_paths, wide(rest.substr(0, end)).c_str()));
      rest.erase(0, end + 1);
    }
  }
  const PyStatus status = Py_InitializeFromConfig(&config);
  PyConfig_Clear(&config);
  check(status);
  const std::pair<const char*, const char*> stubs[] = {{"_wende", kCoreSource},
                                                       {"_wende_places", kPlacesSource},
                                                       {"_wende_data", kDataSource},
                                                       {"_wende_returnn", kReturnnSource},
                                                       {"_wende_pretrain", kPretrainSource},
                                                       {"_wende_tensorflow", kTensorflowSource},
                                                       {"_wende_layers", kLayersSource}};
  for (const auto& [name, source] : stubs) {
    const Ref code(Py_CompileString(source, fmt::format("<{}>", name).c_str(), Py_file_input));
    const Ref module(code ? PyImport_ExecCodeModule(name, code.get()) : nullptr);
    if (!module) start_failed(pending_error({}).what());
  }
  // Other threads (data prefetch) call functions of the config: nobody owns the lock between calls.
  PyEval_SaveThread();
}

}  // namespace

Lock::Lock() {
  static std::once_flag started;
  std::call_once(started, start);
  state_ = PyGILState_Ensure();
}

PyObject* helper(const char* name) {
  PyObject* module = PyDict_GetItemString(PyImport_GetModuleDict(), "_wende");
  PyObject* object = module ? PyDict_GetItemString(PyModule_GetDict(module), name) : nullptr;
  if (!object) throw internal_error(fmt::format("no Python helper '{}'", name));
  return object;
}

}  // namespace wende::python
