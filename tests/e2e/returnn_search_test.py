#!/usr/bin/python3
"""Task search with a model that RETURNN trained (returnn_search/): the files that RETURNN's own search wrote.

returnn_search_test.py WENDE
Labels are equal to the last one, best hypotheses and whole beams; scores are close. On two processes the files are those of one.
"""
import ast
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

GIVEN = Path(__file__).resolve().parent / "returnn_search"
ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMP_NUM_THREADS="1")
WHOLE_BEAM = ("++search_output_layer", "output", "++search_output_file_format", "py")


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def search(wende, folder, ranks, name, *options):
    launcher = ["mpirun", "-n", str(ranks), "--oversubscribe", "--bind-to", "none"] if ranks > 1 else []
    command = [*launcher, str(Path(wende).resolve()), "search", "g2p.config", "++search_output_file", name, *options]
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    check(done.returncode == 0, f"{' '.join(command)}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return (folder / name).read_text()


def check_beams(found, expected):
    check(list(found) == list(expected), "other sequences, or in another order")
    for tag, hypotheses in expected.items():
        check([text for _, text in found[tag]] == [text for _, text in hypotheses], f"{tag}: {found[tag]}, RETURNN has {hypotheses}")
        for (score, _), (given, _) in zip(found[tag], hypotheses):
            check(abs(score - given) < 1e-4, f"{tag}: score {score}, RETURNN has {given}")


def main():
    wende = sys.argv[1]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in GIVEN.iterdir():
            shutil.copy(path, folder)
        best = search(wende, folder, 1, "one.txt")
        check(best == (GIVEN / "best.txt").read_text(), f"not RETURNN's hypotheses:\n{best}")
        beams = search(wende, folder, 1, "one.py", *WHOLE_BEAM)
        check_beams(ast.literal_eval(beams), ast.literal_eval((GIVEN / "beams.py.txt").read_text()))
        check(search(wende, folder, 2, "two.txt") == best, "two processes find other hypotheses than one")
        check(search(wende, folder, 2, "two.py", *WHOLE_BEAM) == beams, "two processes find other beams than one")
        print(f"{len(best.splitlines())} sequences: RETURNN's hypotheses and beams, on one and two processes")


if __name__ == "__main__":
    main()
