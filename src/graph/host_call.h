#pragma once

#include <set>
#include <string>

#include "graph/op.h"
#include "graph/program.h"
#include "graph/sized_plan.h"

namespace wende {

/// Runs an op that has no kernels for the device: on copies of its inputs on the host; its results are copied back.
void run_on_host(const Op& op, RunContext& device_call, Scratch& scratch, size_t inputs, size_t outputs);

/// Names of the ops of a program, and of all nodes of its loops' bodies, that run on copies on the host. Those without
/// inputs, which only bring numbers that the host has anyway, are none of them.
std::set<std::string> host_ops(const Graph& graph, const Program& program);
/// One warning, the first time that a program on a device has them.
void warn_of_host_ops(const Graph& graph, const Program& program);

}  // namespace wende
