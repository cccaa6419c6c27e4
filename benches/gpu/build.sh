#!/usr/bin/env bash
# Builds the programs that `run.sh` takes to a machine with a GPU: benches/gpu/build.sh PROGRAMS
set -euo pipefail
programs=$(realpath -m "$1")
cd "$(dirname "$0")/../.."
target=${CARGO_TARGET_DIR:-target}

build() {
    local name=$1 features=$2
    cargo build --locked --release -p backends-tests -p finetune --bin parity --bin measure --bin finetune \
        --features "$features"
    mkdir -p "$programs/$name"
    for program in parity measure finetune; do
        strip -o "$programs/$name/$program" "$target/release/$program"
    done
}
build plain wgpu,vulkan
build fusion wgpu,vulkan,fusion
build wgsl wgpu
