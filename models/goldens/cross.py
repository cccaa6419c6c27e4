"""Tiny models that score text pairs, and the scores that sentence-transformers gives with them."""

import json

import torch
from parts import HERE, SHAPE, TEXTS, byte_level, convert, rounded, unigram, word_piece, write_json, write_network, write_rows
from sentence_transformers import CrossEncoder
from tokenizers import processors
from transformers import (
    AlbertConfig,
    AlbertForSequenceClassification,
    BertConfig,
    BertForSequenceClassification,
    DebertaV2Config,
    DebertaV2ForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    ElectraConfig,
    ElectraForSequenceClassification,
    ModernBertConfig,
    ModernBertForSequenceClassification,
    MPNetConfig,
    MPNetForSequenceClassification,
    RobertaConfig,
    RobertaForSequenceClassification,
)

BERT = ["[CLS]", "[PAD]", "[SEP]", "[UNK]"]
ROBERTA = ["<s>", "<pad>", "</s>", "<unk>"]
# Each text with the one some places further on; both of a pair may be long, or empty.
PAIRS = [[text, TEXTS[(index + step) % len(TEXTS)]] for step in (1, 3) for index, text in enumerate(TEXTS)]


def template(types):
    """The second text is of the second type where the model knows two."""
    kind = min(types, 2) - 1 if types else 0
    special = [("[CLS]", 0), ("[SEP]", 2)]
    return processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair=f"[CLS] $A [SEP] $B:{kind} [SEP]:{kind}", special_tokens=special
    )


def make(family, tokenizer, model, config, seed, labels=1, activation=None, around=None, **fields):
    """A model, its scores, and the gradient of its first and last layers."""
    directory = HERE / f"cross-{family}"
    special = ROBERTA if "<s>" in tokenizer.get_vocab() else BERT
    fields = {**SHAPE, "vocab_size": tokenizer.get_vocab_size(), "pad_token_id": 1, "num_labels": labels, **fields}
    network = model(config(**fields))
    write_network(directory, network, tokenizer, special, seed, template=around, model_max_length=30)
    CrossEncoder(str(directory), device="cpu", activation_fn=activation).save_pretrained(
        str(directory), create_model_card=False
    )
    return directory


def finish(directory):
    encoder = CrossEncoder(str(directory), device="cpu", model_kwargs={"dtype": torch.float32})
    scores = encoder.predict(PAIRS, convert_to_tensor=True).reshape(len(PAIRS), -1)
    write_rows(directory / "expected.json", scores)
    differentiate(directory, encoder)


def differentiate(directory, encoder):
    """Writes `gradients.json`: the norm of the gradient of each parameter."""
    pairs = [pair for pair in PAIRS if "[PAD]" not in "".join(pair)]
    logits = encoder.eval()(encoder.preprocess(pairs))["scores"].reshape(len(pairs), -1)
    row, column = torch.meshgrid(*(torch.arange(size) for size in logits.shape), indexing="ij")
    (logits * (((7 * row + 3 * column) % 11 - 5) / 5)).square().sum().backward()
    found = {name: it.grad.norm().item() for name, it in encoder.model.named_parameters() if it.grad is not None}
    write_json(directory / "gradients.json", {name: rounded(norm) for name, norm in found.items() if norm > 0})


def bert():
    """One label, scored by the logit; saved as releases before 4.0 did."""
    directory = make(
        "bert", word_piece(BERT), BertForSequenceClassification, BertConfig, 51, around=template(2),
        max_position_embeddings=40,
    )
    for name in ("modules.json", "config_sentence_transformers.json", "sentence_bert_config.json"):
        (directory / name).unlink()
    file = directory / "tokenizer_config.json"
    write_json(file, json.loads(file.read_text()) | {"tokenizer_class": "BertTokenizer"})
    file = directory / "config.json"
    activation = {"sbert_ce_default_activation_function": "torch.nn.modules.linear.Identity"}
    write_json(file, json.loads(file.read_text()) | activation)
    finish(directory)


def roberta():
    """Three classes, and one type of tokens."""
    finish(
        make(
            "roberta", byte_level(ROBERTA), RobertaForSequenceClassification, RobertaConfig, 52, labels=3,
            max_position_embeddings=42, type_vocab_size=1,
        )
    )


def distilbert():
    """No types of tokens."""
    shape = {"dim": 16, "n_layers": 2, "n_heads": 4, "hidden_dim": 24}
    finish(
        make(
            "distilbert", word_piece(BERT), DistilBertForSequenceClassification, DistilBertConfig, 53,
            max_position_embeddings=40, **shape,
        )
    )


def electra():
    """Scores from -1 to 1; embeddings smaller than the hidden states; a tokenizer that gives no types of tokens."""
    finish(
        make(
            "electra", word_piece(BERT), ElectraForSequenceClassification, ElectraConfig, 54, around=template(2),
            activation=torch.nn.Tanh(), max_position_embeddings=40, embedding_size=8,
        )
    )


def albert():
    """Layers that are shared; types of tokens that the tokenizer's file asks for; weights in half precision."""
    directory = make(
        "albert", unigram(BERT), AlbertForSequenceClassification, AlbertConfig, 55, around=template(2),
        max_position_embeddings=40, embedding_size=8, num_hidden_groups=1, inner_group_num=1,
    )
    file = directory / "tokenizer_config.json"
    names = {"model_input_names": ["input_ids", "token_type_ids", "attention_mask"]}
    write_json(file, json.loads(file.read_text()) | names)
    convert(directory, dtype=torch.float16)
    finish(directory)


def mpnet():
    """Two classes."""
    finish(
        make(
            "mpnet", word_piece(["<s>", "<pad>", "</s>", "[UNK]"]), MPNetForSequenceClassification, MPNetConfig, 56,
            labels=2, max_position_embeddings=48,
        )
    )


def deberta():
    """Distances in place of positions."""
    finish(
        make(
            "deberta-v3", unigram(BERT), DebertaV2ForSequenceClassification, DebertaV2Config, 57, around=template(1),
            max_position_embeddings=30, relative_attention=True, position_buckets=8, norm_rel_ebd="layer_norm",
            share_att_key=True, position_biased_input=False, pos_att_type=["p2c", "c2p"], type_vocab_size=0,
        )
    )


def modernbert():
    """The mean of the tokens; a normalisation in the head."""
    finish(
        make(
            "modernbert", byte_level(BERT), ModernBertForSequenceClassification, ModernBertConfig, 58,
            max_position_embeddings=48, local_attention=6, global_attn_every_n_layers=2, bos_token_id=0,
            eos_token_id=2, cls_token_id=0, sep_token_id=2, classifier_pooling="mean",
            **{"num_hidden_layers": 3, "intermediate_size": 12},
        )
    )


def pairs():
    write_json(HERE / "pairs.json", PAIRS)


CROSS = [pairs, bert, roberta, distilbert, electra, albert, mpnet, deberta, modernbert]

if __name__ == "__main__":
    for maker in CROSS:
        maker()
