"""Writes the parity fixtures of `gather_across_devices=True`: the library's own class in several processes (gloo).

Every process has its rows of the batch, as many as the others. Value and gradients are averaged over processes, as
data-parallel training does it: the gradient of a row is what all processes say of it, over their number.
"""

import os
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

import fixture
from case import Case
from ranking_cases import ALL_DIRECTIONS, BOTH_WAYS, TO_DOC, ranking_options
from reference import Answer, Problem, evaluate

FOLDER = Path(__file__).parent.parent / "fixtures-gathered"

# rows of a process, dim, columns, similarity, scale, directions, partition, hardness (mode and strength)
RANKING = [
    (4, 5, 2, "cos_sim", 20.0, TO_DOC, "joint", ...),
    (3, 4, 3, "cos_sim", 10.0, TO_DOC, "joint", ...),
    (3, 4, 4, "dot_score", 2.0, ALL_DIRECTIONS, "joint", ...),
    (3, 5, 3, "cos_sim", 5.0, BOTH_WAYS, "per_direction", ...),
    (2, 4, 3, "cos_sim", 10.0, TO_DOC, "joint", ("in_batch_negatives", 9.0)),
    (2, 4, 3, "cos_sim", 10.0, TO_DOC, "joint", ("hard_negatives", 5.0)),
    (2, 4, 3, "cos_sim", 10.0, ALL_DIRECTIONS, "joint", ("all_negatives", 3.0)),
    (1, 3, 2, "cos_sim", 5.0, TO_DOC, "joint", ...),
]


def problems(processes: int) -> dict[str, Problem]:
    named = {}
    for number, (rows, dim, columns, *chosen) in enumerate(RANKING):
        config = ranking_options(*chosen, gather_across_devices=True)
        loss = "MultipleNegativesRankingLoss"
        case = Case(loss, processes * rows, dim, "normal", config, columns=columns, purpose=f"of-{processes}")
        name = case.name(number)
        named[name] = case.draw(name, 0)
    return named


def work(rank: int, processes: int, store: str, dtype: torch.dtype, answers: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=processes)
    found = {}
    for name, problem in problems(processes).items():
        shard = problem.with_columns([column.chunk(processes)[rank] for column in problem.columns])
        found[name] = evaluate(shard, dtype)
    torch.save(found, f"{answers}/{rank}.pt")
    dist.destroy_process_group()


def averaged(processes: int, dtype: torch.dtype) -> dict[str, Answer]:
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(work, (processes, f"{folder}/store", dtype, folder), nprocs=processes)
        found = [torch.load(f"{folder}/{rank}.pt", weights_only=False) for rank in range(processes)]
    answers = {}
    for name in found[0]:
        each = [of_rank[name] for of_rank in found]
        columns = zip(*(answer.gradients for answer in each))
        gradients = [torch.cat(column) / processes for column in columns]
        answers[name] = Answer(sum(answer.loss for answer in each) / processes, gradients)
    return answers


def main() -> None:
    fixture.require_reference()
    FOLDER.mkdir(exist_ok=True)
    for processes in (2, 3):
        expected, single = (averaged(processes, dtype) for dtype in (torch.float64, torch.float32))
        lines = [
            fixture.case_line(name, problem, expected[name], single[name])
            for name, problem in problems(processes).items()
        ]
        file = FOLDER / f"of_{processes}.json"
        file.write_text(fixture.file_text(lines))
        print(f"{file.name}: {len(lines)} cases")


if __name__ == "__main__":
    main()
