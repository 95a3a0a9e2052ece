#!/usr/bin/env bash
# From a fresh Debian 12 with git and apt to a trained network: installs, builds, trains on 2 processes, evaluates, forwards.
# Run it again at any time: what is installed and built is kept; the training goes on where it was (a finished one is not repeated).
# launch/quickstart.sh --fresh trains from the beginning.
set -euo pipefail
cd "$(dirname "$0")/.."
out=out/quickstart
config=configs/spoken-digits.lstm.config
case "${1:-}" in
  "") ;;
  --fresh) rm -rf "$out" ;;
  *) echo "usage: launch/quickstart.sh [--fresh]" >&2; exit 2 ;;
esac

step() { printf '\n== %s\n' "$*"; }

step "install what is missing"
launch/install-deps.sh

step "build"
cmake --preset cpu >/dev/null
cmake --build --preset cpu --target wende
wende=build/cpu/wende

# mpirun refuses root (containers) without these; 2 processes run also where there is one core.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1
mpirun=(mpirun -n 2 --oversubscribe --bind-to none)
options=(++model "$out/model" ++learning_rate_file "$out/learning_rates" ++output_file "$out/posteriors.dev.hdf")
mkdir -p "$out"

step "the network"
"$wende" check "$config"

step "train: ${mpirun[*]} $wende $config"
"${mpirun[@]}" "$wende" train "$config" "${options[@]}"

step "evaluate on dev (frame error)"
"$wende" eval "$config" "${options[@]}"

step "forward dev: the posteriors of every frame into a HDF file"
rm -f "$out/posteriors.dev.hdf"
"${mpirun[@]}" "$wende" forward "$config" "${options[@]}"

last=$(ls -d "$out"/model.[0-9]*.wende | tail -1)
cat <<END

Done. Everything is in $out:
  model.NNN.wende/      checkpoint of an epoch: safetensors with RETURNN's parameter names, and the optimiser's state
  learning_rates        scores and learning rates of all epochs, in RETURNN's format
  posteriors.dev.hdf    one row of 34 posteriors per frame, in the layout that RETURNN's HDFDataset reads
Look at them:
  $wende inspect $last
  $wende inspect $out/posteriors.dev.hdf
  /usr/bin/python3 -c "import h5py; f = h5py.File('$out/posteriors.dev.hdf'); print(f['seqTags'][0], f['inputs'][:3].argmax(1))"
Train something else:
  $wende configs/12ax.lstm.config
  mpirun -n 2 $wende configs/lstm.500.config ++num_epochs 2    (as root: mpirun --allow-run-as-root)
END
