"""Writes the parity fixtures of multi-vector encoders: what their losses answer, for every case of every loss."""

import sys
from dataclasses import dataclass, field

sys.dont_write_bytecode = True

import torch
from sentence_transformers.multi_vector_encoder import losses, scoring
from torch import Tensor, nn
from torch.nn.functional import normalize

import fixture
from case import seeded
from inputs import cycle, normal_scores
from reranking import InType


class GivenTokens(nn.Module):
    """Stands in for the encoder: its input ids are places in a table of token embeddings."""

    def __init__(self, table: Tensor, mask: Tensor):
        super().__init__()
        self.table, self.mask = table, mask

    def forward(self, features, task=None):
        places = features["input_ids"]
        # The library pads shorter columns with place 0 and attention 0.
        return {"token_embeddings": self.table[places], "attention_mask": self.mask[places] & features["attention_mask"]}


def given(columns: list[Tensor], masks: list[Tensor]) -> tuple[GivenTokens, list[dict]]:
    features, first = [], 0
    for column in columns:
        rows, tokens, _ = column.shape
        places = torch.arange(first, first + rows * tokens).reshape(rows, tokens)
        features.append({"input_ids": places, "attention_mask": torch.ones_like(places, dtype=torch.bool)})
        first += rows * tokens
    table = torch.cat([column.flatten(0, 1) for column in columns])
    return GivenTokens(table, torch.cat([mask.flatten() for mask in masks]).bool()), features


def argument(name: str, value):
    if name != "similarity_fct":
        return value
    if isinstance(value, dict):
        return getattr(scoring, value["name"])(top_k=value["top_k"])
    return getattr(scoring, value)


# ---------------------------------------------------------------- tokens: (generator, texts, tokens, dim)


def normal(random, *shape):
    return torch.randn(*shape, generator=random, dtype=torch.float64)


SIZES = {
    "unit": lambda random, *shape: normalize(normal(random, *shape), dim=-1),
    "normal": normal,
    "small": lambda random, *shape: 0.05 * normal(random, *shape),
    "large": lambda random, *shape: 4 * normal(random, *shape),
}

# ---------------------------------------------------------------- masks: (generator, texts, tokens)


def everything(random, texts, tokens):
    return torch.ones(texts, tokens, dtype=torch.int64)


def ragged(random, texts, tokens):
    """Texts of different lengths, at least one token each."""
    lengths = torch.randint(1, tokens + 1, (texts, 1), generator=random)
    return (torch.arange(tokens) < lengths).long()


def holes(random, texts, tokens):
    mask = torch.randint(0, 2, (texts, tokens), generator=random)
    mask[torch.arange(texts), torch.arange(texts) % tokens] = 1
    return mask


@dataclass(frozen=True)
class Case:
    loss: str
    rows: int
    tokens: tuple[int, ...]
    """The number of places for a token in each column, queries first."""
    dim: int
    size: str
    masks: object = holes
    config: dict = field(default_factory=dict)
    labels: object = None
    empty: str = ""
    """Which texts have no token: "query", "negative" or "positive"."""
    ties: bool = False

    def name(self, number: int) -> str:
        purpose = [self.masks.__name__, self.empty and f"no_token_in_a_{self.empty}", self.ties and "ties"]
        parts = [f"multi_vector_encoder.{self.loss}", f"{number:03}", f"n{self.rows}", f"d{self.dim}", self.size]
        return "-".join([*parts, *filter(None, purpose)])

    def draw(self, name: str):
        random = seeded(name)
        columns = [SIZES[self.size](random, self.rows, tokens, self.dim).float() for tokens in self.tokens]
        masks = [self.masks(random, self.rows, tokens) for tokens in self.tokens]
        if self.empty:
            masks[{"query": 0, "positive": 1, "negative": -1}[self.empty]][0] = 0
        if self.ties:
            # The second token of each document is the first once more: both are real.
            for column, mask in zip(columns[1:], masks[1:]):
                column[:, 1], mask[:, :2] = column[:, 0], 1
        return columns, masks, self.labels and self.labels(random, self.rows)

    def evaluate(self, columns, masks, labels, dtype):
        with InType(dtype):
            leaves = [column.to(dtype, copy=True).requires_grad_() for column in columns]
            if labels is not None and labels.is_floating_point():
                labels = labels.to(dtype)
            model, features = given(leaves, masks)
            arguments = {key: argument(key, value) for key, value in self.config.items()}
            value = getattr(losses, self.loss)(model, **arguments)(features, labels)
            # A cached loss goes through the table in parts, each with a backward pass.
            value.backward(retain_graph=True)
        gradients = [torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for leaf in leaves]
        return value.item(), gradients

    def line(self, number: int) -> str:
        name = self.name(number)
        columns, masks, labels = self.draw(name)
        loss, gradients = self.evaluate(columns, masks, labels, torch.float64)
        single, of_single = self.evaluate(columns, masks, labels, torch.float32)
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        gap = (torch.cat([gradient.flatten() for gradient in of_single]).double() - flat).norm().item()
        assert torch.isfinite(flat).all() and loss == loss, name
        assert flat.norm() > 0, f"{name}: nothing moves"
        size = flat.norm().item()
        errors = {"loss_error": abs(single - loss), "gradient_error": gap / size}
        answer = {
            "loss": fixture.compact(loss),
            "gradients": fixture.listed(gradients, fixture.computed),
            "param_gradients": "null",
        }
        return fixture.fields(
            {
                "id": fixture.compact(name),
                "family": '"multi_vector_encoder"',
                "loss": fixture.compact(self.loss),
                "config": fixture.compact(self.config),
                "params": "null",
                "token_columns": fixture.listed(columns, fixture.given),
                "masks": fixture.listed(masks, fixture.given),
                "labels": fixture.labels_text(labels),
                "expected": fixture.fields(answer),
                "reference_f32": fixture.compact(errors),
            }
        )


def xtr(name: str, top_k: int) -> dict:
    return {"similarity_fct": {"name": name, "top_k": top_k}}


def ranking(loss: str, more: dict) -> list[Case]:
    """Two and more columns of different widths, each similarity, and texts without a token."""
    cases = []
    for config in [
        {},
        {"scale": 4.0, "similarity_fct": "mean_colbert_scores"},
        xtr("XTRScores", 5),
        {"scale": 3.0, **xtr("XTRScores", 1)},
    ]:
        config = {**config, **more}
        cases += [
            Case(loss, 2, (3, 4), 3, "normal", everything, config),
            Case(loss, 3, (2, 3, 3), 4, "unit", ragged, config),
            Case(loss, 4, (3, 2, 4), 3, "small", holes, config),
            Case(loss, 3, (3, 5), 4, "large", holes, config),
            Case(loss, 3, (3, 2, 3), 4, "unit", holes, config, empty="negative"),
            Case(loss, 3, (2, 3), 4, "unit", ragged, config, empty="query"),
        ]
    cases.append(Case(loss, 3, (2, 3), 4, "unit", ragged, more, empty="positive"))
    cases += [Case(loss, 3, (3, 4, 3), 3, "unit", everything, {**config, **more}, ties=True)
              for config in [{}, {"similarity_fct": "mean_colbert_scores"}]]
    return cases


def distilled(loss: str, suffix: str, limited, labels, more: list[dict]) -> list[Case]:
    """A teacher's scores of two and more documents; `labels` make them for a number of documents."""
    cases = []
    for config in [{}, {"similarity_fct": f"mean_colbert_{suffix}"}, *limited, *more]:
        cases += [
            Case(loss, 2, (3, 4, 4), 3, "normal", everything, config, labels(2)),
            Case(loss, 3, (2, 3, 2), 4, "unit", ragged, config, labels(2)),
            Case(loss, 4, (3, 2, 4, 3), 3, "small", holes, config, labels(3)),
            Case(loss, 3, (3, 4, 2, 5), 4, "unit", holes, config, labels(3)),
            Case(loss, 3, (2, 3, 3), 4, "unit", ragged, config, labels(2), empty="query"),
        ]
    return cases


def margins(count: int):
    """Margins of all but the positive."""
    return normal_scores() if count == 2 else normal_scores(count - 1)


def margin_mse() -> list[Case]:
    loss = "MultiVectorMarginMSELoss"
    cases = distilled(loss, "scores_pairwise", [{"similarity_fct": "xtr_scores_pairwise"}], margins, [{"mini_batch_size": 2}])
    cases += [
        Case(loss, 3, (3, 4, 2, 5), 4, "unit", holes, {}, normal_scores(3)),
        Case(loss, 3, (3, 4, 2), 4, "unit", holes, {}, cycle(1, 0, 2)),
        Case(loss, 3, (3, 4, 3), 3, "unit", everything, {}, normal_scores(), ties=True),
    ]
    return cases


def distill_kl_div() -> list[Case]:
    loss = "MultiVectorDistillKLDivLoss"
    limited = [xtr("XTRKDScores", 4), xtr("XTRKDScores", 9)]
    more = [{"temperature": 2.0}, {"student_temperature": 0.5, "teacher_temperature": 4.0}]
    cases = distilled(loss, "kd_scores", limited, lambda count: normal_scores(count), more)
    cases.append(Case(loss, 3, (3, 4, 3), 3, "unit", everything, {}, normal_scores(2), ties=True))
    return cases


RANKING = "MultiVectorMultipleNegativesRankingLoss"
CASES = {
    "distill_kl_div": distill_kl_div(),
    "margin_mse": margin_mse(),
    "multiple_negatives_ranking": ranking(RANKING, {}),
    "cached_multiple_negatives_ranking": ranking(f"Cached{RANKING}", {"mini_batch_size": 2, "score_mini_batch_size": 1}),
}


if __name__ == "__main__":
    fixture.write("multi_vector", CASES)
