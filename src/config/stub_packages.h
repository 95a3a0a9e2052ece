#pragma once

namespace wende::python {

/// Python sources of the modules that Wende puts into its interpreter, run in this order at its start.
extern const char* const kCoreSource;        ///< Evaluation, the config object, and the registry of the other stubs.
extern const char* const kPlacesSource;      ///< Where in the config's files values were written.
extern const char* const kDataSource;        ///< Dim, Data and what functions of a config get of layers.
extern const char* const kReturnnSource;     ///< `returnn` as far as configs import it.
extern const char* const kPretrainSource;    ///< The networks of RETURNN's pretraining.
extern const char* const kTensorflowSource;  ///< `tensorflow` that records what is called instead of computing it.
extern const char* const kLayersSource;      ///< Base classes for layer classes of a config.

}  // namespace wende::python
