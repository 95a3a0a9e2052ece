#include "engine/replay.h"

#include <fmt/core.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.h"
#include "engine/hdf_dump_callback.h"
#include "engine/learning_rate_function.h"
#include "engine/meta_update.h"
#include "engine/rank_sums.h"
#include "engine/replay_extras.h"
#include "engine/replay_share.h"
#include "engine/row_gradients.h"
#include "engine/run_outputs.h"
#include "io/atomic_file.h"
#include "network/random_seeds.h"
#include "optim/updater.h"
#include "tensor/placement.h"

namespace wende {

namespace {

namespace fs = std::filesystem;

/// One mode (eval or train flag) of the case's network, run once on its batch.
class ReplayMode {
 public:
  ReplayMode(const Config& config, NetworkWithGradients built, ParamStore& store, Communicator& communicator)
      : built_(std::move(built)), store_(store), communicator_(communicator) {
    std::vector<Expr> extra;
    for (const NetworkLayer& layer : built_.network->layers()) {
      if (layer.is_root() && communicator.size() == 1 && layer.output.expr.defined()) {
        layers_.push_back(&layer);
        extra.push_back(layer.output.expr);
      }
    }
    for (const Sink& sink : built_.network->sinks()) {
      extra.push_back(sink.expr);
    }
    meta_update_ = std::make_unique<MetaUpdate>(built_, extra);
    runner_ =
        std::make_unique<NetworkRunner>(*built_.network, built_.gradients, store, extra, row_sums(config, built_));
    // Cases are recorded with the optimiser's update alone: RETURNN's own extra updates do not run there.
    runner_->assign_only_what_the_objective_reads();
    runner_->share_sums(communicator);
  }

  /// Losses and gradients are those of all ranks' batches.
  StepReport run(const std::optional<Batch>& batch, const RunOptions& options) {
    runner_->forget_states();  // RETURNN recorded the first step of an epoch each time
    ran_ = batch.has_value();
    clear(store_.flat_gradients());
    if (!ran_) {
      runner_->skip(options);
    }
    own_report_ = ran_ ? runner_->run(*batch, options) : runner_->empty_report();
    StepReport report = own_report_;
    if (communicator_.size() > 1) {
      if (!communicator_.is_root()) {
        count_once(report, network());
      }
      std::vector<double> sums = flatten(report);
      communicator_.all_sum(sums.data(), sums.size());
      unflatten(sums, report);
      change_on_host(store_.flat_gradients(), [this](const Tensor& all) {
        communicator_.all_sum(all.data<float>(), static_cast<size_t>(all.elements()));
      });
    }
    return report;
  }
  void assign_parameters() {
    runner_->assign_parameters(ran_, [this](float* data, size_t count) { communicator_.all_sum(data, count); });
  }
  /// RETURNN's variables of states that go on to the next batch: each step of a case is the first of an epoch, which
  /// leaves them as they are.
  std::map<std::string, Tensor> kept_states(const hdf5::File& file) const {
    std::map<std::string, Tensor> states;
    for (const auto& [name, value] : runner_->kept_states()) {
      if (file.exists("params/" + name)) states[name] = file.read("params/" + name, value.dtype());
    }
    return states;
  }

  void write_outputs(hdf5::File& out, const std::string& mode) const {
    for (size_t i = 0; i < layers_.size(); ++i) {
      const ReadableOutput output =
          make_readable(layers_[i]->output.data, runner_->extra_values()[i], runner_->binding());
      write_output(out, "outputs/" + mode + "/" + layers_[i]->name, output, *layers_[i]);
    }
  }

  std::vector<Tensor> sink_values() const {
    const auto first = runner_->extra_values().begin() + static_cast<std::ptrdiff_t>(layers_.size());
    return {first, first + static_cast<std::ptrdiff_t>(built_.network->sinks().size())};
  }

  std::map<std::string, Tensor> meta_gradients() const { return meta_update_->gradients(*runner_); }
  const std::vector<ops::MetaLoss>& meta() const { return built_.meta; }
  void meta_step(Updater& updater, double learning_rate, int64_t step) {
    meta_update_->apply(*runner_, ran_, own_report_, store_, updater, communicator_, learning_rate, step, 1);
  }

  const Network& network() const { return *built_.network; }
  const std::map<std::string, Expr>& gradients() const { return built_.gradients; }
  const Binding& binding() const { return runner_->binding(); }

 private:
  NetworkWithGradients built_;
  ParamStore& store_;
  Communicator& communicator_;
  StepReport own_report_;  ///< of this rank's share
  bool ran_ = true;
  std::vector<const NetworkLayer*> layers_;
  std::unique_ptr<NetworkRunner> runner_;
  std::unique_ptr<MetaUpdate> meta_update_;
};

Tensor scalar(double value) { return Tensor::scalar(static_cast<float>(value)); }

/// Cases store arrays batch-major; templates may have the batch axis elsewhere.
int template_axis(const Data& data, int file_axis) {
  return file_axis - 1 < data.batch_axis() ? file_axis - 1 : file_axis;
}

Batch read_batch(const hdf5::File& file, const ExternData& extern_data) {
  Batch batch;
  int64_t size = 0;
  for (const std::string& key : file.children("inputs")) {
    const std::string path = "inputs/" + key;
    if (key == "seq_tag") {
      batch.tags = file.read_strings(path + "/data");
      continue;
    }
    batch.data[key] = file.read(path + "/data");
    const auto known = extern_data.keys.find(key);
    if (known == extern_data.keys.end() || known->second.has_batch()) {
      size = std::max(size, batch.data[key].dim(0));
    }
    for (const std::string& child : file.children(path)) {
      if (child.rfind("sizes", 0) != 0) {
        continue;
      }
      const int64_t axis =
          file.has_attribute(path + "/" + child, "axis") ? file.int_attribute(path + "/" + child, "axis") : 1;
      std::string name = child == "sizes" ? key : fmt::format("{}:{}", key, axis);
      if (known != extern_data.keys.end() && child != "sizes") {
        name = fmt::format("{}:{}", key, template_axis(known->second, static_cast<int>(axis)));
      }
      batch.lengths[name] = file.read(path + "/" + child, DType::kInt32).to_vector<int32_t>();
    }
  }
  for (int64_t b = static_cast<int64_t>(batch.tags.size()); b < size; ++b) {
    batch.tags.push_back(fmt::format("seq-{}", b));
  }
  for (int64_t b = 0; b < size; ++b) {
    batch.indices.push_back(b);
  }
  return batch;
}

/// The case's values; parameters that the case lacks are an error, further ones are ignored. A case without any keeps
/// the initial values, which are written.
void load_params(const hdf5::File& file, hdf5::File& out, ParamStore& store) {
  if (!file.exists("params")) {
    for (const std::string& name : store.names()) {
      out.write("params/" + name, on_host(store.value(name)));
    }
    return;
  }
  for (const std::string& name : store.names()) {
    const std::string path = "params/" + name;
    if (!file.exists(path)) {
      throw Error(ExitStatus::kMalformedInput, fmt::format("{}: no value for parameter '{}'", file.path(), name));
    }
    const Tensor value = file.read(path, store.value(name).dtype());
    if (!(value.shape() == store.value(name).shape())) {
      throw Error(ExitStatus::kMalformedInput,
                  fmt::format("{}: parameter '{}' has shape {} in the case, {} in the network", file.path(), name,
                              value.shape().str(), store.value(name).shape().str()));
    }
    store.value(name).copy_from(value);
  }
}

/// Options of `updater` become config options, as the recorder has it.
Config with_updater(Config config) {
  if (const Value* updater = config.find("updater")) {
    for (const auto& [key, value] : updater->entries()) {
      config.set(key.as_string(), value);
    }
  }
  const std::map<std::string, Value> otherwise = {{"learning_rate", Value::of(0.01)},
                                                  {"accum_grad_restarts", Value::of(false)}};
  for (const auto& [key, value] : otherwise) config.set(key, config.has(key) ? *config.find(key) : value);
  return with_traced_learning_rate(std::move(config));
}

std::map<std::string, bool> has_gradient(const std::map<std::string, Expr>& gradients) {
  std::map<std::string, bool> result;
  for (const auto& [name, expr] : gradients) {
    result[name] = expr.defined();
  }
  return result;
}

void write_tensors(hdf5::File& out, const std::string& group, const std::map<std::string, Tensor>& tensors) {
  for (const auto& [name, tensor] : tensors) {
    out.write(group + "/" + name, tensor);
  }
}

std::map<std::string, Tensor> gradient_copies(const ParamStore& store, const std::map<std::string, Expr>& gradients) {
  std::map<std::string, Tensor> result;
  for (const auto& [name, expr] : gradients) {
    result[name] = on_host(store.gradient(name)).clone();
  }
  return result;
}

/// A recorded step (record_step.h) has the random numbers of its place in the run; further steps come after it.
RunOptions run_options(const Config& config, int64_t further = 0) {
  RunOptions options;
  options.seed = graph_seed(config);
  options.step = static_cast<uint64_t>(config.get_int("replay_step", 0) + further);
  return options;
}

/// k steps on the same batch with optimiser state from zero: objectives, parameters, processed gradients.
void run_train_steps(const hdf5::File& file, hdf5::File& out, const Config& config, ReplayMode& train,
                     ParamStore& store, const std::optional<Batch>& batch) {
  const Network& network = train.network();
  std::map<std::string, Value> layer_opts;
  for (const std::string& name : store.trainable_names()) {
    layer_opts[name] = network.updater_opts(name);
  }
  Updater updater(config, store, layer_opts, decoupled_l2(config, network, store));
  const double rate = config.get_float("learning_rate", 0.01);
  for (int64_t k = 1; k <= config.get_int("train_steps", 3); ++k) {
    const StepReport report = train.run(batch, run_options(config, k - 1));
    train.assign_parameters();
    updater.step(rate, k - 1, 1, has_gradient(train.gradients()), UpdateBy::kObjective, report.rows);
    if (k == 1) {
      write_tensors(out, "grads_processed", updater.processed_gradients());
    }
    train.meta_step(updater, rate, k - 1);
    write_meta(out, k, train.meta(), report);
    out.write(fmt::format("after/{}/objective", k), scalar(report.objective()));
    for (const std::string& name : store.names()) {
      out.write(fmt::format("after/{}/params/{}", k, name), on_host(store.value(name)));
    }
    write_tensors(out, fmt::format("after/{}/params", k), train.kept_states(file));
  }
}

/// HDF5 files that the net wrote go into the result as content.
void write_file_content(hdf5::File& out, const std::string& name, const std::string& path) {
  const hdf5::File file = hdf5::File::open(path);
  const std::string base = "files_content/" + name + "/";
  for (const std::string& dataset : file.datasets_below("/")) {
    const hdf5::DatasetInfo info = file.info(dataset);
    if (info.cls == hdf5::DatasetInfo::Class::kString) {
      out.write_strings(base + dataset, file.read_strings(dataset));
    } else {
      out.write(base + dataset, file.read(dataset));
    }
  }
  for (const char* group : {"", "targets/size/"}) {
    if (*group == '\0' || file.exists("targets/size")) {
      out.write(base + group + "__attrs__", Tensor::of<int32_t>({0}, Shape{}));
    }
  }
}

/// Runs in a folder of its own, so that relative file names of hdf_dump layers do not touch the user's.
class WorkFolder {
 public:
  WorkFolder()
      : previous_(fs::current_path()), folder_(fs::temp_directory_path() / fmt::format("wende-replay-{}", getpid())) {
    fs::create_directories(folder_);
    fs::current_path(folder_);
  }
  ~WorkFolder() {
    std::error_code ignored;
    fs::current_path(previous_, ignored);
    fs::remove_all(folder_, ignored);
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }

 private:
  fs::path previous_;
  fs::path folder_;
};

NetworkWithGradients build_mode(const Config& config, const ExternData& extern_data, const Batch& batch, bool train,
                                const Communicator& communicator) {
  NetworkOptions options;
  options.search = config.get_bool("search_flag", false);
  options.train = train && !options.search;
  options.across_ranks = communicator.size() > 1;
  for (const auto& [key, data] : batch.data) {
    if (extern_data.keys.count(key) == 0) {
      options.fed_keys.insert(key);
    }
  }
  options.behavior_version = static_cast<int>(config.get_int("behavior_version", 0));
  return NetworkWithGradients::differentiate(Network::build(config, extern_data, options), communicator.is_root());
}

/// Of one mode: losses and gradients; alone, also what the layers and files hold.
void write_mode(hdf5::File& out, const std::string& mode, const ReplayMode& replayed, const StepReport& report,
                const ParamStore& store, bool alone) {
  if (alone) {
    replayed.write_outputs(out, mode);
    StatBook stats;
    write_stats(out, mode, replayed.network(), report, stats);
  }
  write_losses(out, mode, replayed.network(), report);
  write_tensors(out, mode == "eval" ? "grads_eval" : "grads", gradient_copies(store, replayed.gradients()));
}

/// What hdf_dump layers write: as content, and as it is into `keep`.
void write_dumps(hdf5::File& out, const ReplayMode& eval, const Batch& batch, const WorkFolder& folder,
                 const fs::path& keep) {
  const std::unique_ptr<Communicator> self = Communicator::self();
  HdfDumpCallback dumps(eval.network().sinks(), *self);
  dumps.begin_run("train", 1);
  dumps.add_batch(batch, eval.sink_values(), eval.binding());
  dumps.end_run();
  dumps.close();
  for (const std::string& name : folder.files()) {
    write_file_content(out, name, name);
    fs::create_directories(keep);
    fs::copy_file(name, keep / name, fs::copy_options::overwrite_existing);
  }
}

void replay_case(const hdf5::File& file, hdf5::File& out, const fs::path& keep, Device device,
                 Communicator& communicator) {
  const Config config = with_updater(Config::from_source(file.read_strings("config").at(0), file.path() + ":/config"));
  const ExternData extern_data = ExternData::from_config(config);
  const Batch whole = read_batch(file, extern_data);
  const bool alone = communicator.size() == 1;
  const std::optional<Batch> batch =
      alone ? whole : share_of(whole, extern_data, communicator.rank(), communicator.size());
  NetworkWithGradients train = build_mode(config, extern_data, whole, true, communicator);
  NetworkWithGradients eval = build_mode(config, extern_data, whole, false, communicator);
  ParamStore store(train.network->params(), train.backward_order, device);
  store.initialize(static_cast<uint64_t>(config.get_int("seed", 1)));
  load_params(file, out, store);

  const WorkFolder folder;
  ReplayMode eval_mode(config, std::move(eval), store, communicator);
  const StepReport eval_report = eval_mode.run(batch, run_options(config));
  write_mode(out, "eval", eval_mode, eval_report, store, alone);
  if (alone) {
    write_dumps(out, eval_mode, whole, folder, keep);
  }

  ReplayMode train_mode(config, std::move(train), store, communicator);
  const StepReport train_report = train_mode.run(batch, run_options(config));
  write_mode(out, "train", train_mode, train_report, store, alone);
  if (alone) {
    write_tensors(out, "grads_meta", train_mode.meta_gradients());
    write_summaries(out, train_mode.network(), train_report, train_mode.sink_values());
  }
  if (train_mode.network().objective().defined() && !train_mode.gradients().empty()) {
    run_train_steps(file, out, config, train_mode, store, batch);
  }
}

}  // namespace

void replay(const std::string& case_path, const std::string& out_path, Device device, Communicator& communicator) {
  const hdf5::File file = hdf5::File::open(case_path);
  const std::string target = fs::absolute(out_path).string();
  const auto run = [&](const std::string& path) {
    hdf5::File out = hdf5::File::create(path);
    out.set_attribute("/", "format_version", int64_t{1});
    replay_case(file, out, target + ".files", device, communicator);
    out.close();
  };
  if (communicator.is_root()) {
    write_file_atomically(target, run);
    return;
  }
  const fs::path unused = fs::temp_directory_path() / fmt::format("wende-replay-{}.h5", getpid());
  run(unused.string());
  fs::remove(unused);
}

}  // namespace wende
