"""Every loss beside sentence-transformers: time, and growth of the peak memory, forward and backward.

    pip install sentence-transformers==6.2.0 torch==2.9.0
    cargo build --profile fast -p backends-tests
    python benches/compare.py target/fast/measure > benches/RESULTS.md

Last come batches that only this crate can take (`--large ''`: none), without Python.

Options: `--losses`, `--sizes`, `--dims` (lists with commas), `--backend`, `--python-device` and `--longest`. Both sides
get random unit rows, one warm-up, and the same number of timed runs; printed are medians in
milliseconds, MiB, and the ratios Python / Rust (more than 1: Rust is better). `products` is what
the three matrix products of a ranking loss alone take on the Rust side, in the same process.
"""

import argparse
import json
import math
import os
import platform
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

SIZES, DIMS = [32, 256, 1024, 2048, 4096], [384, 768]
LOSSES = {  # columns, kind of labels
    "AnglELoss": (2, "half"),
    "BatchAllTripletLoss": (1, "class"),
    "BatchHardSoftMarginTripletLoss": (1, "class"),
    "BatchHardTripletLoss": (1, "class"),
    "BatchSemiHardTripletLoss": (1, "class"),
    "CircleLoss": (1, "class"),
    "ContrastiveLoss": (2, "half"),
    "CoSENTLoss": (2, "half"),
    "CosineSimilarityLoss": (2, "half"),
    "DistillKLDivLoss": (3, "scores"),
    "EmbedDistillLoss": (1, "rows"),
    "GlobalOrthogonalRegularizationLoss": (1, None),
    "MarginMSELoss": (3, "half"),
    "MegaBatchMarginLoss": (2, None),
    "MSELoss": (1, "rows"),
    "MultipleNegativesRankingLoss": (2, None),
    "MultiSimilarityLoss": (1, "class"),
    "OnlineContrastiveLoss": (2, "half"),
    "SigLipLoss": (2, None),
    "SoftmaxLoss": (2, "class"),
    "SupConLoss": (1, "class"),
    "TripletLoss": (3, None),
}


def repeats(n):
    return 30 if n <= 256 else 7 if n <= 2048 else 3


# ------------------------------------------------------------------------------------------ Python's side


def peak_mib():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def worker(device, longest):
    """Takes a case a line from stdin, answers with a line."""
    import torch

    sys.path.insert(0, str(Path(__file__).parents[1] / "backends-tests" / "goldens"))
    from reference import Problem, build_loss

    def synchronise():
        if device != "cpu":
            torch.cuda.synchronize()

    def unit(n, dim):
        return torch.nn.functional.normalize(torch.randn(n, dim)).to(device)

    for line in sys.stdin:
        loss, n, dim, classes, times = json.loads(line)
        columns, kind = LOSSES[loss]
        torch.manual_seed(0)
        rows = [unit(n, dim).requires_grad_() for _ in range(columns)]
        labels = {
            "class": lambda: torch.arange(n, device=device) % classes,
            "half": lambda: (torch.arange(n, device=device) % 2).float(),
            "rows": lambda: unit(n, dim),
            "scores": lambda: unit(n, columns - 1),
            None: lambda: None,
        }[kind]()
        config = {"num_labels": classes} if loss == "SoftmaxLoss" else {}
        criterion = build_loss(Problem(loss, config, rows)).to(device)

        def step():
            start = time.perf_counter()
            for row in rows:
                row.grad = None
            value = criterion([{"sentence_embedding": row} for row in rows], labels)
            (sum(value.values()) if isinstance(value, dict) else value).backward()
            synchronise()
            return (time.perf_counter() - start) * 1e3

        Path("/proc/self/clear_refs").write_text("5")
        before = peak_mib()
        if device != "cpu":
            torch.cuda.reset_peak_memory_stats()
            before = torch.cuda.memory_allocated() / 2**20
        step()
        taken, end = [], time.perf_counter() + longest / 2
        while len(taken) < times and time.perf_counter() < end:
            taken.append(step())
        peak = peak_mib() if device == "cpu" else torch.cuda.max_memory_allocated() / 2**20
        print(json.dumps([sorted(taken)[len(taken) // 2], peak - before]), flush=True)


class Python:
    """The worker, started again where a case killed it."""

    def __init__(self, device, longest):
        self.device, self.longest, self.process = device, longest, None

    def measure(self, loss, n, dim, classes):
        if self.process is None or self.process.poll() is not None:
            command = [sys.executable, __file__, "--worker", "--python-device", self.device]
            command += ["--longest", str(self.longest)]
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        print(json.dumps([loss, n, dim, classes, repeats(n)]), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        return (json.loads(line), None) if line else (None, "did not survive")


# -------------------------------------------------------------------------------------------- Rust's side


def rust(arguments, loss, n, dim, classes, times=None):
    command = [arguments.measure, "--loss", loss, "--batch", n, "--dim", dim, "--classes", classes, "--backend", arguments.backend]
    command += ["--repeats", times] if times else ["--repeats", repeats(n), "--products"]
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=10 * arguments.longest)
    except subprocess.TimeoutExpired:
        return None
    return json.loads(done.stdout) if done.returncode == 0 else None


# ------------------------------------------------------------------------------------------------- table


def cell(number, digits=2):
    return "–" if number is None else f"{number:.{digits}f}"


def processor():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")


def table(arguments):
    import sentence_transformers
    import torch

    print("# Beside sentence-transformers\n")
    print(
        f"{date.today():%d %B %Y}, {os.cpu_count()} cores of {processor()}, {platform.system()}; backend "
        f"`{arguments.backend}` against sentence-transformers {sentence_transformers.__version__} on PyTorch "
        f"{torch.__version__} ({arguments.python_device}). Forward and backward on random unit rows, medians. Ratios "
        "are Python / Rust: above 1, this crate needs less. The Rust program's allocator is mimalloc, as that of "
        "`finetune`. Made by `benches/compare.py`.\n"
    )
    print("| Loss | n | dim | ms | Python | ratio | extra MiB | Python | products ms | × products |")
    print("| :-- | --: | --: | --: | --: | --: | --: | --: | --: | --: |", flush=True)
    python, ratios = Python(arguments.python_device, arguments.longest), []
    for loss in arguments.losses:
        for dim in arguments.dims:
            for n in arguments.sizes:
                classes = 3 if loss == "SoftmaxLoss" else arguments.classes or max(n // 4, 1)
                ours = rust(arguments, loss, n, dim, classes)
                theirs, why = python.measure(loss, n, dim, classes)
                ms, extra = (ours["median_ms"], ours["extra_peak_mib"]) if ours else (None, None)
                ratio = theirs[0] / ms if ours and theirs else None
                ratios += [ratio] if ratio else []
                products = ours["products_ms"] if ours and loss == "MultipleNegativesRankingLoss" else None
                line = [loss, n, dim, cell(ms), cell(theirs[0]) if theirs else why, cell(ratio)]
                line += [cell(extra, 0), cell(theirs and theirs[1], 0), cell(products)]
                line += [cell(ms / products if products else None)]
                print("|", " | ".join(str(part) for part in line), "|", flush=True)
    if not ratios:
        return
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    slower = sum(ratio < 1 for ratio in ratios)
    print(f"\nGeometric mean of the {len(ratios)} ratios: {mean:.2f}; {slower} of them below 1.")


LARGE = [  # loss, n, dim, classes
    ("BatchAllTripletLoss", 1024, 384, 4),
    ("BatchAllTripletLoss", 8192, 384, 32),
    ("MultipleNegativesRankingLoss", 32768, 768, 1),
    ("MultipleNegativesRankingLoss", 131072, 128, 1),
]


def large_table(arguments):
    print("\n## Large batches\n")
    print("One run each after a warm-up; Python where one matrix of all pairs fits into 4 GiB.\n")
    print("| Loss | n | dim | classes | s | Python | ratio | extra MiB | one n × n matrix, MiB |")
    print("| :-- | --: | --: | --: | --: | --: | --: | --: | --: |", flush=True)
    python = Python(arguments.python_device, arguments.longest)
    for loss, n, dim, classes in LARGE:
        ours = rust(arguments, loss, n, dim, classes, 1)
        theirs = python.measure(loss, n, dim, classes)[0] if n < 2048 else None
        ms, extra = (ours["median_ms"], ours["extra_peak_mib"]) if ours else (None, None)
        seconds, other = ms and ms / 1e3, theirs and theirs[0] / 1e3
        ratio = other / seconds if seconds and other else None
        line = [loss, n, dim, classes, cell(seconds, 3), cell(other, 3), cell(ratio, 1), cell(extra, 0)]
        print("|", " | ".join(str(part) for part in [*line, n * n * 4 // 2**20]), "|", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measure", nargs="?", type=Path)
    numbers = lambda text: [int(part) for part in text.split(",")]
    parser.add_argument("--losses", type=lambda text: text.split(","), default=list(LOSSES))
    parser.add_argument("--sizes", type=numbers, default=SIZES)
    parser.add_argument("--dims", type=numbers, default=DIMS)
    parser.add_argument("--classes", type=int, help="classes of labelled batches; a quarter of n if left out")
    parser.add_argument("--backend", default="flex")
    parser.add_argument("--python-device", default="cpu")
    parser.add_argument("--longest", type=float, default=90, help="seconds for one case; ours is stopped after ten times that")
    parser.add_argument("--large", default="yes", help="large batches as well; '' for none")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        return worker(arguments.python_device, arguments.longest)
    if arguments.measure is None:
        parser.error("give the path of the program `measure`")
    unknown = set(arguments.losses) - set(LOSSES)
    if unknown:
        parser.error(f"no such loss: {', '.join(sorted(unknown))}")
    table(arguments)
    if arguments.large:
        large_table(arguments)


if __name__ == "__main__":
    main()
