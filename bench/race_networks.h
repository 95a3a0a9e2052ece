#pragma once

#include <string>

/// The networks of the race, as a user of RETURNN writes them; bench/peers has the same for the peers.
namespace wende::race {

constexpr const char* kFf = R"net(
network = {
  "fw1": {"class": "linear", "activation": "relu", "dropout": 0.1, "n_out": 500, "from": "data"},
  "fw2": {"class": "linear", "activation": "relu", "dropout": 0.1, "n_out": 500, "from": "fw1"},
  "output": {"class": "softmax", "loss": "ce", "from": ["fw2"], "target": "classes"}}
)net";

constexpr const char* kLstm = R"net(
network = {
  "lstm1": {"class": "rec", "unit": "lstm", "n_out": 500, "dropout": 0.1, "from": "data"},
  "lstm2": {"class": "rec", "unit": "lstm", "n_out": 500, "dropout": 0.1, "from": "lstm1"},
  "output": {"class": "softmax", "loss": "ce", "from": "lstm2", "target": "classes"}}
)net";

constexpr const char* kBlstm = R"net(
network = {}
for i in range(3):
  source = "data" if i == 0 else ["lstm%i_fw" % (i - 1), "lstm%i_bw" % (i - 1)]
  for direction, name in ((1, "fw"), (-1, "bw")):
    network["lstm%i_%s" % (i, name)] = {"class": "rec", "unit": "lstm", "n_out": 500, "dropout": 0.1, "L2": 0.01,
                                        "direction": direction, "from": source}
network["output"] = {"class": "softmax", "loss": "ce", "from": ["lstm2_fw", "lstm2_bw"], "target": "classes"}
)net";

/// BLSTM encoder, LSTM decoder with additive attention.
constexpr const char* kAtt = R"net(
n = 256
network = {}
for i in range(2):
  source = "data" if i == 0 else ["enc%i_fw" % (i - 1), "enc%i_bw" % (i - 1)]
  for direction, name in ((1, "fw"), (-1, "bw")):
    network["enc%i_%s" % (i, name)] = {"class": "rec", "unit": "nativelstm2", "n_out": n, "direction": direction,
                                       "from": source}
network["encoder"] = {"class": "copy", "from": ["enc1_fw", "enc1_bw"]}
network["enc_ctx"] = {"class": "linear", "activation": None, "with_bias": True, "from": "encoder", "n_out": n}
network["enc_value"] = {"class": "split_dims", "axis": "F", "dims": (1, 2 * n), "from": "encoder"}
network["output"] = {"class": "rec", "from": [], "target": "classes", "max_seq_len": "max_len_from('base:encoder')",
                     "unit" : {
  "output" : {"class" : "choice", "target" : "classes", "beam_size" : 12, "from" : "output_prob", "initial_output" : 0},
             "end" : {"class" : "compare", "from" : "output", "value" : 0},
                     "target_embed" : {
                       "class" : "linear",
                       "activation" : None,
                       "with_bias" : False,
                       "from" : "output",
                       "n_out" : n,
                       "initial_output" : 0
                     },
                                      "s_transformed"
      : {"class" : "linear", "activation" : None, "with_bias" : False, "from" : "s", "n_out" : n},
        "energy_in" : {"class" : "combine", "kind" : "add", "from" : [ "base:enc_ctx", "s_transformed" ], "n_out" : n},
                      "energy_tanh" : {"class" : "activation", "activation" : "tanh", "from" : "energy_in"},
                                      "energy"
      : {"class" : "linear", "activation" : None, "with_bias" : False, "from" : "energy_tanh", "n_out" : 1},
        "att_weights" : {"class" : "softmax_over_spatial", "from" : "energy"},
                        "att0" : {"class" : "generic_attention", "weights" : "att_weights", "base" : "base:enc_value"},
                                 "att" : {"class" : "merge_dims", "axes" : "except_batch", "from" : "att0"},
                                         "s"
      : {"class" : "rnn_cell", "unit" : "LSTMBlock", "from" : [ "prev:target_embed", "prev:att" ], "n_out" : n},
        "readout"
      : {"class" : "linear", "from" : [ "s", "prev:target_embed", "att" ], "activation" : "tanh", "n_out" : n},
        "output_prob" : {
    "class" : "softmax", "from" : "readout", "target" : "classes", "loss" : "ce"
  }
}
}
)net";

constexpr const char* kTrafo = R"net(
d = 256
def linear(source, n_out, activation=None):
  return {"class": "linear", "activation": activation, "with_bias": True, "from": source, "n_out": n_out}
network = {"in": linear("data", d)}
x = "in"
for i in range(4):
  p = "b%i_" % i
  network[p + "ln1"] = {"class": "layer_norm", "from": x}
  network[p + "att"] = {"class": "self_attention", "num_heads": 4, "total_key_dim": d, "n_out": d, "from": p + "ln1"}
  network[p + "attl"] = linear(p + "att", d)
  network[p + "res1"] = {"class": "combine", "kind": "add", "from": [x, p + "attl"], "n_out": d}
  network[p + "ln2"] = {"class": "layer_norm", "from": p + "res1"}
  network[p + "ff1"] = linear(p + "ln2", 1024, "relu")
  network[p + "ff2"] = linear(p + "ff1", d)
  network[p + "res2"] = {"class": "combine", "kind": "add", "from": [p + "res1", p + "ff2"], "n_out": d}
  x = p + "res2"
network["ln"] = {"class": "layer_norm", "from": x}
network["output"] = {"class": "softmax", "loss": "ce", "from": "ln", "target": "classes"}
)net";

constexpr const char* kConformer = R"net(
d = 256
def linear(source, n_out, activation=None, with_bias=True):
  return {"class": "linear", "activation": activation, "with_bias": with_bias, "from": source, "n_out": n_out}
network = {"in": linear("data", d)}
def half_feed_forward(name, x):
  network[name + "_ln"] = {"class": "layer_norm", "from": x}
  network[name + "_1"] = linear(name + "_ln", 1024, "swish")
  network[name + "_2"] = linear(name + "_1", d)
  network[name + "_half"] = {"class": "eval", "eval": "0.5 * source(0)",
                     "from" : name + "_2"
}
  network[name] = {"class": "combine", "kind": "add", "from": [name + "_half", x], "n_out": d}
  return name
x = "in"
for i in range(4):
  p = "b%i_" % i
  x = half_feed_forward(p + "ff1", x)
  network[p + "aln"] = {"class": "layer_norm", "from": x}
  network[p + "rel"] = {"class": "relative_positional_encoding", "from": p + "aln", "n_out": d // 4, "clipping": 16}
  network[p + "att"] = {"class": "self_attention", "num_heads": 4, "total_key_dim": d, "n_out": d, "from": p + "aln",
                        "key_shift": p + "rel"}
  network[p + "attl"] = linear(p + "att", d, with_bias=False)
  network[p + "ares"] = {"class": "combine", "kind": "add", "from": [p + "attl", x], "n_out": d}
  x = p + "ares"
  network[p + "cln"] = {"class": "layer_norm", "from": x}
  network[p + "pw1"] = linear(p + "cln", 2 * d)
  network[p + "glu"] = {"class": "gating", "from": p + "pw1", "activation": "identity"}
  network[p + "dw"] = {"class": "conv", "from": p + "glu", "padding": "same", "filter_size": (31,), "n_out": d,
                       "activation": None, "with_bias": True, "groups": d}
  network[p + "bn"] = {"class": "batch_norm", "from": p + "dw", "momentum": 0.1, "epsilon": 1e-3,
                       "update_sample_only_in_training": True, "delay_sample_update": True}
  network[p + "sw"] = {"class": "activation", "activation": "swish", "from": p + "bn"}
  network[p + "pw2"] = linear(p + "sw", d)
  network[p + "cres"] = {"class": "combine", "kind": "add", "from": [p + "pw2", x], "n_out": d}
  x = half_feed_forward(p + "ff2", p + "cres")
  network[p + "ln"] = {"class": "layer_norm", "from": x}
  x = p + "ln"
network["output"] = {"class": "softmax", "loss": "ce", "from": x, "target": "classes"}
)net";

/// A network with the batches that it is raced on.
struct Entry {
  const char* name;
  const char* network;
  int classes;
  int sequences;
  int low, high;  ///< frames of a sequence
  int labels;     ///< of a sequence; 0: one for each frame
};

constexpr Entry kEntries[] = {
    {"ff", kFf, 4501, 40, 100, 300, 0},       {"lstm", kLstm, 4501, 40, 100, 300, 0},
    {"blstm", kBlstm, 4501, 40, 100, 300, 0}, {"att", kAtt, 1000, 20, 100, 100, 30},
    {"trafo", kTrafo, 1000, 20, 100, 100, 0}, {"conformer", kConformer, 1000, 20, 100, 100, 0},
};

}  // namespace wende::race
