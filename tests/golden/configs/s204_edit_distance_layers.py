# Edit distances of whole sequences, and row by row in a loop with the costs of all next labels.
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}, "hyps": {"dim": 4, "sparse": True}}
network = {
    "dist": {"class": "edit_distance", "a": "data:hyps", "b": "data:classes", "is_output_layer": True},
    "output": {"class": "rec", "from": [], "target": "hyps", "optimize_move_layers_out": False, "unit": {
        "table": {"class": "edit_distance_table", "from": "output", "target": "layer:base:data:classes",
                  "is_output_layer": True},
        "costs": {"class": "optimal_completions", "from": "prev:table", "target": "layer:base:data:classes",
                  "is_output_layer": True},
        "soft": {"class": "eval", "eval": "tf.nn.softmax(-tf.cast(source(0), tf.float32))", "from": "costs",
                 "out_type": {"dtype": "float32"}},
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 5, "from": "prev:embed"},
        "embed": {"class": "linear", "activation": None, "n_out": 3, "from": "output"},
        "probs": {"class": "softmax", "from": ["s", "soft"], "target": "hyps", "loss": "ce"},
        "output": {"class": "choice", "from": "probs", "target": "hyps", "beam_size": 3, "initial_output": 0}}},
    "rows": {"class": "copy", "from": "output/table", "is_output_layer": True},
    "costs": {"class": "copy", "from": "output/costs", "is_output_layer": True},
}
batch = {"seq_lens": {"data": [7, 5, 4], "classes": [5, 3, 4], "hyps": [6, 2, 4]}}
