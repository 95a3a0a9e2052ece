# forced_align with both topologies, from probabilities and log probabilities; trains on the alignment.
extern_data = {"data": {"dim": 5}, "classes": {"dim": 4, "sparse": True}}
network = {
    "probs": {"class": "softmax", "n_out": 5, "from": "data"},
    "log_probs": {"class": "activation", "activation": "safe_log", "from": "probs"},
    "align": {"class": "forced_align", "align_target": "data:classes", "topology": "ctc", "input_type": "prob",
              "from": "probs"},
    "first": {"class": "softmax", "n_out": 5, "from": "data", "loss": "ce", "target": "layer:align"},
    "rna": {"class": "forced_align", "align_target": "data:classes", "topology": "rna", "input_type": "log_prob",
            "from": "log_probs", "is_output_layer": True},
    "scores": {"class": "copy", "from": "rna/scores", "is_output_layer": True},
    "output": {"class": "softmax", "n_out": 5, "from": "data", "loss": "ce", "target": "layer:rna"},
}
batch = {"seq_lens": {"data": [9, 7, 5], "classes": [3, 2, 2]}}
