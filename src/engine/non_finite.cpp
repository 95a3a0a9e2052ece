#include "engine/non_finite.h"

#include <fmt/core.h>

#include "base/error.h"
#include "engine/network_runner.h"
#include "io/atomic_file.h"
#include "io/hdf5.h"
#include "tensor/placement.h"

namespace wende {

std::string find_non_finite(NetworkRunner& runner, const RunOptions& options) {
  RunOptions checked = options;
  checked.check_numerics = true;
  checked.on_fetch = nullptr;
  try {
    runner.run_again(checked);
  } catch (const Error& error) {
    return error.diagnostics().empty() ? error.what() : error.diagnostics().front().message;
  }
  return "";
}

void save_replay_case(const std::string& path, const Config& config, const Network& network, const Batch& batch,
                      const ParamStore& store) {
  write_file_atomically(path, [&](const std::string& temporary) {
    hdf5::File out = hdf5::File::create(temporary);
    out.set_attribute("/", "format_version", int64_t{1});
    out.write_strings("config", {config.source()});
    for (const auto& [key, tensor] : batch.data) {
      out.write("inputs/" + key + "/data", tensor);
      const Data& data = network.extern_data().keys.at(key);
      for (const auto& [name, lengths] : batch.lengths) {
        const bool own = name == key || name.rfind(key + ":", 0) == 0;
        if (!own) {
          continue;
        }
        // In the file, arrays are batch-major: the time axis of [B,T,...] is axis 1.
        const std::string target = "inputs/" + key + "/sizes" + (name == key ? "" : name.substr(key.size()));
        out.write(target, Tensor::of<int32_t>(lengths, {static_cast<int64_t>(lengths.size())}));
        out.set_attribute(
            target, "axis",
            name == key || data.batch_axis() != 0 ? int64_t{1} : int64_t{std::stoll(name.substr(key.size() + 1))});
      }
    }
    out.write_strings("inputs/seq_tag/data", batch.tags);
    for (const std::string& name : store.names()) {
      out.write("params/" + name, on_host(store.value(name)));
    }
    out.close();
  });
}

}  // namespace wende
