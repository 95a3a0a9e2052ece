#pragma once

#include "graph/graph.h"

namespace wende::ops {

/// Lengths of a dynamic dim in this batch: int32 [batch].
Expr lengths(Graph& graph, const Dim& dim, const Dim& batch);
/// bool [batch, time], true on valid frames; time_major: [time, batch].
Expr sequence_mask(Graph& graph, const Dim& batch, const Dim& time, bool time_major = false);
/// Reverses each sequence within its length; padding stays. x has batch and time axes.
Expr reverse_sequence(Expr x, int batch_axis, int time_axis);
/// Valid frames only: x [B,T,...] or [T,B,...] -> [packed, ...], batch-major order of frames; and back with zeros in
/// padding.
Expr pack(Expr x, int batch_axis, int time_axis);
Expr unpack(Expr packed, const Dim& batch, const Dim& time, bool time_major);

/// Frames in the order of time, all sequences of one frame together: int32 [packed] indices into [T*B]; and back, int32
/// [T,B] indices into [packed] (0 on padding).
Expr packed_places(Graph& graph, const Dim& batch, const Dim& time);
Expr unpacked_places(Graph& graph, const Dim& batch, const Dim& time);

}  // namespace wende::ops
