# masked_computation over whole sequences: its unit sees only the frames where the mask is true.
from returnn.tf.util.data import FeatureDim, SpatialDim, batch_dim
time_dim = SpatialDim("time")
masked_dim = SpatialDim("masked")
lstm_dim = SpatialDim("masked-for-lstm")
behavior_version = 12
extern_data = {"data": {"dim_tags": [batch_dim, time_dim, FeatureDim("f", 4)]},
               "labels": {"dim_tags": [batch_dim, time_dim], "sparse_dim": FeatureDim("l", 3), "dtype": "int32"}}
network = {
    "src": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data"},
    "mask": {"class": "compare", "kind": "greater", "value": 0, "from": "data:labels"},
    "part": {"class": "masked_computation", "mask": "mask", "from": "src", "in_spatial_dim": time_dim,
             "out_spatial_dim": masked_dim,
             "unit": {"class": "linear", "activation": "relu", "n_out": 5, "from": "data"}},
    "lstm": {"class": "masked_computation", "mask": "mask", "from": "src", "in_spatial_dim": time_dim,
             "out_spatial_dim": lstm_dim,
             "unit": {"class": "subnetwork", "from": "data", "subnetwork": {
                 "l": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": "data"},
                 "output": {"class": "combine", "kind": "add", "from": ["l", "l"]}}}},
    "symbols": {"class": "masked_computation", "mask": "mask", "from": "data:labels", "in_spatial_dim": time_dim,
                "out_spatial_dim": SpatialDim("masked-symbols"), "unit": {"class": "copy", "from": "data"},
                "is_output_layer": True},
    "mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "lstm", "loss": "as_is"},
    "output": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "part", "loss": "as_is"},
}
batch = {"seq_lens": {"data": [7, 5, 4], "labels": [7, 5, 4]},
         "values": {"labels": [[0, 1, 2, 0, 1, 0, 2], [1, 0, 0, 2, 1, 0, 0], [0, 0, 1, 1, 0, 0, 0]]}}
