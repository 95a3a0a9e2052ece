#!/usr/bin/env python3
"""docs/layers.md must be what the program prints, and `layers NAME` has own and general options: layers_doc_test.py WENDE [--write]"""
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs/layers.md"

printed = subprocess.run([sys.argv[1], "layers", "--markdown"], capture_output=True, text=True, check=True).stdout
if "--write" in sys.argv:
    PAGE.write_text(printed)
elif PAGE.read_text() != printed:
    sys.exit(f"{PAGE} is not what `wende layers --markdown` prints. Write it again: {' '.join(sys.argv)} --write")

one = subprocess.run([sys.argv[1], "layers", "linear"], capture_output=True, text=True, check=True).stdout
for option in ["with_bias", "dropout_noise_shape", "initial_output"]:
    if f"\n  {option} " not in one:
        sys.exit(f"`wende layers linear` does not show the option {option}:\n{one}")
