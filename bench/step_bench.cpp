// One training step after another (forward, backward, Adam) of a network of the race, on synthetic batches. As in the
// race, run it with OMP_NUM_THREADS=1: wende itself needs no more, and threads that wait for each other would spin.

#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/config.h"
#include "device/choose_device.h"
#include "device/memory.h"
#include "device/product_precision.h"
#include "engine/network_runner.h"
#include "optim/updater.h"

namespace {

using wende::Batch;
using wende::Tensor;

constexpr int kInput = 40;

double wall() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

double peak_rss_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

struct Options {
  std::string net;
  std::string device = "cpu";
  int steps = 5;
  int warmup = 2;
  int low = 0;  ///< frames of a sequence; 0: as in the race
  int high = 0;
  bool server = false;
  bool startup = false;
  bool profile = false;
  bool plan = false;
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    const auto next = [&] { return std::string(i + 1 < argc ? argv[++i] : ""); };
    if (arg == "--steps") {
      options.steps = std::max(1, std::atoi(next().c_str()));
    } else if (arg == "--warmup") {
      options.warmup = std::atoi(next().c_str());
    } else if (arg == "--lens") {
      const std::string lens = next();
      options.low = options.high = std::atoi(lens.c_str());
      if (const size_t dash = lens.find('-'); dash != std::string::npos)
        options.high = std::atoi(lens.c_str() + dash + 1);
    } else if (arg == "--device") {
      options.device = next();
    } else if (arg == "--matmul-precision") {
      wende::set_product_precision(wende::product_precision_of(next()));
    } else if (arg == "--server") {
      options.server = true;
    } else if (arg == "--startup") {
      options.startup = true;
    } else if (arg == "--plan") {
      options.plan = true;
    } else if (arg == "--profile") {
      options.profile = true;
    } else {
      options.net = arg;
    }
  }
  return options;
}

std::string file_of(const std::string& net) {
  return net.find('.') == std::string::npos ? std::string(WENDE_BENCH_NETWORKS "/") + net + ".config" : net;
}

/// What the config of a network says of its batches, in `race`.
struct BatchShape {
  int sequences;
  int low, high;  ///< frames of a sequence
  int labels;     ///< of a sequence; 0: one for each frame
  int classes;
  bool per_frame;  ///< all products are of weights and frames

  BatchShape(const wende::Config& config, const Options& options) {
    const wende::Value* race = config.find("race");
    if (!race) throw wende::Error(wende::ExitStatus::kConfig, "the config has no 'race', which describes the batches");
    const auto item = [](const wende::Value& list, size_t i) { return static_cast<int>(list.items().at(i).as_int()); };
    sequences = static_cast<int>(race->find("sequences")->as_int());
    low = options.low > 0 ? options.low : item(*race->find("frames"), 0);
    high = options.low > 0 ? options.high : item(*race->find("frames"), 1);
    const wende::Value* of_sequence = race->find("labels");
    labels = of_sequence->is_none() ? 0 : static_cast<int>(of_sequence->as_int());
    classes = item(*config.find("num_outputs")->find("classes"), 0);
    per_frame = race->find("per_frame")->as_bool();
  }
};

std::vector<int32_t> random_labels(const std::vector<int32_t>& lengths, int classes, std::mt19937& random) {
  std::uniform_int_distribution<int32_t> label(0, classes - 1);
  std::vector<int32_t> labels;
  for (const int32_t length : lengths) {
    for (int32_t t = 0; t < lengths.front(); ++t) labels.push_back(t < length ? label(random) : 0);
  }
  return labels;
}

/// Sequences, longest first, zero-padded.
Batch make_batch(const BatchShape& of, std::mt19937& random) {
  std::uniform_int_distribution<int32_t> any(of.low, of.high);
  std::vector<int32_t> lengths(static_cast<size_t>(of.sequences));
  for (int32_t& length : lengths) length = any(random);
  std::sort(lengths.rbegin(), lengths.rend());
  const int64_t batch_size = of.sequences;
  const int64_t time = lengths.front();
  std::vector<float> data(static_cast<size_t>(batch_size * time * kInput), 0.0f);
  std::normal_distribution<float> normal;
  Batch batch;
  for (int64_t b = 0; b < batch_size; ++b) {
    const auto row = data.begin() + b * time * kInput;
    std::generate(row, row + lengths[static_cast<size_t>(b)] * kInput, [&] { return normal(random); });
    batch.indices.push_back(b);
    batch.tags.push_back(fmt::format("seq-{}", b));
  }
  batch.lengths["data"] = batch.lengths["classes"] = lengths;
  if (of.labels > 0) batch.lengths["classes"].assign(lengths.size(), of.labels);
  const std::vector<int32_t> labels = random_labels(batch.lengths["classes"], of.classes, random);
  batch.data["data"] = Tensor::of<float>(data, wende::Shape{batch_size, time, kInput});
  batch.data["classes"] = Tensor::of<int32_t>(labels, {batch_size, static_cast<int64_t>(labels.size()) / batch_size});
  return batch;
}

struct StepTime {
  double wall = 0;
  double cpu = 0;
  int64_t frames = 0;
  double loss = 0;
};

/// Everything that a training run holds for one network.
class Training {
 public:
  explicit Training(const Options& options)
      : config_(wende::Config::from_file(file_of(options.net))),
        shape_(config_, options),
        built_(build(config_)),
        store_(built_.network->params(), built_.backward_order, wende::choose_device(options.device)) {
    store_.initialize(1);
    runner_ = std::make_unique<wende::NetworkRunner>(*built_.network, built_.gradients, store_);
    std::map<std::string, wende::Value> layer_opts;
    for (const std::string& name : store_.trainable_names()) layer_opts[name] = built_.network->updater_opts(name);
    updater_ = std::make_unique<wende::Updater>(config_, store_, layer_opts);
    for (const auto& [name, gradient] : built_.gradients) has_gradient_[name] = gradient.defined();
    std::mt19937 random(42);
    for (int i = 0; i < 3; ++i) batches_.push_back(make_batch(shape_, random));
  }

  StepTime step() {
    const Batch& batch = batches_[static_cast<size_t>(index_) % batches_.size()];
    StepTime time;
    const double start = wall();
    const double start_cpu = cpu_seconds();
    wende::RunOptions run_options;
    run_options.step = static_cast<uint64_t>(index_);
    const wende::StepReport report = runner_->run(batch, run_options);
    const double update = cpu_seconds();
    updater_->step(0.001, index_, 1, has_gradient_);
    wende::synchronize(store_.flat_values().device());
    updater_seconds_ += cpu_seconds() - update;
    ++index_;
    time.wall = wall() - start;
    time.cpu = cpu_seconds() - start_cpu;
    for (const int32_t length : batch.lengths.at("data")) time.frames += length;
    time.loss = report.losses.empty() ? 0 : report.losses[0].value / report.losses[0].inv_norm;
    return time;
  }

  /// Of the products of a frame, 0 if unknown: two per weight forward, two for its gradient, two for that of its input,
  /// which the data does not need.
  double mflop_per_frame() const {
    double flop = 0;
    if (!shape_.per_frame) return flop;
    for (const std::string& name : store_.trainable_names()) {
      const Tensor& value = store_.value(name);
      if (value.rank() != 2) continue;
      flop += static_cast<double>(value.elements()) * (value.dim(0) == kInput ? 4 : 6);
    }
    return flop / 1e6;
  }

  wende::Executor& executor() { return runner_->executor(); }
  double updater_seconds() const { return updater_seconds_; }
  void reset_updater_seconds() { updater_seconds_ = 0; }

 private:
  static wende::NetworkWithGradients build(const wende::Config& config) {
    wende::NetworkOptions options;
    options.train = true;
    return wende::NetworkWithGradients::differentiate(
        wende::Network::build(config, wende::ExternData::from_config(config), options));
  }

  wende::Config config_;
  BatchShape shape_;
  wende::NetworkWithGradients built_;
  wende::ParamStore store_;
  std::unique_ptr<wende::NetworkRunner> runner_;
  std::unique_ptr<wende::Updater> updater_;
  std::map<std::string, bool> has_gradient_;
  std::vector<Batch> batches_;
  int64_t index_ = 0;
  double updater_seconds_ = 0;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void print_profile(const std::map<std::string, double>& seconds, int steps, double updater) {
  std::vector<std::pair<double, std::string>> rows{{updater, "(updater)"}};
  for (const auto& [scope, time] : seconds) rows.emplace_back(time, scope);
  std::sort(rows.rbegin(), rows.rend());
  for (const auto& [time, scope] : rows) {
    if (time / steps > 0.0005) fmt::print("{:9.2f} ms/step  {}\n", 1000 * time / steps, scope);
  }
}

void serve(Training& training) {
  fmt::print("ready\n");
  std::fflush(stdout);
  char line[256];
  while (std::fgets(line, sizeof line, stdin)) {
    if (std::string(line).rfind("rss", 0) == 0) {
      fmt::print("{:.1f}\n", peak_rss_mb());
    } else if (std::string(line).rfind("mflop", 0) == 0) {
      fmt::print("{:.2f}\n", training.mflop_per_frame());
    } else {
      const StepTime time = training.step();
      fmt::print("{:.6f} {:.6f} {} {:.5f}\n", time.wall, time.cpu, time.frames, time.loss);
    }
    std::fflush(stdout);
  }
}

void measure(Training& training, const Options& options) {
  training.executor().set_profiling(options.profile);
  training.reset_updater_seconds();
  const double planned = training.executor().planning_seconds();
  std::vector<double> seconds;
  std::vector<double> rates;
  double total = 0;
  for (int i = 0; i < options.steps; ++i) {
    const StepTime time = training.step();
    fmt::print("{:.4f} {} {:.5f}\n", time.wall, time.frames, time.loss);
    std::fflush(stdout);
    total += time.wall;
    seconds.push_back(time.wall);
    rates.push_back(static_cast<double>(time.frames) / time.wall);
  }
  if (options.profile) print_profile(training.executor().seconds_by_scope(), options.steps, training.updater_seconds());
  if (options.plan) fmt::print("{}", training.executor().memory_text(16));
  fmt::print("wende net={} steps={} step_s median={:.4f} nodes={} arena_mb={:.1f} planning={:.3f}% updater={:.2f}%\n",
             options.net, options.steps, median(seconds), training.executor().node_count(),
             static_cast<double>(training.executor().arena_bytes()) / (1 << 20),
             100 * (training.executor().planning_seconds() - planned) / total,
             100 * training.updater_seconds() / total);
  fmt::print("peak_rss_mb={:.1f}\nframes_per_s={:.1f}\n", peak_rss_mb(), median(rates));
}

void bench(const Options& options) {
  const double start = wall();
  Training training(options);
  if (options.startup) {
    const double built = wall();
    const StepTime first = training.step();
    fmt::print("first_step_s={:.3f} import_build_first_step_s={:.3f} build_s={:.3f}\n", first.wall, wall() - start,
               built - start);
    return;
  }
  for (int i = 0; i < options.warmup; ++i) training.step();
  if (options.server) {
    serve(training);
  } else {
    measure(training, options);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  if (options.net.empty()) {
    fmt::print(stderr,
               "usage: wende_bench_step NAME (of bench/networks) or CONFIG [--device cpu|gpu] [--steps N] [--warmup N] "
               "[--lens LO-HI] [--server] [--startup] [--profile] [--plan]\n");
    return 2;
  }
  try {
    bench(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  return 0;
}
