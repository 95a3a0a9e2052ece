#!/usr/bin/env bash
# For a machine with a GPU but without compilers or libraries for them: one file with the programs that launch/gpu-check.sh runs, what they link (but
# NVIDIA's libraries and libc, which must be there), and Python's library for configs. Unpack it anywhere; `. PACK/env.sh` finds the rest.
#   launch/gpu-pack.sh [FILE]       default out/gpu-pack.tar.xz
#   BUILD=build/cuda-pack: configured with nvcc for ARCHITECTURE (default 90) and any x86-64 processor if it is not there yet; JOBS: of the build
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="/usr/bin:$PATH:/usr/local/cuda/bin"
build=${BUILD:-build/cuda-pack}
file=${1:-out/gpu-pack.tar.xz}
programs=(wende tests/ops_test tests/network_test tests/optim_test bench/wende_bench_step bench/wende_bench_kernels_gpu)

if [ -z "${BUILD:-}" ]; then
  if [ ! -f "$build/build.ninja" ]; then
    cmake --preset cuda -B "$build" -DCMAKE_CUDA_ARCHITECTURES="${ARCHITECTURE:-90}" -DWENDE_NATIVE=OFF -DWENDE_BENCH=ON \
      -DCMAKE_CXX_FLAGS=-march=x86-64-v3
  fi
  cmake --build "$build" -j "${JOBS:-$(nproc)}" --target "${programs[@]##*/}"
fi

pack=$(mktemp -d)/gpu-pack
trap 'rm -rf "$(dirname "$pack")"' EXIT
mkdir -p "$pack"/{bin,tests,bench,lib,lib-of-compiler}
for program in "${programs[@]}"; do  # where a build has it, what starts it: other programs must not see these libraries
  strip -o "$pack/bin/${program##*/}" "$build/$program"
  printf '#!/bin/sh\nhere=$(cd "$(dirname "$0")/%s" && pwd)\nLD_LIBRARY_PATH=$here/lib:$WENDE_LIBRARIES exec "$here/bin/%s" "$@"\n' \
    "$([[ $program == */* ]] && echo .. || echo .)" "${program##*/}" >"$pack/$program"
  chmod +x "$pack/$program"
done

# What is missing there by name is missing in the pack: better found here.
if missing=$(ldd "$pack"/bin/* | grep 'not found' | grep -vE 'libcu(dart|blas|dnn)|libnccl'); then
  echo "gpu-pack: $missing" >&2
  exit 1
fi
ldd "$pack"/bin/* | awk '$2 == "=>" && $3 ~ /^\// {print $1, $3}' | sort -u | while read -r name path; do
  case $name in
    libc.so.* | libm.so.* | libdl.so.* | libpthread.so.* | librt.so.* | libresolv.so.*) ;;
    libcuda.so* | libcudnn* | libcublas* | libnccl*) ;;
    libstdc++.so.* | libgcc_s.so.*) cp -L "$path" "$pack/lib-of-compiler/$name" ;;
    *) strip -o "$pack/lib/$name" "$path" ;;
  esac
done

# The programs look for the modules of Python beside its library.
library=$(ldd "$pack/bin/wende" | awk '$1 ~ /^libpython/ {print $1}')
version=${library#lib}
version=${version%%.so*}
source=$(/usr/bin/"$version" -c 'import os; print(os.path.dirname(os.__file__))')
mkdir "$pack/lib/$version"
tar -C "$source" -c --dereference --exclude=__pycache__ --exclude='./config-*' --exclude=./test --exclude=./idlelib --exclude=./tkinter --exclude=./lib2to3 \
  --exclude=./ensurepip --exclude=./pydoc_data --exclude=./distutils --exclude=./dist-packages --exclude=./site-packages . | tar -C "$pack/lib/$version" -x

cat >"$pack/env.sh" <<'ENV'
# Sourced by launch/gpu-check.sh: where the programs of this pack find what it does not hold. NVIDIA's libraries may belong to a Python package.
WENDE_LIBRARIES=$(python3 -c 'import glob, sys; print(":".join(d for p in sys.path for d in sorted(glob.glob(p + "/nvidia/*/lib"))))' 2>/dev/null)
for folder in /usr/local/cuda/lib64 /usr/local/cuda/lib /usr/lib/x86_64-linux-gnu; do
  [ ! -d "$folder" ] || WENDE_LIBRARIES=${WENDE_LIBRARIES:+$WENDE_LIBRARIES:}$folder
done
if ! ldconfig -p 2>/dev/null | grep -q 'libstdc++.so.6'; then
  WENDE_LIBRARIES=$WENDE_LIBRARIES:$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib-of-compiler
fi
export WENDE_LIBRARIES
ENV
mkdir -p "$(dirname "$file")"
# The programs hold the same kernels: a dictionary larger than one of them finds the others' in it. The file must travel with the project's tree, in 64 MiB.
tar -C "$(dirname "$pack")" -c gpu-pack | xz -T1 --lzma2=preset=2,dict=96MiB >"$file"
echo "$file: $(du -h "$file" | cut -f1)"
