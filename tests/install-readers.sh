#!/usr/bin/env bash
# The packages that read what Wende writes, for the tests: TensorBoard's EventAccumulator and RETURNN's HDFDataset, in a Python environment outside of the
# checkout. Prints its interpreter. Done once; without a network it prints nothing, and the tests that need it are skipped by name.
set -euo pipefail
home=${WENDE_TEST_READERS:-${XDG_CACHE_HOME:-$HOME/.cache}/wende/test-readers}
packages=(tensorboard==2.15.2 returnn==1.20261022.211313 "numpy<2" "setuptools<81" h5py)
if [ ! -e "$home/complete" ]; then
  rm -rf "$home"
  {
    /usr/bin/python3 -m venv "$home" || /usr/bin/python3 -m venv --without-pip "$home"
    pip=("$home/bin/python" -m pip)
    "${pip[@]}" --version || pip=(/usr/bin/python3 -m pip --python "$home/bin/python")
    "${pip[@]}" install --quiet --timeout 15 --retries 1 --disable-pip-version-check "${packages[@]}"
    "$home/bin/python" -c "import tensorboard, h5py, returnn"
  } >&2 || { echo "no test readers (pip failed): the tests tensorboard and returnn_reads_dumps are skipped" >&2; exit 0; }
  touch "$home/complete"
fi
echo "$home/bin/python"
