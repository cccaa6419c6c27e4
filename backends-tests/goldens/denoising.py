"""Writes the parity fixture of DenoisingAutoEncoderLoss: the library's own class around a tiny BERT, tied and untied.

Model and decoder are made by the class itself, from a checkpoint in a temporary folder; only then are the weights set
to those of the fixture, in place, so that what is tied stays tied. Everything runs in float64.
"""

import os
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import losses
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from torch import Tensor
from transformers import BertConfig, BertForMaskedLM, BertTokenizerFast, logging

import fixture
from reference import GivenEmbeddings

FILE = Path(__file__).parent.parent / "fixtures-denoising" / "denoising_auto_encoder.json"
SIZES = {
    "vocab_size": 30,
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 12,
    "type_vocab_size": 2,
}
PAD, FIRST, LAST = 0, 2, 3

# Softmax over the one vector of a sentence is 1 whatever they are.
WITHOUT_EFFECT = ("crossattention.self.query", "crossattention.self.key")


def checkpoint(folder: str) -> str:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words += [f"w{i}" for i in range(SIZES["vocab_size"] - len(words))]
    BertTokenizerFast(vocab={word: i for i, word in enumerate(words)}).save_pretrained(folder)
    BertForMaskedLM(BertConfig(**SIZES, hidden_dropout_prob=0, attention_probs_dropout_prob=0)).save_pretrained(folder)
    return folder


def drawn_weights(decoder: torch.nn.Module, seed: int) -> dict[str, Tensor]:
    """Weights large enough for every part to matter, as float32 values."""
    random = torch.Generator().manual_seed(seed)
    weights = {}
    for name, weight in decoder.named_parameters():
        values = 0.4 * torch.randn(weight.shape, generator=random)
        weights[name] = 1 + values if name.endswith("LayerNorm.weight") else values
    return weights


def sentences(lengths: list[int], width: int, seed: int) -> Tensor:
    """Sentences between the first and the last token, filled up behind."""
    random = torch.Generator().manual_seed(seed)
    rows = torch.full((len(lengths), width), PAD)
    for row, length in zip(rows, lengths):
        row[:length] = torch.randint(5, SIZES["vocab_size"], (length,), generator=random)
        row[0], row[length - 1] = FIRST, LAST
    return rows


def build(folder: str, tied: bool) -> losses.DenoisingAutoEncoderLoss:
    transformer = Transformer(folder)
    assert transformer.tokenizer.pad_token_id == PAD
    model = SentenceTransformer(modules=[transformer, Pooling(SIZES["hidden_size"], pooling_mode="cls")], device="cpu")
    loss = losses.DenoisingAutoEncoderLoss(model, None if tied else folder, tie_encoder_decoder=tied)
    # As in training by the library: the decoder stays in evaluation mode.
    return loss.double().eval()


def set_weights(loss, weights: dict[str, Tensor]) -> None:
    with torch.no_grad():
        for name, weight in loss.decoder.named_parameters():
            weight.copy_(weights[name])


def case(folder: str, name: str, tied: bool, tokens: Tensor, source: Tensor, seen: dict) -> str:
    """`source`: the damaged sentences where the encoder is tied, else the embeddings themselves."""
    loss = build(folder, tied)
    weights = seen.setdefault("weights", drawn_weights(loss.decoder, 1))
    set_weights(loss, weights)
    if tied:
        damaged = {"input_ids": source, "attention_mask": (source != PAD).long()}
        embeddings = loss.encoder(dict(damaged))["sentence_embedding"].detach()
    else:
        embeddings = source.double().requires_grad_()
        damaged = {"sentence_embedding": embeddings, "attention_mask": torch.ones_like(tokens)}
        loss.encoder = GivenEmbeddings(SIZES["hidden_size"])
    value = loss([damaged, {"input_ids": tokens, "attention_mask": (tokens != PAD).long()}], None)
    assert value.dtype == torch.float64
    value.backward()

    gradients = {name: weight.grad for name, weight in loss.decoder.named_parameters()}
    without_effect = [name for name in gradients if any(part in name for part in WITHOUT_EFFECT)]
    assert len(without_effect) == 8 and all(not gradients.pop(name).any() for name in without_effect)
    expected = {
        "loss": fixture.compact(value.item()),
        "embedding_gradient": "null" if tied else fixture.computed(embeddings.grad),
        "gradients": fixture.named(gradients, fixture.computed),
    }
    return fixture.fields(
        {
            "id": fixture.compact(f"DenoisingAutoEncoderLoss-{name}"),
            "tied": fixture.compact(tied),
            "pad_token_id": str(PAD),
            "tokens": fixture.given(tokens),
            "damaged": fixture.given(source) if tied else "null",
            "embeddings": "null" if tied else fixture.given(source),
            "expected": fixture.fields(expected),
        }
    )


def main() -> None:
    fixture.require_reference()
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    random = torch.Generator().manual_seed(2)

    def embeddings(rows: int) -> Tensor:
        return torch.randn(rows, SIZES["hidden_size"], generator=random)

    seen = {}
    with tempfile.TemporaryDirectory() as folder:
        checkpoint(folder)
        cases = [
            case(folder, "untied", False, sentences([6, 6], 6, 3), embeddings(2), seen),
            case(folder, "untied-padded", False, sentences([7, 3, 12, 4], 12, 4), embeddings(4), seen),
            case(folder, "untied-two-tokens", False, sentences([2], 2, 5), embeddings(1), seen),
            case(folder, "tied", True, sentences([5, 5], 5, 6), sentences([3, 3], 3, 7), seen),
            case(folder, "tied-padded", True, sentences([9, 4, 6], 9, 8), sentences([5, 3, 4], 5, 9), seen),
        ]
    weights = {
        name: weight
        for name, weight in seen["weights"].items()
        if not any(part in name for part in WITHOUT_EFFECT)
    }
    config = BertConfig(**SIZES)
    bert = {**SIZES, "layer_norm_eps": config.layer_norm_eps, "initializer_range": config.initializer_range}
    head = f'{{"format":1,"reference":{fixture.compact(fixture.REFERENCE)},"bert":{fixture.compact(bert)},\n'
    text = f'{head}"weights":{fixture.named(weights, fixture.given)},"cases":[\n' + ",\n".join(cases) + "\n]}\n"
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(text)
    print(f"{FILE.name}: {len(cases)} cases, {len(text) / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
