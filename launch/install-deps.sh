#!/usr/bin/env bash
# Installs what Wende needs on Debian 12 (as root, or through sudo). Does nothing if all of it is there.
# ocl-icd-opencl-dev: oneDNN's CMake file asks for OpenCL, which Debian only recommends beside libdnnl-dev.
# iproute2: tests that pretend several hosts.
set -euo pipefail
packages=(g++ cmake ninja-build ccache pkg-config git libopenmpi-dev openmpi-bin libhdf5-dev libdnnl-dev ocl-icd-opencl-dev libfmt-dev
  libcli11-dev pybind11-dev libpython3-dev zlib1g-dev libgtest-dev libbenchmark-dev python3-h5py python3-numpy
  python3-venv iproute2
  clang-format-14 clang-tidy-14)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q "install ok installed" || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  exit 0
fi
echo "installing: ${missing[*]}"
sudo=()
if [ "$(id -u)" -ne 0 ]; then
  sudo=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
"${sudo[@]}" apt-get update -qq
"${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
