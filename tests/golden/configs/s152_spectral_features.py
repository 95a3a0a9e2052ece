# mel_filterbank, complex_linear_projection.
extern_data = {"data": {"dim": 17}, "complex": {"dim": 10}, "classes": {"dim": 5, "sparse": True}}
network = {
    "power": {"class": "activation", "activation": "square", "from": "data"},
    "mel": {"class": "mel_filterbank", "fft_size": 32, "sampling_rate": 8000, "nr_of_filters": 4, "n_out": 4, "f_min": 100, "f_max": 3000, "from": "power"},
    "mel_plain": {"class": "mel_filterbank", "fft_size": 32, "nr_of_filters": 3, "n_out": 3, "from": "power"},
    "clp": {"class": "complex_linear_projection", "nr_of_filters": 6, "n_out": 6, "from": "data:complex"},
    "a": {"class": "linear", "activation": "tanh", "n_out": 6, "from": ["mel", "mel_plain"]},
    "b": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "clp"},
    "outa": {"class": "softmax", "from": "a", "loss": "ce", "target": "classes"},
    "output": {"class": "softmax", "from": "b", "loss": "ce", "target": "classes"},
}
batch = {"seq_lens": {"data": [6, 4, 2], "classes": [6, 4, 2], "complex": [6, 4, 2]}}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.01}
seed = 152
