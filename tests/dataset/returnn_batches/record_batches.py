#!/usr/bin/env python3
"""How RETURNN orders sequences and makes batches of them: the pieces of each step over three epochs, for the options in CASES.

record_batches.py > batches.json     with a Python that has returnn
A batch is a text of pieces: the tag's number, then the frames of each key that differ from the one before, "7:0-50" or "7:0-50,0-1".
"""
import json
import os
import sys
import tempfile

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
from returnn import __main__ as rnn
from returnn.util.basic import NumbersDict

LISTS = os.path.dirname(os.path.realpath(__file__))
DATA = os.path.realpath(os.path.join(os.path.dirname(__file__), "../../data"))
TASK = 'train = {"class": "Task12AXDataset", "num_seqs": 23%s}\n'
HDF = 'train = {"class": "HDFDataset", "files": ["DATA/spoken-digits.sample.dev.hdf"]%s}\n'
META = '''train = {"class": "MetaDataset", "datasets": {
    "a": {"class": "HDFDataset", "files": ["DATA/spoken-digits.sample.dev.hdf"]%s},
    "b": {"class": "HDFDataset", "files": ["DATA/spoken-digits.sample.dev.hdf"]}},
    "data_map": {"data": ("a", "data"), "classes": ("b", "%s")}%s}
'''
ORDERINGS = ["default", "default_every_n:4", "reverse", "sorted", "sorted_reverse", "random", "random:2", "random_sample", "laplace", "laplace:3", "laplace:.5",
             "laplace:.5:2", "sort_bin_shuffle", "sort_bin_shuffle:.4", "sort_bin_shuffle:3:2", "sort_bin_shuffle_x2:.6"]
SIZES = "batch_size = 120\nmax_seqs = 4\n"
LARGE = "batch_size = 1500\nmax_seqs = 4\n"

CASES = [(LARGE + HDF % f', "seq_ordering": "{order}"', "train") for order in ORDERINGS]
CASES += [(LARGE + f'batching = "{order}"\n' + HDF % "", "train") for order in ("random", "laplace:.7", "sorted_reverse")]
CASES += [(text, "train") for text in (
    SIZES + TASK % ', "seq_ordering": "random", "partition_epoch": 3',
    LARGE + HDF % ', "seq_ordering": "laplace:.4", "partition_epoch": 2',
    SIZES + TASK % ', "seq_ordering": "random", "repeat_epoch": 2',
    SIZES + TASK % ', "seq_ordering": "random", "fixed_random_seed": 5',
    SIZES + TASK % ', "seq_ordering": "random", "random_seed_offset": 11',
    LARGE + HDF % ', "seq_ordering": lambda epoch, **_: "random" if epoch > 1 else "sorted"',
    "dataset_random_seed_offset = 3\n" + SIZES + TASK % ', "seq_ordering": "random"',
    "batch_size = 200\n" + TASK % "",
    "batch_size = {'data': 300, 'classes': 150}\n" + TASK % "",
    "batch_size = 300\nmax_seqs = 5\nmax_seq_length = 60\nmin_seq_length = 20\n" + TASK % "",
    "batch_size = 300\nmax_seq_length = {'classes': 50}\n" + TASK % "",
    "batch_size = 300\nmax_seq_length = {'data': 70}\nmin_seq_length = {'classes': 30}\n" + TASK % "",
    "batch_size = 300\nmax_seqs = 1\n" + TASK % "",
    "batch_size = 400\nmax_pad_size = 60\n" + TASK % "",
    'chunking = "20:10"\n' + SIZES + TASK % "",
    'chunking = "20"\n' + SIZES + TASK % "",
    "chunking = 25\n" + SIZES + TASK % "",
    "chunking = (20, 15)\n" + SIZES + TASK % "",
    'chunking = "0"\n' + SIZES + TASK % "",
    "chunking = None\n" + SIZES + TASK % "",
    'chunking = ({"data": 20, "classes": 20}, {"data": 10, "classes": 10})\n' + SIZES + TASK % "",
    'chunking = {"data": 30, "classes": 30}\n' + SIZES + TASK % "",
    'chunking = "30:15"\nmin_chunk_size = 10\n' + SIZES + TASK % "",
    'chunking = "30:15"\n' + SIZES + TASK % ', "chunking": "40:40", "min_chunk_size": 5',
    'chunking = "200:200"\nbatching = "random"\n' + SIZES + TASK % "",
    LARGE + META % ("", "classes", ', "seq_ordering": "random"'),
    'batching = "laplace:.6"\n' + LARGE + META % ("", "classes", ""),
    LARGE + META % (', "seq_ordering": "laplace:.6", "partition_epoch": 2', "classes", ', "seq_order_control_dataset": "a"'),
    "batch_size = {'data': 1600}\nmax_seqs = 5\n" + META % ("", "words", ', "seq_ordering": "sorted"'),
    "batch_size = 1600\nmax_seq_length = {'classes': 4}\n" + META % ("", "words", ""),
    LARGE + HDF % ', "seq_ordering": "random", "partition_epoch": 4',
    LARGE + HDF % ', "seq_ordering": "sorted", "unique_seq_tags": True',
    "batch_size = 1\n" + TASK % "",
    LARGE + META % ("", "classes", ', "seq_list_file": "LISTS/seq_lists.pkl", "seq_ordering": "laplace:.6"'),
    LARGE + META % ("", "words", ', "seq_list_file": {"a": "LISTS/seq_list.txt", "b": "LISTS/seq_list.txt"}, "seq_ordering": "random", "partition_epoch": 2'),
    LARGE + META % (', "seq_ordering": "sorted"', "words", ', "seq_list_file": {"a": "LISTS/seq_tags.txt", "b": "LISTS/seq_list.txt"}, "seq_order_control_dataset": "a"'),
    LARGE + META % ("", "classes", ', "seq_lens_file": "LISTS/seq_lens.json", "seq_list_file": "", "seq_ordering": "sorted"'),
    LARGE + HDF % ', "seq_order_seq_lens_file": "LISTS/seq_lens.txt.gz", "seq_ordering": "laplace:.4"',
    LARGE + META % (', "seq_order_seq_lens_file": "LISTS/seq_lens.txt.gz", "seq_ordering": "sorted_reverse"', "classes", ', "seq_order_control_dataset": "a"'),
)]
DEV = 'dev = {"class": "Task12AXDataset", "num_seqs": 15, "fixed_random_seed": 1%s}\n'
CASES += [(text + TASK % "", "dev") for text in (
    SIZES + DEV % "",
    'batching = "random"\nchunking = "30:10"\n' + SIZES + DEV % "",
    'chunking = "30:10"\nchunk_eval = True\n' + SIZES + DEV % "",
    'batching = "random"\n' + SIZES + DEV % ', "seq_ordering": "random"',
    'chunking = "30:10"\n' + SIZES + DEV % ', "chunking": "20:20"',
    "max_seq_length = 50\nmin_seq_length = 20\n" + SIZES + DEV % "",
)]
# Networks without recurrent layers: frames of all sequences in one row.
FRAMES = [(text, "train") for text in (
    "batch_size = 100\n" + TASK % "", SIZES + TASK % ', "seq_ordering": "random"', 'chunking = "30:10"\n' + SIZES + TASK % "",
    "batch_size = 5000\n" + TASK % "", "batch_size = 100\nmax_seq_length = 30\n" + TASK % "")]


def pieces(dataset, batch, keys):
    result = []
    for piece in batch.seqs:
        texts = []
        for key in keys:
            start, length = int(piece.seq_start_frame[key]), int(piece.frame_length[key])
            texts.append(f"{start}-{start + length}")
        if len(set(texts)) == 1:
            texts = texts[:1]
        dataset.load_seqs(piece.seq_idx, piece.seq_idx + 1)
        result.append(dataset.get_tag(piece.seq_idx).rpartition("-")[2] + ":" + ",".join(texts))
    return " ".join(result)


def batches_of(text, role, recurrent):
    with tempfile.NamedTemporaryFile("w", suffix=".config") as file:
        file.write("#!rnn.py\nuse_tensorflow = True\n" + text.replace("DATA", DATA).replace("LISTS", LISTS))
        file.flush()
        rnn.init_config(file.name, ["++log_verbosity", "1"])
    rnn.init_log()
    from returnn.tf.engine import Engine

    engine = Engine(config=rnn.config)
    engine.init_network_from_config = lambda config=None, **_: None
    config = rnn.config
    make = rnn.Dataset.get_default_kwargs_train if role == "train" else rnn.Dataset.get_default_kwargs_eval
    dataset, _ = rnn.load_data(config, 0, role, **make(config=config))
    engine.init_train_from_config(config, dataset if role == "train" else None, dataset if role != "train" else None, None)
    keys = sorted(["data", "classes"], key=lambda key: key != "data")
    epochs = []
    for epoch in (1, 2, 3):
        dataset.init_seq_order(epoch=epoch)
        options = dict(recurrent_net=recurrent, batch_size=engine.batch_size, max_seqs=engine.max_seqs, used_data_keys=set(keys))
        if role == "train":
            options.update(max_seq_length=engine.max_seq_length, min_seq_length=engine.min_seq_length, max_pad_size=engine.max_pad_size)
        elif role == "dev":
            options.update(max_seq_length=engine.max_seq_length)
        # Generated data are made front to back: once for the plan, once for the tags.
        plan = list(dataset._generate_batches(**{"max_seq_length": sys.maxsize, **options}))
        dataset.init_seq_order(epoch=epoch)
        epochs.append([pieces(dataset, batch, keys) for batch in plan])
    return epochs


def main():
    out = sys.stdout
    sys.stdout = sys.stderr
    cases = []
    for recurrent, group in ((True, CASES), (False, FRAMES)):
        for text, role in group:
            try:
                epochs = batches_of(text, role, recurrent)
            except Exception as error:
                print("not recorded:", text, type(error).__name__, error, file=sys.stderr)
                continue
            # Epochs that are as the first are left out.
            epochs = epochs[:1] if epochs[1:] == epochs[:1] * 2 else epochs
            cases.append({"config": text, "role": role, "recurrent": recurrent, "epochs": [" | ".join(steps) for steps in epochs]})
    out.write(json.dumps(cases, indent=1))


if __name__ == "__main__":
    main()
