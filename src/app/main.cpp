#include <fmt/core.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <thread>

#include "app/check.h"
#include "app/check_data.h"
#include "app/command_line.h"
#include "app/completion.h"
#include "app/inspect.h"
#include "app/library_threads.h"
#include "app/list_layers.h"
#include "app/run_log.h"
#include "base/error.h"
#include "base/log.h"
#include "base/stack_dump.h"
#include "collective/communicator.h"
#include "dataset/corpus_check.h"
#include "device/choose_device.h"
#include "device/cuda_memory.h"
#include "engine/config_check.h"
#include "engine/engine.h"
#include "engine/replay.h"
#include "engine/run_status.h"
#include "engine/stop_signal.h"

namespace {

using namespace wende;

bool is_task(const std::string& command) {
  return command == "train" || command == "eval" || command == "forward" || command == "analyze" || command == "search";
}

Config read_config(const CommandLine& line) {
  Config::Options options;
  options.literal = line.literal;
  options.overrides = line.overrides;
  Config config = Config::from_file(line.file, options);
  if (is_task(line.command)) {
    config.set("task", Value::of(line.command));
  }
  if (line.strict) {
    if (std::vector<Diagnostic> warnings = config_warnings(config); !warnings.empty()) {
      throw Error(ExitStatus::kConfig, std::move(warnings));
    }
  }
  if (!line.device.empty()) {
    if (line.command != "check") {
      choose_device(line.device);  // an error here, where the config's `device` may give way to the CPU
    }
    config.set("device", Value::of(line.device));
  }
  if (!line.matmul_precision.empty()) {
    config.set("matmul_precision", Value::of(line.matmul_precision));
  }
  if (!line.trace.empty()) {
    config.set("timeline_file", Value::of(line.trace));
  }
  if (line.profile) {
    config.set("profile_layers", Value::of(true));
  }
  if (line.allow_dataset_change) {
    config.set("allow_dataset_change", Value::of(true));
  }
  if (line.no_cuda_graphs) {
    config.set("cuda_graphs", Value::of(false));
  }
  if (line.debug) {
    config.set("debug_add_check_numerics_on_output", Value::of(true));
    cuda::make_launches_wait();
  }
  return config;
}

RecordStep record_step(const CommandLine& line, const Communicator& communicator) {
  if (line.record.empty()) {
    return {};
  }
  if (communicator.size() > 1) {
    throw Error(ExitStatus::kUsage, "--record-step is for one rank: a case is one batch");
  }
  int64_t step = 0;
  const std::string& text = line.record[0];
  if (std::from_chars(text.data(), text.data() + text.size(), step).ptr != text.data() + text.size() || step < 0) {
    throw Error(ExitStatus::kUsage, fmt::format("--record-step: '{}' is no step; 0 is the first", text));
  }
  return {step, line.record[1], line.overrides};
}

/// A mistake that all ranks find is told by rank 0, whose abort ends the others here; if it goes on, they tell theirs.
void wait_for_the_end() {
  for (int i = 0; i < 20; ++i) {
    if (terminated()) {
      std::_Exit(static_cast<int>(ExitStatus::kFailure));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

/// The part that all ranks do: the config's task. The first error ends every rank.
int run_ranks(const CommandLine& line, int argc, char** argv) {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS"}) {
    if (const char* size = std::getenv(name); line.debug && size != nullptr && std::atoi(size) > 1) {
      throw Error(ExitStatus::kUsage, fmt::format("--debug is for one process; {} is {}", name, size));
    }
  }
  const std::unique_ptr<Communicator> communicator =
      line.debug ? Communicator::self() : Communicator::detect(&argc, &argv);
  const auto fail = [&](ExitStatus status, const std::string& message) {
    if (communicator->size() > 1) {
      if (!communicator->is_root()) {
        wait_for_the_end();
      }
      communicator->abort(static_cast<int>(status), message);
    }
    fmt::print(stderr, "{}\n", message);
    return static_cast<int>(status);
  };
  try {
    Config config = read_config(line);
    set_log(run_log(config, *communicator));
    set_corpus_check(check_files_of_training);
    log_line(3, fmt::format("{} on {} process{}", config.file_name(), communicator->size(),
                            communicator->size() == 1 ? "" : "es"));
    if (communicator->is_root()) {
      announce_interrupts();
    }
    Engine engine(std::move(config), *communicator);
    engine.record_step(record_step(line, *communicator));
    return static_cast<int>(engine.run());
  } catch (const Error& error) {
    return fail(error.status(), error.what());
  } catch (const std::bad_alloc&) {
    return fail(ExitStatus::kOutOfMemory, "out of memory");
  } catch (const std::exception& error) {
    return fail(ExitStatus::kInternal, fmt::format("internal error: {}", error.what()));
  }
}

/// The first rank that fails ends all: the others would wait for its sums.
int replay_case(const CommandLine& line, int argc, char** argv) {
  const std::unique_ptr<Communicator> communicator = Communicator::detect(&argc, &argv);
  try {
    replay(line.file, line.out, choose_device(line.device.empty() ? "cpu" : line.device), *communicator);
  } catch (const Error& error) {
    if (communicator->size() > 1) {
      communicator->abort(static_cast<int>(error.status()), error.what());
    }
    throw;
  }
  return 0;
}

int run_alone(const CommandLine& line, int argc, char** argv) {
  if (line.command == "replay") {
    return replay_case(line, argc, argv);
  }
  if (line.command == "layers") {
    list_layers(line.layer, line.markdown);
  } else if (line.command == "inspect") {
    return inspect(line.file);
  } else if (line.command == "check-data") {
    return line.here ? check_data_here(line.files, line.samples) : check_data(line.files);
  } else if (line.command == "completion") {
    print_completion(line.shell);
  } else if (line.command == "status") {
    fmt::print("{}", describe_run(line.file));
  } else if (line.command == "slurm") {
    fmt::print("{}", slurm_batch_file(line.slurm));
  } else {
    check(read_config(line));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  install_stop_handlers();
  install_stack_handler();
  limit_library_threads();
  try {
    const CommandLine line = parse_command_line(argc, argv);
    const bool ranks = line.command == "run" || is_task(line.command);
    const int status = ranks ? run_ranks(line, argc, argv) : run_alone(line, argc, argv);
    if (status == 0 && !ranks && (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)) {
      throw Error(ExitStatus::kIo, "cannot write to the standard output: " + std::string(std::strerror(errno)));
    }
    return status;
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return static_cast<int>(error.status());
  } catch (const std::exception& error) {
    fmt::print(stderr, "internal error: {}\n", error.what());
    return static_cast<int>(ExitStatus::kInternal);
  }
}
