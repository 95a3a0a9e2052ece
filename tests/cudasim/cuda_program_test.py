#!/usr/bin/env python3
"""The program that nvcc made starts, and says what is wrong on a machine without driver or GPU; with one it trains.

cuda_program_test.py WENDE
"""
import subprocess
import sys
import tempfile
from pathlib import Path

from device_choice_test import CONFIG


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = folder / "small.config"
        config.write_text(CONFIG + f'model = "{folder}/model"\n')
        done = subprocess.run([sys.argv[1], config, "--device", "gpu"], capture_output=True, text=True, timeout=120)
        text = done.stdout + done.stderr
        if done.returncode == 0:
            assert "GPU 0: NVIDIA" in text, text
            print("trained on a GPU")
        else:
            assert done.returncode == 2, (done.returncode, text)
            assert "there is no NVIDIA driver" in text or "there is no GPU that this process can see" in text, text
            print("no GPU here, and the program says so")
        done = subprocess.run([sys.argv[1], config, "--device", "cpu"], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "NCCL 2" in done.stdout, done.stdout


if __name__ == "__main__":
    main()
