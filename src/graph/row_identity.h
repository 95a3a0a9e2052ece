#pragma once

#include "graph/binding.h"
#include "kernels/dropout.h"

namespace wende {

/// Identity of the sequences in each row of the batch axis, for random numbers: travels in the Binding as the lengths
/// of a Dim of its own.
void bind_rows(Binding& binding, const cpu::RandomRows& rows);
/// Empty if none were bound.
cpu::RandomRows rows_of(const Binding& binding);

}  // namespace wende
