#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/network_runner.h"
#include "engine/stat_book.h"
#include "io/hdf5.h"

namespace wende {

/// /stats/<mode>/<layer>/<key>, and <key>__step2: as if the batch had been run twice.
void write_stats(hdf5::File& out, const std::string& mode, const Network& network, const StepReport& report,
                 StatBook& book);

/// /summaries/<tag>/{png,pixels} of image_summary layers, and the scalars that RETURNN's summaries have.
/// values: one tensor per sink of the network.
void write_summaries(hdf5::File& out, const Network& network, const StepReport& report,
                     const std::vector<Tensor>& values);

/// /after/<k>/meta: values and numbers of elements of the meta losses.
void write_meta(hdf5::File& out, int64_t step, const std::vector<ops::MetaLoss>& meta, const StepReport& report);

}  // namespace wende
