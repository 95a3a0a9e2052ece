#pragma once

#include <string>
#include <vector>

#include "app/slurm.h"

namespace wende {

/// What the user typed. `wende my.config ++key value` is `wende train|eval|forward my.config` by the config's task.
struct CommandLine {
  std::string command = "run";   ///< run, train, eval, forward, check, replay, layers, inspect, check-data, completion
  std::string file;              ///< config, case or file to look at
  std::string out;               ///< replay
  std::string layer;             ///< layers NAME
  std::string device;            ///< cpu, gpu, gpu:1; empty: the config's
  std::string matmul_precision;  ///< float32, tf32, bfloat16; empty: the config's
  bool markdown = false;         ///< layers
  bool literal = false;          ///< config of literals only
  bool strict = false;           ///< warnings about the config are errors
  bool debug = false;            ///< numerics checked after each operation
  std::string trace;             ///< file of the timeline
  bool allow_dataset_change = false;
  SlurmJob slurm;
  std::vector<std::string> files;      ///< check-data
  bool here = false;                   ///< check-data: in this process
  bool samples = false;                ///< check-data: not everything
  bool no_cuda_graphs = false;         ///< each kernel is launched by itself
  bool profile = false;                ///< table of time by layer at the end
  std::vector<std::string> record;     ///< train: global step, case file
  std::string shell;                   ///< completion
  std::vector<std::string> overrides;  ///< key, value, key, value ... of ++key value
};

/// Name, one-line help and options ("--literal") of each subcommand.
struct CommandWords {
  std::string name;
  std::string help;
  std::vector<std::string> options;
};
std::vector<CommandWords> command_words();

/// Throws Error kUsage; prints help or version and exits with 0 where asked.
CommandLine parse_command_line(int argc, char** argv);

}  // namespace wende
