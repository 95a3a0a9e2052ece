#!/usr/bin/python3
"""configs/synthetic-gradients.config learns below its interfaces: better than with layers that get no gradient, not as well as with the true one.

synthetic_gradient_test.py WENDE
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from run_e2e import ENVIRONMENT, ROOT, check

VARIANTS = {"decoupled": ("", ""), "true gradient": ("decoupled = True", "decoupled = False"), "no gradient": ("meta_loss_scale = 1.0", "meta_loss_scale = 0.0")}


def dev_score(wende, text, folder):
    config = folder / "variant.config"
    config.write_text(text)
    options = ["++num_epochs", "12", "++model", folder / "model", "++learning_rate_file", folder / "rates", "++log_verbosity", "5"]
    done = subprocess.run([wende, config, *options], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    check(done.returncode == 0, done.stdout + done.stderr)
    meta = [float(cost) for cost in re.findall(r"cost:interface1/synthetic_grad (\S+),", done.stdout)]
    return float(re.findall(r"^dev: score (?:\S+ \S+ )*?output (\S+)|^dev: score ([\d.]+)", done.stdout, re.M)[-1][-1]), meta


def main():
    wende = str(Path(sys.argv[1]).resolve())
    original = (ROOT / "configs/synthetic-gradients.config").read_text()
    scores = {}
    for name, (old, new) in VARIANTS.items():
        check(old in original, f"the config has no '{old}'")
        with tempfile.TemporaryDirectory() as folder:
            scores[name], meta = dev_score(wende, original.replace(old, new), Path(folder))
            check((len(meta) > 0) == (name != "true gradient"), f"{name}: {meta[:3]}")
    print(scores)
    check(scores["true gradient"] < scores["decoupled"] < scores["no gradient"] - 0.1, scores)
    return 0


if __name__ == "__main__":
    sys.exit(main())
