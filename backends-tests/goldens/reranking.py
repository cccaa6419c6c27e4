"""Writes the parity fixtures of rerankers: what the cross-encoder losses answer, for every case of every loss."""

import sys

sys.dont_write_bytecode = True

import torch
from sentence_transformers.cross_encoder import CrossEncoder, losses
from sentence_transformers.cross_encoder.losses import lambda_loss
from torch import Tensor, nn

import fixture
from case import seeded
from inputs import cycle, normal_scores, probabilities, scores, some_ignored

REGIMES = {"small": 0.1, "normal": 1.0, "large": 6.0, "wide": 25.0}


class Logits(CrossEncoder):
    """Stands in for the cross-encoder: texts are places of a matrix of logits.

    A query is `q<row>`, a document of a list `d<place>`.
    """

    device = torch.device("cpu")
    num_labels = 1

    def __init__(self, logits: Tensor):
        nn.Module.__init__(self)
        self.logits = logits

    def preprocess(self, pairs, prompt=None, task=None):
        return {"pairs": pairs}

    def forward(self, features):
        return {"scores": self.scores(features["pairs"])}

    def scores(self, pairs) -> Tensor:
        raise NotImplementedError


class OnePerPair(Logits):
    def scores(self, pairs):
        rows = torch.tensor([int(query[1:]) for query, _ in pairs])
        chosen = self.logits[rows]
        return chosen if chosen.dim() == 2 else chosen[:, None]


class OnePerList(Logits):
    def scores(self, pairs):
        rows = torch.tensor([int(query[1:]) for query, _ in pairs])
        places = torch.tensor([int(document[1:]) for _, document in pairs])
        return self.logits[rows, places][:, None]


class OnePerCandidate(Logits):
    """The candidates are the columns of the logits, in order: one call for each, or one for all of them."""

    def __init__(self, logits: Tensor):
        super().__init__(logits)
        self.calls = 0

    def scores(self, pairs):
        rows, candidates = self.logits.shape
        if len(pairs) == rows * candidates:
            return self.logits.T.reshape(-1, 1)
        assert len(pairs) == rows
        self.calls += 1
        return self.logits[:, self.calls - 1, None]


def activation(value):
    return None if value is None else getattr(nn, value)()


def argument(name: str, value):
    match name:
        case "activation_fn":
            return activation(value)
        case "pos_weight":
            return torch.tensor(value)
        case "weight":
            return torch.tensor(value)
        case "weighting_scheme":
            if isinstance(value, dict):
                return getattr(lambda_loss, value["name"])(mu=value["mu"])
            return None if value is None else getattr(lambda_loss, value)()
        case "lambda_weight":
            if isinstance(value, dict):
                weights = torch.tensor(value["rank_weights"])
                return losses.PListMLELambdaWeight(
                    lambda mask: (weights[: mask.shape[1]].expand(mask.shape) * mask).to(torch.get_default_dtype())
                )
            return None if value is None else losses.PListMLELambdaWeight()
    return value


class InType:
    """Everything in one floating-point type, also what the library casts to float32 by hand."""

    def __init__(self, dtype):
        self.dtype = dtype

    def __enter__(self):
        self.before, self.cast = torch.get_default_dtype(), Tensor.float
        torch.set_default_dtype(self.dtype)
        dtype = self.dtype
        Tensor.float = lambda tensor, *rest, **named: tensor.to(dtype)

    def __exit__(self, *_):
        torch.set_default_dtype(self.before)
        Tensor.float = self.cast


def texts(count: int, prefix: str) -> list[str]:
    return [f"{prefix}{row}" for row in range(count)]


class Case:
    def __init__(self, loss, rows, width, regime, config=None, labels=None, lengths=None, negatives=None, purpose="", ties=False):
        self.loss, self.rows, self.width, self.regime = loss, rows, width, regime
        self.config, self.labels, self.lengths = config or {}, labels, lengths
        self.negatives, self.purpose, self.ties = negatives, purpose, ties

    def name(self, number: int) -> str:
        parts = [f"cross_encoder.{self.loss}", f"{number:03}", f"n{self.rows}", self.regime, self.purpose]
        return "-".join(part for part in parts if part)

    def draw(self, name: str):
        random = seeded(name)
        shape = (self.rows,) if self.width is None else (self.rows, self.width)
        logits = (REGIMES[self.regime] * torch.randn(*shape, generator=random, dtype=torch.float64)).float()
        if self.ties:
            logits = (logits * 2).round() / 2
        labels = self.labels and self.labels(random, self.rows)
        if self.lengths is not None:
            exists = torch.arange(self.width)[None, :] < torch.tensor(self.lengths)[:, None]
            logits, labels = logits * exists, labels * exists
        return logits, labels

    def evaluate(self, logits: Tensor, labels, dtype):
        with InType(dtype):
            leaf = logits.to(dtype, copy=True).requires_grad_()
            if labels is not None and labels.is_floating_point():
                labels = labels.to(dtype)
            arguments = {key: argument(key, value) for key, value in self.config.items()}
            arguments = {key: value.to(dtype) if isinstance(value, Tensor) else value for key, value in arguments.items()}
            model, inputs, targets = self.feed(leaf, labels)
            torch.manual_seed(len(self.loss) + self.rows)
            loss = getattr(losses, self.loss)(model, **arguments)
            value = loss(inputs, targets)
            assert value.dtype == dtype, f"{self.loss} answered in {value.dtype}, not in {dtype}"
            value.backward()
            gradient = leaf.grad if leaf.grad is not None else torch.zeros_like(leaf)
            return value.item(), gradient

    def feed(self, leaf: Tensor, labels):
        queries = texts(self.rows, "q")
        if self.lengths is not None:
            model = OnePerList(leaf)
            documents = [texts(length, "d") for length in self.lengths]
            return model, [queries, documents], [row[:length] for row, length in zip(labels, self.lengths)]
        if self.negatives is not None or self.loss == "MarginMSELoss":
            model = OnePerCandidate(leaf)
            count = self.width if self.negatives is None else self.negatives + 1
            columns = [[f"d{column}:{row}" for row in range(self.rows)] for column in range(count)]
            return model, [queries, *columns], labels
        return OnePerPair(leaf), [queries, texts(self.rows, "d")], labels

    def line(self, number: int) -> str:
        name = self.name(number)
        logits, labels = self.draw(name)
        loss, gradient = self.evaluate(logits, labels, torch.float64)
        single, single_gradient = self.evaluate(logits, labels, torch.float32)
        gap, size = (single_gradient.double() - gradient).norm().item(), gradient.norm().item()
        assert torch.isfinite(gradient).all() and loss == loss, name
        answer = {
            "loss": fixture.compact(loss),
            "gradients": fixture.computed(gradient),
            "param_gradients": "null",
        }
        pairs = {
            "id": fixture.compact(name),
            "family": '"cross_encoder"',
            "loss": fixture.compact(self.loss),
            "config": fixture.compact(self.config),
            "params": "null",
            "logits": fixture.given(logits),
            "labels": fixture.labels_text(labels),
        }
        if self.lengths is not None:
            pairs["lengths"] = fixture.compact(self.lengths)
        if self.ties:
            pairs["ties"] = '"input order"'
        pairs["expected"] = fixture.fields(answer)
        errors = {"loss_error": abs(single - loss), "gradient_error": gap / size if size > 1e-12 else gap}
        pairs["reference_f32"] = fixture.compact(errors)
        return fixture.fields(pairs)


def grades(count: int, width: int):
    return lambda random, rows: torch.randint(0, count, (rows, width), generator=random)


def real_grades(width: int):
    return lambda random, rows: 3 * torch.rand(rows, width, generator=random)


def distinct_grades(width: int):
    return lambda random, rows: torch.stack([torch.randperm(width, generator=random) for _ in range(rows)]).float() / 4


def column_of(labels):
    return lambda random, rows: labels(random, rows)[:, None]


SIZES = [(1, "normal"), (2, "small"), (5, "normal"), (7, "large"), (12, "wide")]
ACTIVATIONS = [{}, {"activation_fn": "Sigmoid"}, {"activation_fn": None}]


def pointwise(loss: str, more: list[dict]) -> list[Case]:
    labels = [cycle(1, 0), cycle(1.0, 0.0, 0.25), scores(0, 1), column_of(scores(0, 1)), column_of(cycle(0, 1))]
    cases = [Case(loss, rows, None, regime, {}, label) for (rows, regime), label in zip(SIZES, labels)]
    for config in [{"activation_fn": "Sigmoid"}, *more]:
        cases += [Case(loss, rows, None, regime, config, scores(0, 1)) for rows, regime in SIZES]
    return cases


def classified() -> list[Case]:
    loss, cases = "CrossEntropyLoss", []
    for config in [{}, {"activation_fn": "Sigmoid"}, {"label_smoothing": 0.125}, {"reduction": "sum"}, {"weight": [0.5, 2.0, 1.0]},
                   {"weight": [0.5, 2.0, 1.0], "label_smoothing": 0.25}]:
        cases += [
            Case(loss, 3, 3, "normal", config, cycle(0, 1, 2)),
            Case(loss, 7, 3, "wide", config, some_ignored(3), purpose="ignored"),
            Case(loss, 4, 3, "large", config, probabilities(3), purpose="probabilities"),
        ]
    cases += [Case(loss, 4, 5, "large", {}, column_of(cycle(0, 4, 2))), Case(loss, 6, 2, "small", {}, cycle(1, 0))]
    return cases


def margins() -> list[Case]:
    loss, cases = "MarginMSELoss", []
    for config in [{}, {"activation_fn": "Sigmoid"}, {"activation_fn": "Tanh"}, {"reduction": "sum"}]:
        cases += [
            Case(loss, 2, 2, "large", config, normal_scores()),
            Case(loss, 5, 2, "normal", config, normal_scores(2)),
            Case(loss, 3, 4, "normal", config, normal_scores(3)),
            Case(loss, 4, 4, "wide", config, normal_scores(4)),
            Case(loss, 3, 2, "small", config, cycle(1, 0, 2), purpose="integers"),
        ]
    return cases


def ranked(loss: str, more: dict) -> list[Case]:
    cases = []
    for config in [{}, {"num_negatives": 2, "scale": 20.0}, {"num_negatives": None}, {"activation_fn": "Identity", "scale": 1.0},
                   {"scale": None, "activation_fn": None}]:
        for rows, negatives, regime in [(4, 0, "normal"), (3, 1, "small"), (5, 2, "large"), (2, 1, "wide")]:
            available = (rows - 1) * (negatives + 1)
            drawn = config.get("num_negatives", 4)
            drawn = available if drawn is None else min(drawn, available)
            width = 1 + drawn + negatives
            cases.append(Case(loss, rows, width, regime, {**config, **more}, negatives=negatives))
    return cases


def lists(loss: str, configs: list[dict], empty: bool = True) -> list[Case]:
    cases = []
    shapes = [
        (2, 4, [4, 4], grades(3, 4), "normal", "grades", False),
        (3, 5, [5, 2, 4], real_grades(5), "small", "ragged", False),
        (3, 6, [6, 1, 3], distinct_grades(6), "large", "one document", False),
        (2, 7, [7, 5], grades(2, 7), "wide", "binary", False),
        (2, 6, [6, 4], grades(3, 6), "normal", "equal scores", True),
    ]
    if empty:
        shapes.append((3, 4, [3, 0, 4], grades(4, 4), "normal", "empty", False))
    for config in configs:
        for rows, width, lengths, labels, regime, purpose, ties in shapes:
            cases.append(Case(loss, rows, width, regime, config, labels, lengths, None, purpose.replace(" ", "_"), ties))
    return cases


LAMBDA = [{}, {"k": 3}, {"sigma": 2.0, "reduction_log": "natural"}, {"activation_fn": "Sigmoid"}]
SCHEMES = ["NoWeightingScheme", "NDCGLoss1Scheme", "NDCGLoss2Scheme", "LambdaRankScheme", None, {"name": "NDCGLoss2PPScheme", "mu": 3.0}]
WEIGHTS = [8.0, 4.0, 2.5, 1.0, 0.5, 0.25, 0.0]

CASES = {
    "adr_mse": lists("ADRMSELoss", [{}, {"alpha": 3.0}, {"alpha": 0.5, "activation_fn": "Sigmoid"}, {"activation_fn": None}]),
    "binary_cross_entropy": pointwise("BinaryCrossEntropyLoss", [{"pos_weight": 2.5}, {"reduction": "sum", "pos_weight": 0.25}]),
    "cached_multiple_negatives_ranking": ranked("CachedMultipleNegativesRankingLoss", {"mini_batch_size": 1000}),
    "cross_entropy": classified(),
    "lambda": lists(
        "LambdaLoss",
        [*LAMBDA, *({"weighting_scheme": scheme} for scheme in SCHEMES),
         *({"weighting_scheme": scheme, "k": 2} for scheme in SCHEMES[:4])],
    ),
    "list_mle": lists("ListMLELoss", [{}, {"respect_input_order": False}, {"activation_fn": "Sigmoid"}, {"activation_fn": None}]),
    "list_net": lists("ListNetLoss", [*ACTIVATIONS, {"mini_batch_size": 2}], empty=False),
    "margin_mse": margins(),
    "mse": pointwise("MSELoss", [{"reduction": "sum"}, {"activation_fn": "Tanh"}]),
    "multiple_negatives_ranking": ranked("MultipleNegativesRankingLoss", {}),
    "plist_mle": lists(
        "PListMLELoss",
        [{}, {"respect_input_order": False}, {"lambda_weight": None}, {"activation_fn": "Sigmoid"},
         {"lambda_weight": {"rank_weights": WEIGHTS}, "respect_input_order": False}],
    ),
    "rank_net": lists("RankNetLoss", [*LAMBDA, {"k": 1}]),
}


if __name__ == "__main__":
    fixture.write("reranking", CASES)
