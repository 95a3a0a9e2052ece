#!/usr/bin/python3
"""What helps to find mistakes: a recorded step replays as it was, --debug names the first bad layer, shells complete.

debugging_test.py WENDE
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy

from run_e2e import CONFIG, check

ENVIRONMENT = dict(os.environ, OMP_NUM_THREADS="1")
NAN = """
task = "train"
train = {"class": "Task12AXDataset", "num_seqs": 100}
num_inputs = 9
num_outputs = 2
batch_size = 1000
network = {
    "good": {"class": "linear", "activation": "tanh", "n_out": 5, "from": "data"},
    "bad": {"class": "eval", "eval": "tf.math.log(source(0) - 2.0)", "from": "good"},
    "after": {"class": "linear", "activation": "tanh", "n_out": 5, "from": "bad"},
    "output": {"class": "softmax", "loss": "ce", "from": "after", "target": "classes"},
}
"""


def run(wende, folder, *words, status=0):
    done = subprocess.run([wende, *map(str, words)], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    check(done.returncode == status, f"{words}: status {done.returncode}, wanted {status}\n{done.stdout}{done.stderr}")
    return done


def numbers(path, group):
    values = {}
    with h5py.File(path) as file:
        file[group].visititems(lambda name, item: values.__setitem__(name, item[()]) if isinstance(item, h5py.Dataset) else None)
    return values


def test_recorded_step(wende, folder):
    """With dropout: the random numbers must be those of that step, and the parameters those after 60 updates."""
    log = run(wende, folder, "train", CONFIG, "--record-step", "60", "case.h5", "++num_epochs", "1", "++model", "model", "++log_verbosity", "5",
              "++learning_rate_file", "rates").stdout
    run(wende, folder, "replay", "case.h5", "--out", "out.h5")
    for group in ("losses/train", "total/train", "grads"):
        recorded, replayed = numbers(folder / "case.h5", group), numbers(folder / "out.h5", group)
        check(set(recorded) == set(replayed) and recorded, f"{group}: {sorted(recorded)} and {sorted(replayed)}")
        for name, value in recorded.items():
            check(numpy.array_equal(value, replayed[name]), f"{group}/{name}: {value} was recorded, {replayed[name]} replayed")
    loss = re.search(r"train epoch 1, step 60, .*?, loss ([-0-9.e+]+)", log)[1]
    check(numpy.float32(loss) == numbers(folder / "case.h5", "total/train")["objective"], f"the log says {loss}")
    with h5py.File(folder / "case.h5") as case:
        lengths = case["inputs/data/sizes"][()]
        check(case["inputs/data/data"].shape == (10, lengths.max(), 9) and len(case["inputs/seq_tag/data"]) == 10, "the batch")
        check(b"num_epochs = 1" in case["config"][()], "the command line belongs to the case's config")


def test_record_step_is_for_one_step_of_one_rank(wende, folder):
    beyond = run(wende, folder, "train", CONFIG, "--record-step", "60000", "case3.h5", "++num_epochs", "1", "++model", "beyond")
    check("warning: step 60000 is not recorded" in beyond.stdout and not (folder / "case3.h5").exists(), beyond.stdout)
    text = run(wende, folder, "train", CONFIG, "--record-step", "x", "case2.h5", status=2).stderr
    check("'x' is no step" in text and not (folder / "case2.h5").exists(), text)


def test_debug_names_the_first_bad_layer(wende, folder):
    (folder / "nan.config").write_text(NAN)
    text = run(wende, folder, "train", "nan.config", "--debug", status=80).stderr
    check("bad" in text and "after" not in text and "output" not in text, text)
    plain = run(wende, folder, "train", "nan.config", status=80).stderr
    check("epoch 1 step 0" in plain, plain)


def test_printed_layers(wende, folder):
    """debug_print_layer_output: type, shape and first numbers of the layer, once in each step."""
    (folder / "print.config").write_text(NAN.replace("source(0) - 2.0", "source(0) + 2.0").replace('"n_out": 5, "from": "data"', '"n_out": 5, "from": "data", "debug_print_layer_output": {"summarize": 3}'))
    done = run(wende, folder, "train", "print.config", "++num_epochs", "1", "++log_verbosity", "5")
    text = done.stdout + done.stderr
    lines = re.findall(r"^good float32 \[\d+,\d+,5\] \[(\S+) (\S+) (\S+?)\W*\]?", text, re.M)
    steps = len(re.findall(r"^train epoch 1, step \d+", text, re.M))
    check(steps > 0 and len(lines) == steps, f"{len(lines)} lines in {steps} steps:\n{text}")
    check(all(-1 <= float(x) <= 1 for line in lines for x in line[:2]), f"{lines}")


def complete(wende, words):
    script = 'source <("$0" completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _wende; printf "%s\\n" "${COMPREPLY[@]}"'
    environment = {**ENVIRONMENT, "PATH": f"{Path(wende).parent}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script, wende, *words], capture_output=True, text=True, env=environment, cwd="/")
    check(done.returncode in (0, 1) and not done.stderr, done.stderr)
    return set(done.stdout.split())


def test_completion(wende, folder):
    check({"check", "completion"} <= complete(wende, ["wende", "c"]), "commands")
    check("--record-step" in complete(wende, ["wende", "train", "--re"]), "options")
    check({"softmax", "softmax_over_spatial"} <= complete(wende, ["wende", "layers", "softm"]), "layer classes")
    for shell in ("bash", "zsh", "fish"):
        script = run(wende, folder, "completion", shell).stdout
        (folder / "script").write_text(script)
        if shutil.which(shell):
            done = subprocess.run([shell, "-n", folder / "script"], capture_output=True, text=True)
            check(done.returncode == 0, f"{shell}: {done.stderr}")
    run(wende, folder, "completion", "ksh", status=2)


def main():
    wende = str(Path(sys.argv[1]).resolve())
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        for name, test in list(globals().items()):
            if name.startswith("test_"):
                try:
                    test(wende, Path(folder))
                    print(f"{name}: ok", flush=True)
                except AssertionError as error:
                    failed.append(name)
                    print(f"{name}: FAILED: {error}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
