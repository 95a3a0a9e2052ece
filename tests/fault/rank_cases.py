#!/usr/bin/env python3
"""What ranks do with data: uneven epochs, RETURNN's horovod options, other numbers of ranks on resume, bad numbers.

rank_cases.py WENDE [CASE ...]      Expected parameters are computed from runs of one rank.
"""
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from fault_runs import Run, finish, main, read_safetensors

CONFIG = """
task = "train"
train = {{"class": "HDFDataset", "files": ["{data}"], "seq_ordering": "{ordering}", **{dataset}}}
extern_data = {{"data": {{"dim": 3}}, "classes": {{"dim": 5, "sparse": True}}}}
network = {{
    "lstm": {{"class": "rec", "unit": "lstm", "n_out": 4, "from": "data", "L2": {l2}}},
    "output": {{"class": "softmax", "loss": "ce", "from": "lstm"}},
    {layers}
}}
batch_size = 10000
max_seqs = {max_seqs}
learning_rate = {learning_rate}
num_epochs = {epochs}
log_verbosity = 5
model = "{model}"
{more}
"""
CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def write_hdf(path, sequences, poisoned=None):
    """Sequences by number: the same number is the same sequence in every file."""
    tags, inputs, classes, lengths = [], [], [], []
    for number in sequences:
        random = np.random.RandomState(number)
        length = random.randint(4, 9)
        rows = random.standard_normal((length, 3)).astype("float32")
        if number == poisoned:
            rows[1, 1] = 1000
        inputs.append(rows)
        classes.append(random.randint(0, 5, length).astype("int32"))
        lengths.append([length, length])
        tags.append(f"seq-{number}")
    with h5py.File(path, "w") as out:
        out.attrs.update(inputPattSize=3, numDims=1, numLabels=5, numSeqs=len(tags), numTimesteps=sum(map(len, inputs)))
        out["inputs"] = np.concatenate(inputs)
        out["seqLengths"] = np.array(lengths, dtype="int32")
        out.create_dataset("seqTags", data=tags, dtype=h5py.string_dtype())
        out.create_dataset("labels", data=[], dtype=h5py.string_dtype())
        out["targets/data/classes"] = np.concatenate(classes)
        out.create_dataset("targets/labels/classes", data=list("abcde"), dtype=h5py.string_dtype())
        out.create_group("targets/size").attrs["classes"] = np.array([5, 1])


class Box:
    def __init__(self, wende, folder):
        self.wende, self.folder, self.count = wende, folder, 0

    def config(self, sequences, max_seqs=1, learning_rate=0.05, epochs=1, more="", ordering="default", dataset="{}", l2=0,
               layers="", poisoned=None):
        self.count += 1
        self.model = self.folder / f"run{self.count}" / "m"
        data = self.folder / f"data{self.count}.hdf"
        write_hdf(data, sequences, poisoned)
        path = self.folder / f"run{self.count}.config"
        path.write_text(CONFIG.format(data=data, max_seqs=max_seqs, learning_rate=learning_rate, epochs=epochs, more=more,
                                      ordering=ordering, dataset=dataset, l2=l2, layers=layers, model=self.model))
        return path

    def params(self, epoch=1):
        loaded = read_safetensors(f"{self.model}.{epoch:03}.wende/params.safetensors")
        return {name: np.frombuffer(data, dtype=np.float32) for name, data in loaded.items()}

    def train(self, sequences, ranks=1, **kwargs):
        status, self.text = finish(self.wende, self.config(sequences, **kwargs), ranks)
        assert status == 0, self.text
        return self.params(kwargs.get("epochs", 1))


def assert_close(got, want, tolerance=2e-5):
    assert sorted(got) == sorted(want)
    for name, value in want.items():
        np.testing.assert_allclose(got[name], value, rtol=1e-3, atol=tolerance, err_msg=name)


def mean(a, b):
    return {name: (a[name] + b[name]) / 2 for name in a}


def steps(text):
    return len(re.findall(r"^train epoch 1, step", text, re.M))


HOROVOD = "use_horovod = True\n"


@case
def horovod_gradients(box):
    """Sums over the ranks, or means; with the learning rate times the number of ranks if asked for."""
    one = lambda **kw: box.train(range(8), max_seqs=2, **kw)
    two = lambda more, **kw: box.train(range(8), 2, max_seqs=1, more=HOROVOD + more, **kw)
    assert_close(two(""), one())
    assert_close(two("gradient_bucket_mb = 0.0001\n"), one())  # a sum for each parameter
    assert_close(two("horovod_avg_grad = True\n"), one(learning_rate=0.025))
    assert_close(two("horovod_scale_lr = True\n"), one(learning_rate=0.1))
    assert_close(two("horovod_avg_grad = True\nhorovod_scale_lr = True\n"), one())
    # Every rank has the whole loss, so the sum has each constraint once per rank.
    assert_close(two("", l2=0.02), one(l2=0.04))


@case
def horovod_parameters(box):
    """Each rank goes its own way; every n steps, and at the end of the epoch, the mean of the parameters."""
    more = HOROVOD + 'horovod_reduce_type = "param"\nadam = True\n'
    adam = "adam = True\n"
    own = [box.train(list(range(8))[rank::2], more=adam) for rank in range(2)]
    for sync in ["horovod_param_sync_step = 1000\n", "horovod_param_sync_step = 4\n"]:
        assert_close(box.train(range(8), 2, more=more + sync), mean(*own))
    # plain SGD: the mean of two steps from one point is a step with half the sum
    sgd = HOROVOD + 'horovod_reduce_type = "param"\nhorovod_param_sync_step = 1\n'
    assert_close(box.train(range(8), 2, more=sgd), box.train(range(8), max_seqs=2, learning_rate=0.025))
    # by time: with 0.0 s no interval is given, with a tiny one every step is a time
    timed = HOROVOD + 'horovod_reduce_type = "param"\nhorovod_param_sync_time_diff = 1e-9\n'
    assert_close(box.train(range(8), 2, more=timed), box.train(range(8), max_seqs=2, learning_rate=0.025))
    late = HOROVOD + 'horovod_reduce_type = "param"\nhorovod_param_sync_time_diff = 1000.0\nadam = True\n'
    assert_close(box.train(range(8), 2, more=late), mean(*own))


@case
def horovod_random_seed_offset(box):
    more = HOROVOD + 'horovod_reduce_type = "param"\nhorovod_param_sync_step = 1000\n'
    more += 'horovod_dataset_distribution = "random_seed_offset"\n'
    own = []
    for rank in range(2):
        offset = '{"random_seed_offset": %i}' % (16127 * rank)
        own.append(box.train(range(7), ordering="random", dataset=offset))
    assert any(not np.allclose(own[0][name], own[1][name]) for name in own[0])
    got = box.train(range(7), 2, ordering="random", more=more)
    assert_close(got, mean(*own))
    assert steps(box.text) == 7, box.text


@case
def uneven_data(box):
    """7 batches on 2 ranks: `join` takes all, in a last step with one rank; `drop` and RETURNN leave the last one out."""
    join = box.train(range(7), 2)
    assert steps(box.text) == 4
    drop = box.train(range(7), 2, more='uneven_data = "drop"\n')
    assert steps(box.text) == 3
    horovod = box.train(range(7), 2, more=HOROVOD)
    assert steps(box.text) == 3
    assert_close(join, box.train(range(7), max_seqs=2))
    assert_close(drop, box.train(range(6), max_seqs=2))
    assert_close(horovod, drop)


@case
def ten_and_thirteen_batches(box):
    """Each rank has data of its own. `drop`: ten steps, as of one rank with both batches; `join`: three more with those left."""
    for policy, count in [("drop", 10), ("join", 13)]:
        more = HOROVOD + f'horovod_dataset_distribution = "random_seed_offset"\nuneven_data = "{policy}"\n'
        config = box.config(range(10), more=more)
        other = box.folder / f"other{box.count}.hdf"
        write_hdf(other, range(20, 33))
        data = f'"files": ["{box.folder}/data{box.count}.hdf"]'
        text = config.read_text()
        assert data in text
        second = f'"files": ["{other}"] if os.environ["OMPI_COMM_WORLD_RANK"] == "1" else ["{box.folder}/data{box.count}.hdf"]'
        config.write_text("import os\n" + text.replace(data, second))
        status, text = finish(box.wende, config, 2)
        assert status == 0 and steps(text) == count, (status, text)
        got = box.params()
        both = [number for pair in zip(range(10), range(20, 30)) for number in pair]
        want = box.train(both, max_seqs=2)
        if policy == "join":
            start = f"{box.model}.001.wende"
            want = box.train(range(30, 33), more=f'import_model_train_epoch1 = "{start}"\n')
        assert_close(got, want)


def dumped_tags(path):
    with h5py.File(path) as file:
        return [tag.decode() if isinstance(tag, bytes) else tag for tag in file["seqTags"][:]]


@case
def resume_on_other_ranks(box):
    """Stopped on 2 ranks, gone on with 1, 3 and 2: each sequence of the epoch is seen exactly once."""
    for ranks in [1, 3, 2]:
        name = str(box.folder / f"tags-{ranks}-")
        dump = '"dump": {"class": "hdf_dump", "is_output_layer": True, "from": "output", "filename": os.environ["TAGS"]},'
        config = box.config(range(23), ordering="random", layers=dump, more="watchdog_timeout = 60")
        config.write_text("import os\n" + config.read_text())
        run = Run(box.wende, config, 2, fault="usr1@rank1:step4:forward", environment={"TAGS": name + "0.hdf"})
        assert run.end() == 75, run.text
        second = Run(box.wende, config, ranks, environment={"TAGS": name + "1.hdf"})
        assert second.end() == 0, second.text
        parts = dumped_tags(name + "0.hdf"), dumped_tags(name + "1.hdf")
        assert len(parts[0]) == 10, parts[0]
        assert sorted(parts[0] + parts[1]) == sorted(f"seq-{i}" for i in range(23)), parts
        assert ("goes on on" in second.text) == (ranks != 2), second.text
        if ranks == 2:  # the order of updates is the undisturbed run's
            resumed = box.params()
            whole = {"TAGS": name + "2.hdf"}
            config.write_text(config.read_text().replace(str(box.model), str(box.model) + "-whole"))
            status, text = finish(box.wende, config, 2, environment=whole)
            assert status == 0, text
            box.model = f"{box.model}-whole"
            for key, value in box.params().items():
                assert np.array_equal(value, resumed[key]), key


@case
def changed_dataset(box):
    config = box.config(range(9), epochs=2)
    run = Run(box.wende, config, 1, fault="usr1@rank0:step4:forward")
    assert run.end() == 75, run.text
    write_hdf(box.folder / f"data{box.count}.hdf", range(10))
    status, text = finish(box.wende, config, 1)
    assert status == 65 and "9 sequences" in text and "10 sequences" in text, (status, text)
    status, text = finish(box.wende, config, 1, arguments=["--allow-dataset-change"])
    assert status == 0, text


# exp(1000) is infinite in float32; the other sequences have small numbers.
POISONABLE = '"big": {"class": "activation", "activation": "exp", "from": "data"},'


def poisoned_config(box, sequences=range(12), more="", **kwargs):
    config = box.config(sequences, poisoned=7, layers=POISONABLE, more=more, **kwargs)
    config.write_text(config.read_text().replace('"n_out": 4, "from": "data"', '"n_out": 4, "from": "big"'))
    return config


@case
def non_finite(box):
    """Names layer and sequence, keeps the batch as a case, and writes no checkpoint with such numbers."""
    config = poisoned_config(box)
    status, text = finish(box.wende, config, 2)
    assert status == 80, (status, text)
    assert "epoch 1 step 3" in text and "sequences: seq-7" in text and "rank 1: layer 'big'" in text, text
    case_file = f"{box.model}.nonfinite.step000003.rank001.h5"
    assert os.path.exists(case_file) and not list(box.model.parent.glob("*.wende")), list(box.model.parent.iterdir())
    out = box.folder / "replayed.h5"
    replay = subprocess.run([box.wende, "replay", case_file, "--out", out], capture_output=True, text=True)
    assert replay.returncode == 0, replay.stderr
    with h5py.File(out) as file:
        assert np.isinf(file["outputs/train/big"][:]).any()
    with h5py.File(case_file) as file:
        assert file["inputs/seq_tag/data"][0] in (b"seq-7", "seq-7")
        assert file["inputs/data/data"][0, 1, 1] == 1000
    # The same with one sequence of the batch among finite ones: all tags of the batch are told.
    status, text = finish(box.wende, poisoned_config(box, max_seqs=3), 1)
    assert status == 80 and "sequences: seq-6, seq-7, seq-8" in text and "layer 'big'" in text, text


@case
def non_finite_with_sums_over_ranks(box):
    """The search for the layer, on one rank, must not wait for the others where the network sums over ranks."""
    config = poisoned_config(box, more="watchdog_timeout = 20\n")
    config.write_text(config.read_text().replace('"activation": "exp"', '"activation": "exp", "darc1": 1e-9'))
    status, text = finish(box.wende, config, 2)
    assert status == 80 and "rank 1: layer 'big'" in text and "sequences: seq-7" in text, (status, text)


@case
def skipped_steps(box):
    """The step is left out on all ranks; the rest is as if the batches of that step were not there."""

    def train(sequences, ranks, max_seqs, more):
        status, box.text = finish(box.wende, poisoned_config(box, sequences, max_seqs=max_seqs, more=more), ranks)
        return status

    assert train(range(12), 2, 1, "skip_nonfinite_steps = 1\n") == 0, box.text
    assert "no update (1 of at most 1 in a row)" in box.text, box.text
    got = box.params()
    assert train([0, 1, 2, 3, 4, 5, 8, 9, 10, 11], 1, 2, "") == 0, box.text
    assert_close(got, box.params())
    assert train([0, 7, 7, 1], 1, 1, "skip_nonfinite_steps = 1\n") == 80, box.text
    assert train([0, 7, 7, 1], 1, 1, "skip_nonfinite_steps = 2\n") == 0, box.text


@case
def diverging_run(box):
    """A learning rate of 1e30: the loss is infinite after the first update. Nothing is saved."""
    config = box.config(range(12), learning_rate=1e30)
    line = '"output": {"class": "linear", "activation": None, "n_out": 3, "loss": "mse", "target": "data", "from": "lstm"},'
    text = re.sub(r'"output": \{.*\},', line, config.read_text())
    config.write_text(text)
    status, text = finish(box.wende, config, 1)
    assert status == 80 and "epoch 1 step 1: the loss is inf" in text, (status, text)
    assert not list(box.model.parent.glob("*.wende")), text
    # RETURNN's switch: training goes on, but parameters that are not finite are still not saved.
    config.write_text(config.read_text() + "stop_on_nonfinite_train_score = False\n")
    status, text = finish(box.wende, config, 1)
    assert "No checkpoint: parameter 'lstm/" in text or "No checkpoint: parameter 'output/" in text, text
    assert not list(box.model.parent.glob("*.wende")), list(box.model.parent.iterdir())


@case
def trace_profile_and_map(box):
    trace = box.folder / "trace.json"
    config = box.config(range(8), epochs=2)
    status, text = finish(box.wende, config, 2, arguments=["--trace", str(trace), "--profile"])
    assert status == 0, text
    assert re.search(r"^rank 1: \S+, local rank 1, cpu, 1 thread, cores ", text, re.M), text
    assert re.search(r"^memory: \d+ MB in this process, 0\.0 MB of parameters, .* for the values of a step$", text, re.M), text
    assert re.search(r"^lstm +\d+\.\d+ +\d+\.\d%  \w", text, re.M), text
    events = json.loads(trace.read_text())
    for rank in range(2):
        own = [event for event in events if event["pid"] == rank and event["ph"] == "X"]
        names = {(event["tid"], event["name"]) for event in own}
        assert {(0, "compute"), (0, "input"), (0, "optimizer"), (1, "allreduce"), (2, "lstm")} <= names, names
        assert all(event["dur"] >= 0 and event["ts"] > -1e6 for event in own)
        assert len([event for event in own if event["name"] == "compute" and event["tid"] == 0]) == 8
    assert (3, "write checkpoint") in {(event["tid"], event["name"]) for event in events if event["pid"] == 0}


@case
def log_files(box):
    """`log`: rank 0's lines are those of stdout; every other rank has a file of its own; horovod's names are RETURNN's."""
    folder = box.folder / "logs"
    config = box.config(range(8), more=f'log = ["{folder}/run.log"]\n')
    status, text = finish(box.wende, config, 2)
    assert status == 0 and (folder / "run.log").read_text() == text, text
    other = (folder / "run.rank-1-2.log").read_text()
    assert "train epoch 1, step 3" in other and "Finished training" in other, other
    config = box.config(range(8), more=HOROVOD + f'log = "{folder}/hvd.log"\n')
    status, text = finish(box.wende, config, 2)
    assert status == 0, text
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["hvd.horovod-0-2.log", "hvd.horovod-1-2.log", "run.log", "run.rank-1-2.log"], names


if __name__ == "__main__":
    sys.exit(main(CASES, Box, "wende-ranks-"))
