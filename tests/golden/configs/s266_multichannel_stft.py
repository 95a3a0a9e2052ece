# Transforms of several channels and resolutions.
extern_data = {"data": {"dim": 3}, "wave": {"dim": 2}}
network = {
    "signal": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "data"},
    # TensorFlow has no gradient of transforms that cut frames.
    "cut": {"class": "multichannel_stft_layer", "frame_shift": 4, "frame_size": 9, "fft_size": 6, "nr_of_channels": 2, "from": "data:wave"},
    "one": {"class": "multichannel_stft_layer", "frame_shift": 3, "frame_size": 8, "fft_size": 8, "nr_of_channels": 2, "from": "signal"},
    "ones": {"class": "multichannel_stft_layer", "frame_shift": 5, "frame_size": 5, "fft_size": 5, "window": "ones",
             "pad_last_frame": True, "nr_of_channels": 2, "from": "signal"},
    "many": {"class": "multichannel_multiresolution_stft_layer", "frame_shift": 3, "frame_sizes": [6, 4, 9], "fft_sizes": [8, 4, 10],
             "nr_of_channels": 2, "from": "signal"},
    "many_padded": {"class": "multichannel_multiresolution_stft_layer", "frame_shift": 4, "frame_sizes": [4, 7, 3], "fft_sizes": [4, 8, 4],
                    "pad_last_frame": True, "window": "None", "nr_of_channels": 2, "n_out": 22, "from": "signal"},
}
for name in list(network)[1:]:
    network["abs_" + name] = {"class": "activation", "activation": "abs", "from": name}
    network["out_" + name] = {"class": "linear", "activation": "tanh", "n_out": 2, "from": "abs_" + name, "loss": "as_is"}
network["output"] = {"class": "copy", "from": "out_one"}
batch = {"seq_lens": {"data": [29, 19, 12], "wave": [23, 31, 9]}}
seed = 266
