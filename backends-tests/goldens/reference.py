"""Runs the loss classes of the libraries themselves on given embeddings, in any floating-point type."""

import math
import random
import warnings
from dataclasses import dataclass, field, replace
from functools import partial
from types import SimpleNamespace
from unittest.mock import patch

import torch
from sentence_transformers import SentenceTransformer, util
from sentence_transformers.base.modules import Transformer
from sentence_transformers.sentence_transformer import losses
from sentence_transformers.sentence_transformer.losses import adaptive_layer, matryoshka
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast


@dataclass(frozen=True)
class Problem:
    """What is fed to a loss: everything that a fixture holds except the answer."""

    loss: str
    config: dict
    columns: list[Tensor]
    labels: Tensor | None = None
    params: dict[str, Tensor] | None = None
    guide: list[Tensor] | None = None
    """Another model's embeddings of the columns."""
    layers: int = 0
    """The number of layers whose columns are in `columns`, one after another; 0 without layers."""
    matrices: list[dict[str, Tensor | None]] = field(default_factory=list)
    """What an auto-encoder decoded from each column, by name."""

    def with_columns(self, columns: list[Tensor]) -> "Problem":
        return replace(self, columns=columns)


@dataclass(frozen=True)
class Answer:
    loss: float
    gradients: list[Tensor]
    param_gradients: dict[str, Tensor] = field(default_factory=dict)
    parts: dict[str, float] = field(default_factory=dict)
    """The terms of a loss that answers with several by name."""
    sampled: dict[str, list] = field(default_factory=dict)
    """The layers and dimensions that the step drew."""
    matrix_gradients: list[dict[str, Tensor | None]] = field(default_factory=list)
    """With respect to the problem's matrices."""

    def flat_gradient(self) -> Tensor:
        """All gradients in one float64 vector: columns first, then parameters."""
        owned = [part.double().flatten() for part in self.param_gradients.values()]
        return torch.cat([self.column_gradient(), *owned])

    def column_gradient(self) -> Tensor:
        """Those of columns and matrices."""
        matrices = [part for column in self.matrix_gradients for part in column.values() if part is not None]
        return torch.cat([part.double().flatten() for part in [*self.gradients, *matrices]])


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


def _tokenizer() -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer(WordLevel({"a": 0}, unk_token="a")))


class GivenGuide(GivenEmbeddings):
    """Stands in for a guide, with the tokenizer that GISTEmbedLoss asks for and does not use."""

    max_seq_length = 8

    def __init__(self, dim: int):
        super().__init__(dim)
        self.tokenizer = _tokenizer()

    def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"sentence_embedding": features["guide_embedding"]}


class GivenLayers(Transformer):
    """Stands in for a transformer: its features hold the embeddings after all layers already."""

    auto_model = SimpleNamespace(config=SimpleNamespace(output_hidden_states=False))

    def __init__(self):
        nn.Module.__init__(self)

    def forward(self, features: dict) -> dict:
        return {**features, "token_embeddings": features["all_layer_embeddings"][-1]}


class GivenPooling(GivenEmbeddings):
    def forward(self, features: dict) -> dict:
        return {**features, "sentence_embedding": features["token_embeddings"]}


class Draws:
    """The module `random` for a loss: the same numbers each time, and a record of what was drawn."""

    def __init__(self, seed: str):
        self.random = random.Random(seed)
        self.drawn = []

    def sample(self, population, count: int) -> list[int]:
        self.drawn.append(self.random.sample(population, count))
        return self.drawn[-1]


class OfMetricLearning(nn.Module):
    """A loss of pytorch-metric-learning, with its miner, called like one of sentence-transformers."""

    def __init__(self, inner: nn.Module, miner: nn.Module | None):
        super().__init__()
        self.inner, self.miner = inner, miner

    def forward(self, features: list[dict[str, Tensor]], labels: Tensor) -> Tensor:
        rows = features[0]["sentence_embedding"]
        return self.inner(rows, labels, self.miner and self.miner(rows, labels))


class OfOpenClip(nn.Module):
    """The sigmoid loss of OpenCLIP with its parameters, called like one of sentence-transformers."""

    def __init__(self, scale: float = 10.0, bias: float = -10.0, similarity: str = "cos_sim"):
        # Imported here, because benchmarks of other losses run without it.
        from open_clip.loss import SigLipLoss

        super().__init__()
        self.logit_scale = nn.Parameter(torch.tensor(math.log(scale)))
        self.logit_bias = nn.Parameter(torch.tensor(bias))
        self.prepare = nn.Identity() if similarity == "dot_score" else nn.functional.normalize
        self.inner = SigLipLoss()

    def forward(self, features: list[dict[str, Tensor]], labels: None) -> Tensor:
        columns = [self.prepare(column["sentence_embedding"]) for column in features]
        return self.inner(*columns, self.logit_scale.exp(), self.logit_bias)


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


METRIC_LEARNING = {"CircleLoss", "MultiSimilarityLoss", "SupConLoss"}

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


def argument(loss: str, name: str, value):
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


def of_metric_learning(problem: Problem) -> nn.Module:
    from pytorch_metric_learning import distances, miners
    from pytorch_metric_learning import losses as metric_learning

    config = dict(problem.config)
    plain = config.pop("similarity", "cos_sim") == "dot_score"
    distance = distances.DotProductSimilarity(normalize_embeddings=False) if plain else distances.CosineSimilarity()
    epsilon = config.pop("epsilon", None)
    miner = None if epsilon is None else miners.MultiSimilarityMiner(epsilon, distance=distance)
    return OfMetricLearning(getattr(metric_learning, problem.loss)(distance=distance, **config), miner)


def build_loss(problem: Problem) -> nn.Module:
    if problem.loss in METRIC_LEARNING:
        return of_metric_learning(problem)
    if problem.loss == "SigLipLoss":
        return OfOpenClip(**problem.config)
    dim = problem.columns[0].shape[1]
    if problem.layers:
        model = SentenceTransformer(modules=[GivenLayers(), GivenPooling(dim)], device="cpu")
    else:
        model = GivenEmbeddings(dim)
        model.tokenizer, model.max_seq_length = _tokenizer(), GivenGuide.max_seq_length
    return _build(problem.loss, problem.config, model)


def _build(name: str, config: dict, model: GivenEmbeddings) -> nn.Module:
    arguments = {key: argument(name, key, value) for key, value in config.items() if key != "inner"}
    if "inner" in config:
        arguments["loss"] = _build(config["inner"]["loss"], config["inner"]["config"], model)
    if name == "GISTEmbedLoss":
        arguments["guide"] = GivenGuide(model.dim)
    if name == "SoftmaxLoss":
        arguments["embedding_dimension"] = model.dim
    if name == "MegaBatchMarginLoss":
        arguments["use_mini_batched_version"] = False
    loss = getattr(losses, name)(model, **arguments)
    if name == "ContrastiveTensionLossInBatchNegatives":
        loss.model2 = SecondEmbeddings(model.dim)
    if name == "CosineSimilarityLoss":
        loss.loss_fct = LabelsInType(loss.loss_fct)
    return loss


def _features(problem: Problem, columns: list[Tensor], dtype: torch.dtype) -> list[dict]:
    if problem.layers:
        width = len(columns) // problem.layers
        return [{"all_layer_embeddings": columns[place::width]} for place in range(width)]
    if problem.loss == "ContrastiveTensionLossInBatchNegatives":
        return [dict(zip(("sentence_embedding", "by_second"), columns))]
    features = [{"sentence_embedding": column} for column in columns]
    for column, guide in zip(features, problem.guide or []):
        column["guide_embedding"] = guide.to(dtype)
    return features


def _sampled(problem: Problem, layers: Draws, dims: Draws) -> dict[str, list]:
    """What the step drew as a case says it: the layers, all if none were drawn, and for each layer the dimensions."""
    sampled = {}
    if problem.layers:
        earlier = list(range(problem.layers - 1))
        sampled["sampled_layers"] = layers.drawn[0] if layers.drawn else earlier
    if "matryoshka_dims" in problem.config and (dims.drawn or problem.layers):
        known = sorted(problem.config["matryoshka_dims"], reverse=True)
        calls = 1 + len(sampled.get("sampled_layers", []))
        places = dims.drawn or [list(range(len(known)))] * calls
        sampled["sampled_dims"] = [sorted((known[place] for place in call), reverse=True) for call in places]
    return sampled


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
        layers, dims = Draws(f"layers {problem.config}"), Draws(f"dims {problem.config}")
        with patch.object(adaptive_layer, "random", layers), patch.object(matryoshka, "random", dims):
            value = loss(_features(problem, columns, dtype), labels)
    parts = value if isinstance(value, dict) else {}
    value = sum(parts.values()) if parts else value
    assert value.dtype == dtype, f"{problem.loss} answered in {value.dtype}, not in {dtype}"
    value.backward()
    owned = {name: weight.grad for name, weight in loss.named_parameters()}
    parts = {name: part.item() for name, part in parts.items()}
    gradients = [torch.zeros_like(column) if column.grad is None else column.grad for column in columns]
    return Answer(value.item(), gradients, owned, parts, _sampled(problem, layers, dims))
