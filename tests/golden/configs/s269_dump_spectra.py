# Spectra in an HDF file.
extern_data = {"data": {"dim": 3}}
network = {
    "signal": {"class": "linear", "activation": "tanh", "n_out": 1, "from": "data"},
    "stft": {"class": "stft", "frame_shift": 3, "frame_size": 8, "from": "signal"},
    "dump": {"class": "hdf_dump", "filename": "spectra.hdf", "from": "stft", "is_output_layer": True},
    "output": {"class": "activation", "activation": "abs", "from": "stft", "loss": "as_is"},
}
files = ["spectra.hdf"]
batch = {"seq_lens": {"data": [29, 12, 19]}}
seed = 269
