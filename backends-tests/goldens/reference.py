"""Runs the loss classes of sentence-transformers themselves on given embeddings, in any floating-point type."""

import warnings
from dataclasses import dataclass, field, replace
from functools import partial

import torch
from sentence_transformers import util
from sentence_transformers.sentence_transformer import losses
from torch import Tensor, nn


@dataclass(frozen=True)
class Problem:
    """What is fed to a loss: everything that a fixture holds except the answer."""

    loss: str
    config: dict
    columns: list[Tensor]
    labels: Tensor | None = None
    params: dict[str, Tensor] | None = None

    def with_columns(self, columns: list[Tensor]) -> "Problem":
        return replace(self, columns=columns)


@dataclass(frozen=True)
class Answer:
    loss: float
    gradients: list[Tensor]
    param_gradients: dict[str, Tensor] = field(default_factory=dict)
    parts: dict[str, float] = field(default_factory=dict)
    """The terms of a loss that answers with several by name."""

    def flat_gradient(self) -> Tensor:
        """All gradients in one float64 vector: columns first, then parameters."""
        parts = [*self.gradients, *self.param_gradients.values()]
        return torch.cat([part.double().flatten() for part in parts])

    def column_gradient(self) -> Tensor:
        return torch.cat([part.double().flatten() for part in self.gradients])


class GivenEmbeddings(nn.Module):
    """Stands in for the model: its features are the embeddings already."""

    device = torch.device("cpu")

    def __init__(self, dim: int):
        super().__init__()
        self.dim = dim

    def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        return features

    def get_embedding_dimension(self) -> int:
        return self.dim

    def __getitem__(self, place: int) -> nn.Module:
        """The cached losses look at the model's first module."""
        return self


class SecondEmbeddings(GivenEmbeddings):
    """Stands in for the second encoder of a loss that embeds the same features by two."""

    def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"sentence_embedding": features["by_second"]}


class LabelsInType(nn.Module):
    """A PyTorch loss that takes the label in the type of the prediction.

    `CosineSimilarityLoss` hands float32 labels over even when it runs in float64, and then PyTorch's losses fail in the
    backward pass. The labels are float32 values, so nothing is lost.
    """

    def __init__(self, inner: nn.Module):
        super().__init__()
        self.inner = inner

    def forward(self, prediction: Tensor, label: Tensor) -> Tensor:
        return self.inner(prediction, label.to(prediction.dtype))


_MINED = losses.BatchHardTripletLossDistanceFunction
_MINED_DISTANCES = {
    "euclidean": _MINED.euclidean_distance,
    "squared_euclidean": partial(_MINED.euclidean_distance, squared=True),
    "cosine": _MINED.cosine_distance,
}
_SIAMESE_DISTANCES = {
    "euclidean": losses.SiameseDistanceMetric.EUCLIDEAN,
    "manhattan": losses.SiameseDistanceMetric.MANHATTAN,
    "cosine": losses.SiameseDistanceMetric.COSINE_DISTANCE,
}
_TRIPLET_DISTANCES = {
    "euclidean": losses.TripletDistanceMetric.EUCLIDEAN,
    "manhattan": losses.TripletDistanceMetric.MANHATTAN,
    "cosine": losses.TripletDistanceMetric.COSINE,
}
_DISTANCES = {
    "EmbedDistillLoss": {name: name for name in ("cosine", "l2", "mse")},
    "ContrastiveLoss": _SIAMESE_DISTANCES,
    "OnlineContrastiveLoss": _SIAMESE_DISTANCES,
    "TripletLoss": _TRIPLET_DISTANCES,
}
_SIMILARITIES = {
    "ContrastiveTensionLossInBatchNegatives": {"dot_score": util.dot_score, "cos_sim": util.cos_sim},
    "CoSENTLoss": {
        "cos_sim": util.pairwise_cos_sim,
        "dot_score": util.pairwise_dot_score,
        "euclidean_sim": util.pairwise_euclidean_sim,
        "manhattan_sim": util.pairwise_manhattan_sim,
    },
    "DistillKLDivLoss": {"dot_score": util.pairwise_dot_score, "cos_sim": util.pairwise_cos_sim},
    "GlobalOrthogonalRegularizationLoss": {"dot_score": util.dot_score, "cos_sim": util.cos_sim},
    "MarginMSELoss": {"dot_score": util.pairwise_dot_score, "cos_sim": util.pairwise_cos_sim},
    "MultipleNegativesRankingLoss": {"dot_score": util.dot_score, "cos_sim": util.cos_sim},
    "MultipleNegativesSymmetricRankingLoss": {"dot_score": util.dot_score, "cos_sim": util.cos_sim},
    "CachedMultipleNegativesRankingLoss": {"dot_score": util.dot_score, "cos_sim": util.cos_sim},
    "CachedMultipleNegativesSymmetricRankingLoss": {"dot_score": util.dot_score, "cos_sim": util.cos_sim},
}


def _argument(loss: str, name: str, value):
    """The Python object behind a configuration value: functions and modules are written as strings."""
    if callable(value):
        return value
    match name:
        case "distance_metric":
            return _DISTANCES.get(loss, _MINED_DISTANCES)[value]
        case "similarity_fct":
            return _SIMILARITIES[loss][value]
        case "loss_fct" | "cos_score_transformation":
            return getattr(nn, value)()
        case "directions":
            return tuple(value)
    return value


def build_loss(problem: Problem) -> nn.Module:
    dim = problem.columns[0].shape[1]
    arguments = {name: _argument(problem.loss, name, value) for name, value in problem.config.items()}
    if problem.loss == "SoftmaxLoss":
        arguments["embedding_dimension"] = dim
    if problem.loss == "MegaBatchMarginLoss":
        arguments["use_mini_batched_version"] = False
    loss = getattr(losses, problem.loss)(GivenEmbeddings(dim), **arguments)
    if problem.loss == "ContrastiveTensionLossInBatchNegatives":
        loss.model2 = SecondEmbeddings(dim)
    if problem.loss == "CosineSimilarityLoss":
        loss.loss_fct = LabelsInType(loss.loss_fct)
    return loss


def features(loss: str, columns: list[Tensor]) -> list[dict[str, Tensor]]:
    if loss == "ContrastiveTensionLossInBatchNegatives":
        return [dict(zip(("sentence_embedding", "by_second"), columns))]
    return [{"sentence_embedding": column} for column in columns]


def evaluate(problem: Problem, dtype: torch.dtype) -> Answer:
    """Value and gradients of the real class, with module, embeddings, labels and weights all in `dtype`."""
    loss = build_loss(problem).to(dtype)
    if problem.params:
        loss.load_state_dict(problem.params)
    columns = [column.to(dtype, copy=True).requires_grad_() for column in problem.columns]
    labels = problem.labels
    if labels is not None and labels.is_floating_point():
        labels = labels.to(dtype)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*expects binary labels.*")
        value = loss(features(problem.loss, columns), labels)
    parts = value if isinstance(value, dict) else {}
    value = sum(parts.values()) if parts else value
    assert value.dtype == dtype, f"{problem.loss} answered in {value.dtype}, not in {dtype}"
    value.backward()
    owned = {name: weight.grad for name, weight in loss.named_parameters()}
    parts = {name: part.item() for name, part in parts.items()}
    return Answer(value.item(), [column.grad for column in columns], owned, parts)
