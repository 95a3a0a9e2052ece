#include "app/command_line.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "base/error.h"
#include "config/overrides.h"

namespace wende {

namespace {

void add_config_options(CLI::App& command, CommandLine& line) {
  command.add_option("config", line.file, "RETURNN config")->required();
  command.add_flag("--literal", line.literal, "accept literals only; nothing in the config is executed");
  command.add_flag("--strict", line.strict, "warnings about the config are errors");
  command.add_flag("--debug", line.debug, "one rank, waits for each operation and checks its numbers");
  command.add_option("--device", line.device, "cpu, gpu, or gpu:1 for one GPU (default: the config's)");
  command.add_flag("--no-cuda-graphs", line.no_cuda_graphs, "launch each kernel by itself, also in repeated steps");
  command.add_option("--matmul-precision", line.matmul_precision,
                     "of matrix products: float32 (default), tf32 or bfloat16");
  command.add_flag("--profile", line.profile, "print the time by layer at the end");
  command.add_option("--trace", line.trace, "write a timeline of all ranks (Chrome's trace format)");
  command.add_flag("--allow-dataset-change", line.allow_dataset_change, "go on with other training data than before");
}

void add_tools(CLI::App& app, CommandLine& line) {
  app.add_subcommand("status", "where a run is, how fast, when it will be done")
      ->add_option("model", line.file, "the config's 'model', or its folder")
      ->required();
  CLI::App* slurm = app.add_subcommand("slurm", "print a batch file for Slurm");
  slurm->add_option("config", line.slurm.config, "RETURNN config")->required();
  slurm->add_option("--gpus", line.slurm.gpus, "in all");
  slurm->add_option("--ranks", line.slurm.ranks, "in all; default: one per GPU");
  slurm->add_option("--gpus-per-node", line.slurm.gpus_per_node);
  slurm->add_option("--time", line.slurm.time, "limit of one start, hours:minutes");
  slurm->add_option("--partition", line.slurm.partition);
  slurm->add_option("--lead", line.slurm.lead_seconds,
                    "seconds before the limit when the job writes its last checkpoint");
  slurm->add_option("--launcher", line.slurm.launcher, "srun or mpirun");
  slurm->add_option("--program", line.slurm.program, "path of wende on the nodes");
}

void add_commands(CLI::App& app, CommandLine& line) {
  add_config_options(*app.add_subcommand("run", "the config's task (default when only a config is given)"), line);
  CLI::App* train = app.add_subcommand("train", "train");
  add_config_options(*train, line);
  train->add_option("--record-step", line.record, "STEP FILE: this global step (0 is the first) as a case for replay")
      ->expected(2);
  add_config_options(*app.add_subcommand("eval", "evaluate the data sets dev, eval and eval_datasets"), line);
  add_config_options(*app.add_subcommand("forward", "write the output layer's values of 'eval' to 'output_file'"),
                     line);
  add_config_options(*app.add_subcommand("analyze", "framewise statistics of the output layer over 'eval' or 'dev'"),
                     line);
  add_config_options(*app.add_subcommand("search", "write the best labels of 'search_data' to 'search_output_file'"),
                     line);
  add_config_options(*app.add_subcommand("check", "network table; needs no data and no device"), line);
  CLI::App* replay = app.add_subcommand("replay", "run the one batch of a case file and write all numbers");
  replay->add_option("case", line.file, "case file (/config, /inputs, /params)")->required();
  replay->add_option("--out", line.out, "result file")->required();
  replay->add_option("--device", line.device, "cpu (default), gpu, or gpu:1 for one GPU");
  CLI::App* layers = app.add_subcommand("layers", "list the layer classes, or the options of one");
  layers->add_option("name", line.layer, "layer class");
  layers->add_flag("--markdown", line.markdown, "as in docs/layers");
  app.add_subcommand("inspect", "say what is in a dataset, dump or checkpoint")
      ->add_option("file", line.file)
      ->required();
  CLI::App* check_data = app.add_subcommand("check-data", "read HDF datasets whole and say which are damaged");
  check_data->add_option("files", line.files)->required();
  check_data->add_flag("--here", line.here)->group("");
  check_data->add_flag("--samples", line.samples)->group("");
  app.add_subcommand("completion", "completions for a shell: source <(wende completion bash)")
      ->add_option("shell", line.shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  add_tools(app, line);
}

}  // namespace

std::vector<CommandWords> command_words() {
  CLI::App app;
  CommandLine line;
  add_commands(app, line);
  std::vector<CommandWords> words;
  for (const CLI::App* command : app.get_subcommands({})) {
    CommandWords entry{command->get_name(), command->get_description(), {}};
    for (const CLI::Option* option : command->get_options()) {
      if (option->get_group().empty()) {
        continue;
      }
      for (const std::string& name : option->get_lnames()) {
        entry.options.push_back("--" + name);
      }
    }
    words.push_back(std::move(entry));
  }
  return words;
}

namespace {

/// A first word that is neither a command nor a file, but close to a command.
void refuse_misspelt_command(const CLI::App& app, const std::string& word) {
  std::vector<std::string> commands;
  for (const CLI::App* command : app.get_subcommands(nullptr)) {
    commands.push_back(command->get_name());
  }
  const std::string hint = did_you_mean(word, commands);
  if (std::error_code ignored; !hint.empty() && !std::filesystem::exists(word, ignored)) {
    throw Error(ExitStatus::kUsage, fmt::format("'{}' is neither a command nor a config", word)).hint(hint);
  }
}

}  // namespace

CommandLine parse_command_line(int argc, char** argv) {
  std::vector<std::string> args(argv + 1, argv + argc);
  CommandLine line;
  line.overrides = take_overrides(args);
  CLI::App app{"Wende trains RETURNN configs: wende my.config [++key value ...]", "wende"};
  app.set_version_flag("--version", WENDE_VERSION);
  app.require_subcommand(1);
  add_commands(app, line);

  if (args.empty()) {
    throw Error(ExitStatus::kUsage, "a config is needed, as in: wende my.config")
        .hint("wende --help lists what else there is");
  }
  if (args[0].rfind('-', 0) != 0) {
    try {
      app.get_subcommand(args[0]);
    } catch (const CLI::OptionNotFound&) {
      refuse_misspelt_command(app, args[0]);
      args.insert(args.begin(), "run");
    }
  }
  try {
    std::reverse(args.begin(), args.end());
    app.parse(args);
  } catch (const CLI::ParseError& error) {
    const int status = app.exit(error);
    std::exit(status == 0 ? 0 : static_cast<int>(ExitStatus::kUsage));
  }
  line.command = app.get_subcommands().at(0)->get_name();
  return line;
}

}  // namespace wende
