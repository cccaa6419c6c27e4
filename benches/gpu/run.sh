#!/usr/bin/env bash
# Parity, losses and training on one GPU, beside PyTorch on the same card, in under eight minutes.
#
#   benches/gpu/run.sh PROGRAMS MODEL DATA OUT [BACKEND] [PYTHON_DEVICE]
#
# PROGRAMS holds `plain/`, `fusion/` and `wgsl/`, each with `parity`, `measure` and `finetune`, made by
# `benches/gpu/build.sh PROGRAMS`. MODEL is a sentence-transformers directory (without weights it gets
# random ones), DATA holds the STS benchmark (stsb-en-train.csv, stsb-en-dev.csv). Every result is a file in
# OUT. BACKEND is `wgpu` if left out, PYTHON_DEVICE `cuda`; SKIP names parity runs that are left out, such as
# "plain-f32 plain-f64". Python needs sentence-transformers and torch.
set -uo pipefail
programs=$1 model=$2 data=$3 out=$4 backend=${5:-wgpu} device=${6:-cuda} skip=${SKIP:-}
cd "$(dirname "$0")/../.."
export HF_HUB_OFFLINE=1 PYTHONUNBUFFERED=1
mkdir -p "$out"
began=$SECONDS

note() { echo "[$((SECONDS - began)) s] $*"; }

# Writes what `$@` prints to `$out/NAME`, for at most LIMIT seconds.
keep() {
    local name=$1 limit=$2 rc=0
    shift 2
    timeout "$limit" "$@" >"$out/$name" 2>"$out/$name.err" || rc=$?
    note "$name: exit $rc"
    [ -s "$out/$name.err" ] || rm -f "$out/$name.err"
}

{
    date
    nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
    lscpu | grep -E '^(Model name|CPU\(s\))'
    python3 -c 'import torch, sentence_transformers as s; print("torch", torch.__version__, "sentence-transformers", s.__version__)'
} 2>&1 | tee "$out/machine"

# What does not depend on time runs at the same time.
for build in plain fusion wgsl; do
    for dtype in f32 f64; do
        [ -x "$programs/$build/parity" ] && [[ " $skip " != *" $build-$dtype "* ]] || continue
        keep "parity-$build-$dtype" 75 \
            "$programs/$build/parity" --backend "$backend" --dtype "$dtype" backends-tests/fixtures/*.json &
    done
done
python3 benches/gpu/random_weights.py "$model" 2>"$out/model.err"
wait
tail -qn 1 "$out"/parity-*[24]

finetune() {
    local build=$1 limit=$2
    keep "finetune-$build" "$limit" python3 benches/finetune.py "$programs/$build/finetune" "$data" --model "$model" \
        --device "$backend" --python-device "$device" --steps 80 --warm-up 30 \
        --losses CosineSimilarityLoss,MultipleNegativesRankingLoss
    cat "$out/finetune-$build"
}
finetune plain 90
finetune fusion 60

compare() {
    local build=$1 limit=$2
    shift 2
    keep "compare-$build" "$limit" python3 benches/compare.py "$programs/$build/measure" --backend "$backend" \
        --python-device "$device" --sizes 1024,4096,16384,65536 --dims 384 --longest 2 --large '' "$@"
    cat "$out/compare-$build"
}
compare plain 100 --losses MultipleNegativesRankingLoss,MegaBatchMarginLoss,BatchHardTripletLoss,CoSENTLoss
compare fusion 60 --losses MultipleNegativesRankingLoss,CoSENTLoss,BatchSemiHardTripletLoss

# What the default memory budget was chosen by: milliseconds for each number of rows and of bytes.
budgets() {
    local build=$1 rows mib
    for rows in 4096 16384 65536; do
        for mib in 32 128 512 2048; do
            keep "budget-$rows-$mib" 15 "$programs/$build/measure" --backend "$backend" --dim 384 --repeats 3 \
                --loss MultipleNegativesRankingLoss --batch "$rows" --options "{\"memory_budget\": $((mib << 20))}"
            cat "$out/budget-$rows-$mib"
        done
    done
}
budgets plain
note done
