# Short-time Fourier transforms of a learnt signal, there and back: absolute values, phases, masks on complex spectra.
extern_data = {"data": {"dim": 3}, "wave": {"dim": 1}}
to_real = {"dtype": "float32"}
network = {
    "signal": {"class": "linear", "activation": "tanh", "n_out": 1, "from": "data"},
    "stft": {"class": "stft", "frame_shift": 3, "frame_size": 8, "from": "signal"},
    "stft_fft": {"class": "stft", "frame_shift": 4, "frame_size": 6, "fft_size": 9, "use_time_mask": True,
                 "in_spatial_dims": ["T"], "from": "signal"},
    "stft_cut": {"class": "stft", "frame_shift": 5, "frame_size": 10, "fft_size": 8, "from": "data:wave"},  # TensorFlow has no gradient of it
    "abs": {"class": "activation", "activation": "abs", "from": "stft"},
    "angle": {"class": "activation", "activation": "angle", "from": "stft_cut"},
    "real": {"class": "eval", "eval": "tf.math.real(source(0)) * 0.5", "out_type": to_real, "from": "stft_fft"},
    "imag": {"class": "eval", "eval": "tf.math.imag(source(0) * tf.math.conj(source(0)) + source(0))", "out_type": to_real,
             "from": "stft_fft"},
    "power": {"class": "eval", "eval": "tf.square(tf.abs(source(0)))", "out_type": to_real, "from": "stft"},
    "mask": {"class": "linear", "activation": "sigmoid", "n_out": 5, "from": "power"},
    "masked": {"class": "eval", "eval": "source(0) * tf.cast(source(1), tf.complex64)", "from": ["stft", "mask"]},
    "phase": {"class": "eval", "eval": "tf.complex(tf.cos(source(0)), tf.sin(source(0)))", "out_type": {"dtype": "complex64"},
              "from": "angle"},
    "copied": {"class": "copy", "from": ["stft", "masked"]},
    "parts": {"class": "split", "axis": "f", "num_splits": 2, "from": "copied"},
    "sum": {"class": "combine", "kind": "add", "from": ["parts/0", "parts/1"]},
    "abs_sum": {"class": "activation", "activation": "abs", "from": "sum"},
    "back": {"class": "istft", "frame_shift": 3, "frame_size": 8, "from": "masked"},
    "back_fft": {"class": "istft", "frame_shift": 4, "frame_size": 6, "fft_size": 9, "from": "stft_fft"},
    "back_cut": {"class": "istft", "frame_shift": 5, "frame_size": 10, "fft_size": 8, "from": "stft_cut"},
    "mean": {"class": "reduce", "mode": "mean", "axes": "T", "from": "abs"},
    "out_abs": {"class": "linear", "activation": None, "n_out": 2, "from": ["abs", "power", "abs_sum"], "loss": "as_is"},
    "out_parts": {"class": "linear", "activation": None, "n_out": 2, "from": ["real", "imag"], "loss": "as_is"},
    "out_phase": {"class": "eval", "eval": "tf.math.real(source(0)) + 0.1 * source(1)", "out_type": to_real,
                  "from": ["phase", "angle"], "loss": "as_is"},
    "output": {"class": "eval", "eval": "tf.square(source(0))", "from": "back", "loss": "as_is"},
    "out_fft": {"class": "eval", "eval": "tf.square(source(0)) * 0.3", "from": "back_fft", "loss": "as_is"},
    "out_cut": {"class": "eval", "eval": "tf.square(source(0)) * 0.2", "from": "back_cut", "loss": "as_is"},
    "out_mean": {"class": "linear", "activation": None, "n_out": 2, "from": "mean", "is_output_layer": True},
}
batch = {"seq_lens": {"data": [29, 19, 12], "wave": [23, 31, 9]}}
seed = 265
