#!/usr/bin/python3
"""The task search on one and two processes: the files that it writes, and the edit distance that it reports.

search_test.py WENDE
"""
import ast
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy

ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMP_NUM_THREADS="1")
LABELS = ["</s>", "a", "b'", "ɐ", "dd"]
WORDS = [[1, 2, 3], [4], [2, 2, 1, 4], [3, 1], [1, 4, 4, 3, 2], [2, 3], [4, 1, 2]]

CONFIG = """
train = {"class": "HDFDataset", "files": ["words.hdf"]}
dev = {"class": "HDFDataset", "files": ["words.hdf"]}
search_data = "dev"
extern_data = {"data": {"dim": 5, "sparse": True}, "classes": {"dim": 5, "sparse": True}, "words": {"dim": 5, "sparse": True}}
batch_size = 100
network = {
    "embed": {"class": "linear", "activation": None, "n_out": 8, "from": "data"},
    "enc": {"class": "rec", "unit": "nativelstm2", "n_out": 8, "from": "embed"},
    "output": {"class": "rec", "from": [], "target": "classes", "max_seq_len": "max_len_from('base:enc') + 1", "unit": {
        "output": {"class": "choice", "target": "classes", "beam_size": 3, "from": "prob", "initial_output": 0},
        "end": {"class": "compare", "kind": "equal", "value": 0, "from": "output"},
        "label": {"class": "linear", "activation": None, "n_out": 6, "from": "output", "initial_output": 0},
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 8, "from": ["prev:label", "prev:att"]},
        "energy": {"class": "dot", "red1": "F", "red2": "F", "var1": "T", "var2": None, "from": ["base:enc", "s"]},
        "weights": {"class": "softmax_over_spatial", "from": "energy"},
        "att": {"class": "generic_attention", "weights": "weights", "base": "base:enc"},
        "prob": {"class": "softmax", "target": "classes", "loss": "ce", "from": ["s", "att"]}}},
    "decision": {"class": "decide", "from": "output", "target": "words", "loss": "edit_distance", "only_on_search": True},
}
search_output_layer = "decision"
optimizer = {"class": "adam"}
learning_rate = 0.02
num_epochs = 6
model = "net"
"""


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def write_words(path):
    with h5py.File(path, "w") as file:
        flat = lambda rows: numpy.array([label for row in rows for label in row], "int32")
        with_end = [word + [0] for word in WORDS]
        file["inputs"] = flat(WORDS)
        file.attrs.update({"numSeqs": len(WORDS), "numTimesteps": sum(map(len, WORDS)), "inputPattSize": 5, "numDims": 1, "numLabels": 5})
        file["seqLengths"] = numpy.array([[len(word), len(word) + 1, len(word)] for word in WORDS], "int32")
        file["seqTags"] = [f"word-{i}".encode() for i in range(len(WORDS))]
        file["labels"] = [label.encode() for label in LABELS]
        for key, rows in (("classes", with_end), ("words", WORDS)):
            file[f"targets/data/{key}"] = flat(rows)
            file[f"targets/labels/{key}"] = [label.encode() for label in LABELS]
            file.require_group("targets/size").attrs[key] = [5, 1]


def run(wende, folder, ranks, *options, status=0):
    launcher = ["mpirun", "-n", str(ranks), "--oversubscribe", "--bind-to", "none"] if ranks > 1 else []
    command = launcher + [str(Path(wende).resolve()), *options]
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    check(done.returncode == status, f"{' '.join(command)}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def edit_distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a):
        following = [i + 1]
        for j, y in enumerate(b):
            following.append(min(following[j] + 1, row[j + 1] + 1, row[j] + (x != y)))
        row = following
    return row[-1]


def search(wende, folder, ranks, name, *options):
    text = run(wende, folder, ranks, "search", "test.config", "++search_output_file", name, "++max_seqs", "2", *options)
    return (folder / name).read_text(), text


def main():
    wende = sys.argv[1]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_words(folder / "words.hdf")
        (folder / "test.config").write_text(CONFIG)
        run(wende, folder, 1, "train", "test.config")
        decided, text = search(wende, folder, 1, "decided.txt")
        lines = decided.split("\n")
        check(len(lines) == len(WORDS) + 1 and lines[-1] == "", decided)
        found = [[LABELS.index(label) for label in line.split()] for line in lines[:-1]]
        distance = sum(edit_distance(a, b) for a, b in zip(found, WORDS))
        error = float(re.search(r"Search done. Num steps \d+, Final: .* error (\S+)", text)[1])
        check(abs(error - distance / sum(map(len, WORDS))) < 1e-5, f"error {error}, distance {distance}\n{decided}")
        check(distance < sum(map(len, WORDS)), f"nothing was learned: {decided}")

        as_python, _ = search(wende, folder, 1, "decided.py", "++search_output_file_format", "py")
        check(list(ast.literal_eval(as_python).items()) == [(f"word-{i}", line) for i, line in enumerate(lines[:-1])], as_python)
        beam, _ = search(wende, folder, 1, "beam.py", "++search_output_file_format", "py", "++search_output_layer", "output")
        for line, hypotheses in zip(lines, ast.literal_eval(beam).values()):
            check(len(hypotheses) == 3 and max(hypotheses)[1] == line, f"{line}: {hypotheses}")
            check([score for score, _ in hypotheses] == sorted((score for score, _ in hypotheses), reverse=True), hypotheses)
        for made, options in ((decided, ()), (beam, ("++search_output_file_format", "py", "++search_output_layer", "output"))):
            other, _ = search(wende, folder, 2, f"ranks{len(options)}", *options)
            check(other == made, f"two ranks:\n{other}\none:\n{made}")
        text = run(wende, folder, 1, "search", "test.config", "++search_output_file", "decided.txt", status=73)
        check("exists already" in text, text)
        text = run(wende, folder, 1, "search", "test.config", "++search_output_layer", "nothing", status=78)
        check("no layer of the network" in text, text)
    print("search: files, formats, ranks, edit distance as expected")


if __name__ == "__main__":
    main()
