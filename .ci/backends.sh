# Sourced: gives a Debian machine what the backends need beside Rust, and keeps it for the next run.
#   libtorch  PyTorch from PyPI in a virtual environment
#   wgpu      a Vulkan driver; without a GPU the one that computes on the CPU

cache="${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/burn-embedding-losses"
mkdir -p "$cache"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$cache/target}"

install() {
    local root=()
    [ "$(id -u)" -eq 0 ] || root=(sudo)
    "${root[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${root[@]}" apt-get install -y -qq --no-install-recommends "$@"
}

command -v c++ >/dev/null || install g++
ls /usr/share/vulkan/icd.d/*.json /etc/vulkan/icd.d/*.json >/dev/null 2>&1 ||
    install libvulkan1 mesa-vulkan-drivers
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-$cache/runtime}"
mkdir -p -m 700 "$XDG_RUNTIME_DIR"

torch="$cache/torch-2.9.0"
if [ ! -e "$torch/complete" ]; then
    rm -rf "$torch"
    python3 -m venv "$torch" 2>/dev/null || { install python3-venv && python3 -m venv "$torch"; }
    "$torch/bin/pip" install --quiet --no-cache-dir torch==2.9.0
    touch "$torch/complete"
fi
export LIBTORCH_USE_PYTORCH=1 PATH="$torch/bin:$PATH"
libtorch="$("$torch/bin/python" -c 'import os, torch; print(os.path.dirname(torch.__file__) + "/lib")')"
export LD_LIBRARY_PATH="$libtorch${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
