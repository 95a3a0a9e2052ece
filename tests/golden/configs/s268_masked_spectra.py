# Masks on spectra, real and complex.
extern_data = {"data": {"dim": 3}}
network = {
    "signal": {"class": "linear", "activation": "tanh", "n_out": 1, "from": "data"},
    "stft": {"class": "stft", "frame_shift": 2, "frame_size": 6, "from": "signal"},
    "abs": {"class": "activation", "activation": "abs", "from": "stft"},
    "mask": {"class": "rec", "unit": "lstm", "n_out": 4, "from": "abs"},
    "masked": {"class": "signal_masking", "signal": "stft", "mask": "mask", "out_type": {"dim": 4, "dtype": "complex64"}},
    "masked_abs": {"class": "signal_masking", "signal": "abs", "mask": "mask", "n_out": 4},
    "masked_twice": {"class": "signal_masking", "signal": "stft", "mask": "masked", "out_type": {"dim": 4, "dtype": "complex64"}},
    "twice_abs": {"class": "activation", "activation": "abs", "from": "masked_twice"},
    "back": {"class": "istft", "frame_shift": 2, "frame_size": 6, "from": "masked"},
    "mel": {"class": "mel_filterbank", "sampling_rate": 80, "fft_size": 6, "nr_of_filters": 2, "n_out": 2, "from": "twice_abs"},
    "out_abs": {"class": "linear", "activation": "tanh", "n_out": 2, "from": ["masked_abs", "mel"], "loss": "as_is"},
    "output": {"class": "eval", "eval": "tf.square(source(0))", "from": "back", "loss": "as_is"},
}
batch = {"seq_lens": {"data": [17, 9, 12]}}
seed = 268
