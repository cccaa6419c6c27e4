"""Writes the parity fixtures: what sentence-transformers answers, loss and gradients, for every case of every loss."""

import logging
import sys
from collections import Counter

sys.dont_write_bytecode = True

import torch

import fixture
import known_answers
import label_cases
import mined_cases
import pair_cases
import ranking_cases
import regularizer_cases
import target_cases
import wrapper_cases
from case import Case
from checks import objection
from reference import Answer, Problem, evaluate

MODULES = (label_cases, mined_cases, pair_cases, ranking_cases, regularizer_cases, target_cases, wrapper_cases)
ALL_CASES = {stem: cases for module in MODULES for stem, cases in module.CASES.items()}
ATTEMPTS = 40


def settle(case: Case, name: str, refused: Counter) -> tuple[Problem, Answer]:
    """The first draw to which no check objects."""
    reasons = Counter()
    for attempt in range(ATTEMPTS):
        problem = case.draw(name, attempt)
        expected = evaluate(problem, torch.float64)
        reason = objection(case, problem, expected)
        if reason is None:
            refused.update(reasons)
            return problem, expected
        reasons[reason] += 1
    raise SystemExit(f"{name}: no draw of {ATTEMPTS} is fit for a fixture: {dict(reasons)}")


def lines(cases: list[Case], refused: Counter) -> list[str]:
    written = []
    for number, case in enumerate(cases):
        name = case.name(number)
        problem, expected = settle(case, name, refused)
        written.append(fixture.case_line(name, problem, expected, evaluate(problem, torch.float32)))
    return written


def main() -> None:
    fixture.require_reference()
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    known_answers.check()

    refused = Counter()
    files = {stem: lines(cases, refused) for stem, cases in ALL_CASES.items()}
    fixture.FIXTURES.mkdir(exist_ok=True)
    for stem, written in files.items():
        text = fixture.file_text(written)
        (fixture.FIXTURES / f"{stem}.json").write_text(text)
        print(f"{stem}: {len(written)} cases, {len(text) / 1024:.0f} KiB")
    for reason, draws in sorted(refused.items()):
        print(f"drawn again {draws} times: {reason}")


if __name__ == "__main__":
    main()
