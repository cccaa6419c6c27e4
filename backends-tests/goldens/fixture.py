"""The text of a fixture file: compact JSON, one case a line."""

import json
import logging
from pathlib import Path

import numpy
import torch
from torch import Tensor

from reference import Answer, Problem

FIXTURES = Path(__file__).parent.parent / "fixtures"
REFERENCE = {"sentence_transformers": "6.2.0", "torch": "2.9.0"}


def shortest_float32(value: float) -> str:
    """The shortest text that reads back as this float32, directly or by way of a float64."""
    text = str(numpy.float32(value))
    assert numpy.float32(float(text)) == numpy.float32(value) and float(numpy.float32(value)) == value
    return text


def numbers(values, text) -> str:
    if isinstance(values, list):
        return f"[{','.join(numbers(value, text) for value in values)}]"
    return text(values)


def compact(value) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def given(values: Tensor) -> str:
    return numbers(values.tolist(), shortest_float32 if values.is_floating_point() else str)


def computed(values: Tensor) -> str:
    return numbers(values.tolist(), compact)


def fields(pairs: dict[str, str]) -> str:
    return "{" + ",".join(f"{compact(name)}:{text}" for name, text in pairs.items()) + "}"


def named(tensors: dict[str, Tensor] | None, text) -> str:
    return fields({name: text(tensor) for name, tensor in tensors.items()}) if tensors else "null"


def labels_text(labels: Tensor | None) -> str:
    if labels is None:
        return "null"
    dtype = "float" if labels.is_floating_point() else "int"
    return fields({"dtype": compact(dtype), "data": given(labels)})


def float32_errors(single: Answer, expected: Answer) -> dict[str, float]:
    """Absolute for the loss; for the gradients of all columns relative, or absolute where the gradient is zero."""
    wanted = expected.column_gradient()
    gap = (single.column_gradient() - wanted).norm().item()
    size = wanted.norm().item()
    return {
        "loss_error": abs(single.loss - expected.loss),
        "gradient_error": gap / size if size > 1e-12 else gap,
    }


def listed(tensors: list[Tensor], text) -> str:
    return f"[{','.join(text(tensor) for tensor in tensors)}]"


def listed_by_name(columns: list[dict[str, Tensor | None]], text) -> str:
    matrices = [{name: "null" if matrix is None else text(matrix) for name, matrix in column.items()} for column in columns]
    return f"[{','.join(fields(column) for column in matrices)}]"


def by_layer(problem: Problem, columns: list[Tensor], text) -> str:
    if not problem.layers:
        return listed(columns, text)
    width = len(columns) // problem.layers
    layers = [columns[start : start + width] for start in range(0, len(columns), width)]
    return f"[{','.join(listed(layer, text) for layer in layers)}]"


def case_line(name: str, problem: Problem, expected: Answer, single: Answer, family: str | None = None) -> str:
    answer = {
        "loss": compact(expected.loss),
        "gradients": by_layer(problem, expected.gradients, computed),
        "param_gradients": named(expected.param_gradients, computed),
    }
    if problem.matrices:
        answer["matrix_gradients"] = listed_by_name(expected.matrix_gradients, computed)
    if expected.parts:
        answer["parts"] = compact(expected.parts)
    return fields(
        {
            "id": compact(name),
            **({"family": compact(family)} if family else {}),
            "loss": compact(problem.loss),
            "config": compact(problem.config),
            "params": named(problem.params, given),
            **({"layer_columns" if problem.layers else "columns": by_layer(problem, problem.columns, given)} if problem.columns else {}),
            **({"matrices": listed_by_name(problem.matrices, given)} if problem.matrices else {}),
            **({"guide_columns": listed(problem.guide, given)} if problem.guide else {}),
            "labels": labels_text(problem.labels),
            **{name: compact(drawn) for name, drawn in expected.sampled.items()},
            "expected": fields(answer),
            "reference_f32": compact(float32_errors(single, expected)),
        }
    )


def file_text(lines: list[str]) -> str:
    head = f'{{"format":1,"reference":{compact(REFERENCE)},"cases":[\n'
    return head + ",\n".join(lines) + "\n]}\n"


def require_reference() -> None:
    import sentence_transformers

    found = {
        "sentence_transformers": sentence_transformers.__version__,
        "torch": torch.__version__.split("+")[0],
    }
    if found != REFERENCE:
        raise SystemExit(f"the fixtures are made with {REFERENCE}, this is {found}: install requirements.txt")


def write(family: str, files: dict[str, list]) -> None:
    """Writes `<family>_<stem>.json` with the cases of each stem."""
    require_reference()
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    for stem, cases in files.items():
        text = file_text([case.line(number) for number, case in enumerate(cases)])
        (FIXTURES / f"{family}_{stem}.json").write_text(text)
        print(f"{family}_{stem}: {len(cases)} cases, {len(text) / 1024:.0f} KiB")
