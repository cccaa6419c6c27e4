"""Tiny models with rotary positions: encoders, and decoders used as encoders."""

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from encoders import finish
from parts import HERE, byte_level, convert, saved, word_piece, write_json, write_network
from tokenizers import Tokenizer, models, processors
from transformers import (
    AutoTokenizer,
    Gemma2Config,
    Gemma2Model,
    Gemma3TextConfig,
    Gemma3TextModel,
    GemmaConfig,
    GemmaModel,
    GteConfig,
    GteModel,
    LlamaConfig,
    LlamaModel,
    MistralConfig,
    MistralModel,
    ModernBertConfig,
    ModernBertModel,
    NomicBertConfig,
    NomicBertModel,
    Qwen2Config,
    Qwen2Model,
    Qwen3Config,
    Qwen3Model,
)

BERT = ["[CLS]", "[PAD]", "[SEP]", "[UNK]"]
SHAPE = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=24)
DECODER = SHAPE | dict(num_key_value_heads=2, bos_token_id=0, eos_token_id=2, pad_token_id=1)


def change(directory, file="config.json", without=(), **fields):
    """Sets fields of a file, and takes some away."""
    path = directory / file
    content = json.loads(path.read_text()) | fields
    write_json(path, {name: value for name, value in content.items() if name not in without})


def modernbert():
    """Three kinds of layer in a row; the positions of old files; weights in bfloat16."""
    directory = HERE / "modernbert"
    tokenizer = byte_level(BERT)
    config = ModernBertConfig(
        vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=48, local_attention=6,
        global_attn_every_n_layers=2, pad_token_id=1, bos_token_id=0, eos_token_id=2, cls_token_id=0,
        sep_token_id=2, **SHAPE | dict(num_hidden_layers=3, intermediate_size=12),
    )
    write_network(directory, ModernBertModel(config), tokenizer, BERT, 21, model_max_length=44)
    saved(directory, "cls")
    change(
        directory, without=("rope_parameters", "layer_types"), global_rope_theta=900.0, local_rope_theta=20.0,
        global_attn_every_n_layers=2,
    )
    convert(directory, dtype=torch.bfloat16)
    finish(directory, "layers.1.attn.Wqkv.weight")


def nomic_bert():
    """Texts longer than `max_position_embeddings`."""
    directory = HERE / "nomic_bert"
    tokenizer = word_piece(BERT)
    config = NomicBertConfig(
        vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=24, pad_token_id=1, **SHAPE
    )
    write_network(directory, NomicBertModel(config), tokenizer, BERT, 22)
    saved(directory, "mean", normalize=True)
    write_json(directory / "sentence_bert_config.json", {"max_seq_length": 40})
    finish(directory, "encoder.layers.0.attn.Wqkv.weight")


def gte():
    """Token types, and positions divided by a factor."""
    directory = HERE / "gte"
    tokenizer = word_piece(BERT)
    config = GteConfig(
        vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=48, type_vocab_size=1, pad_token_id=1,
        rope_parameters={"rope_type": "linear", "rope_theta": 500.0, "factor": 2.0}, **SHAPE,
    )
    write_network(directory, GteModel(config), tokenizer, BERT, 23)
    saved(directory, "cls")
    finish(directory, "encoder.layer.1.mlp.up_gate_proj.weight")


def new():
    """As the first models of GTE are: names with a prefix, no token types, positions of type "ntk".

    transformers computes it as base · factor, with all speeds divided by factor ^ (2 / head size).
    """
    directory = HERE / "new"
    tokenizer = word_piece(BERT)
    config = GteConfig(
        vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=48, type_vocab_size=0, pad_token_id=1,
        rope_parameters={"rope_type": "linear", "rope_theta": 4000.0, "factor": 8.0 ** (2 / 4)}, **SHAPE,
    )
    write_network(directory, GteModel(config), tokenizer, BERT, 24)
    saved(directory, "cls")
    finish(directory, "encoder.layer.0.attention.qkv_proj.bias")
    change(
        directory, without=("rope_parameters",), model_type="new", position_embedding_type="rope", pack_qkv=True,
        rope_theta=500.0, rope_scaling={"type": "ntk", "factor": 8.0}, layer_norm_type="layer_norm",
        logn_attention_scale=False, auto_map={"AutoModel": "modeling.NewModel"},
    )
    convert(directory, prefix="new.")


def decoder(name, model, config, seed, example, *, pooling="mean", template="$A <eos>", half=torch.float16, prefix="", **fields):
    """A decoder with byte-level tokens; `template` is what is around a text."""
    directory = HERE / name
    special = ["<bos>", "<pad>", "<eos>", "<|endoftext|>"]
    tokenizer = byte_level(special)
    around = [(token, index) for index, token in enumerate(special) if token in template]
    template = processors.TemplateProcessing(single=template, pair=f"{template} $B", special_tokens=around)
    network = model(config(vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=48, **DECODER | fields))
    names = {"bos_token": "<bos>", "pad_token": "<pad>", "eos_token": "<eos>"}
    write_network(
        directory, network, tokenizer, special, seed, template=template, names=names, padding_side="left"
    )
    saved(directory, pooling)
    convert(directory, dtype=half, prefix=prefix)
    finish(directory, example)


def qwen2():
    """A window in the second layer."""
    decoder(
        "qwen2", Qwen2Model, Qwen2Config, 31, "layers.0.self_attn.k_proj.bias", use_sliding_window=True,
        sliding_window=5, max_window_layers=1,
    )


def qwen2_bidirectional():
    """Every token sees all others, as in gte-Qwen2, or those within a window."""
    decoder(
        "qwen2-bidirectional", Qwen2Model, Qwen2Config, 32, "layers.0.self_attn.q_proj.bias", is_causal=False,
        use_sliding_window=True, sliding_window=5, layer_types=["sliding_attention", "full_attention"],
    )


def qwen3():
    """Heads whose size does not follow from the hidden size; normalised queries and keys; the last token."""
    decoder(
        "qwen3", Qwen3Model, Qwen3Config, 33, "layers.1.self_attn.k_norm.weight", head_dim=6,
        attention_bias=True, pooling="lasttoken",
    )


def llama():
    """Positions of Llama 3, with slow, fast and middling pairs; biases everywhere."""
    rope = {
        "rope_type": "llama3", "rope_theta": 100.0, "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 32,
    }
    decoder(
        "llama", LlamaModel, LlamaConfig, 34, "layers.0.mlp.up_proj.bias", template="<bos> $A", head_dim=8,
        attention_bias=True, mlp_bias=True, rope_parameters=rope,
    )


def mistral():
    """A window in all layers."""
    decoder(
        "mistral", MistralModel, MistralConfig, 35, "layers.0.self_attn.v_proj.weight", template="<bos> $A <eos>",
        sliding_window=4,
    )


def gemma():
    decoder("gemma", GemmaModel, GemmaConfig, 36, "layers.0.input_layernorm.weight", head_dim=4)


def gemma2():
    """Bounded scores; a window in every other layer."""
    decoder(
        "gemma2", Gemma2Model, Gemma2Config, 37, "layers.0.pre_feedforward_layernorm.weight", head_dim=4,
        query_pre_attn_scalar=3, attn_logit_softcapping=2.0, sliding_window=5,
    )


def gemma3():
    """As EmbeddingGemma: every token sees those within half a window, in some layers all."""
    decoder(
        "gemma3", Gemma3TextModel, Gemma3TextConfig, 38, "layers.1.self_attn.q_norm.weight", head_dim=6,
        num_hidden_layers=3, layer_types=["sliding_attention", "full_attention", "sliding_attention"],
        query_pre_attn_scalar=5, sliding_window=9, use_bidirectional_attention=True, template="<bos> $A <eos>",
        rope_parameters={
            "full_attention": {"rope_type": "linear", "rope_theta": 3000.0, "factor": 2.0},
            "sliding_attention": {"rope_type": "default", "rope_theta": 30.0},
        },
    )


def gemma3_causal():
    decoder(
        "gemma3-causal", Gemma3TextModel, Gemma3TextConfig, 39, "layers.1.post_attention_layernorm.weight",
        head_dim=4, sliding_window=5, sliding_window_pattern=2,
    )


def pieces():
    """Byte pairs as SentencePiece has them, with bytes for two letters that are none of the pieces."""
    special = ["<unk>", "<s>", "</s>", "<pad>", "<bos>", "<eos>", "<mask>"]
    letters = ["▁", *"abcdeghinorstuTA.,!"]
    data = sorted({f"<0x{byte:02X}>" for byte in "ü雨".encode()})
    merges = [("t", "h"), ("th", "e"), ("▁", "the"), ("c", "at"), ("a", "t"), ("▁", "T"), ("▁", "▁"), ("▁", "c")]
    tokens = special + data + letters + [a + b for a, b in merges]
    tokenizer = Tokenizer(models.BPE({token: index for index, token in enumerate(tokens)}, merges, byte_fallback=True))
    tokenizer.add_special_tokens(special)
    return tokenizer


def classes():
    """`bpe_classes.json`: ids of classes that take no more than the vocabulary of a tokenizer.json."""
    texts = ["The cat, the rain!", "  the  ü 雨x", "", "a<s> the </s>the", "Don't 12 us\n\n a", "u\u0308 "]
    end = {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}], "pair": []}
    end["single"].append({"SpecialToken": {"id": "</s>", "type_id": 0}})
    end["special_tokens"] = {"</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]}}
    sentence_piece = json.loads(pieces().to_str()) | {"post_processor": end, "pre_tokenizer": {"type": "Whitespace"}}
    byte_pairs = json.loads(byte_level(["<unk>", "<s>", "</s>"]).to_str()) | {"post_processor": end}
    # Only some classes see two digits as one word.
    byte_pairs["model"]["merges"].append(["1", "2"])
    byte_pairs["model"]["vocab"]["12"] = len(byte_pairs["model"]["vocab"])
    llama, gemma, qwen = "LlamaTokenizer", "GemmaTokenizerFast", "Qwen2Tokenizer"
    unknown = {"pad_token": "</s>", "unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
    cases = [
        ("llama", sentence_piece, {"tokenizer_class": llama}),
        ("llama", sentence_piece, {"tokenizer_class": llama + "Fast", "legacy": True, "add_eos_token": False}),
        ("llama", sentence_piece, {"tokenizer_class": llama, "add_prefix_space": False, "add_bos_token": True}),
        ("llama", sentence_piece, {"tokenizer_class": "PreTrainedTokenizerFast", "add_bos_token": True}),
        ("llama", sentence_piece, {}),
        ("llama", byte_pairs, {"tokenizer_class": llama}),
        ("mistral", sentence_piece, {"tokenizer_class": llama}),
        ("gemma", sentence_piece, {"tokenizer_class": gemma}),
        ("gemma2", sentence_piece, {}),
        ("gemma3", sentence_piece, {"tokenizer_class": "TokenizersBackend"}),
        ("qwen2", byte_pairs, {"tokenizer_class": "PreTrainedTokenizerFast"}),
        ("qwen3", byte_pairs, {"tokenizer_class": "PreTrainedTokenizerFast"}),
        ("qwen3", byte_pairs, {"tokenizer_class": qwen}),
        ("qwen3", byte_pairs, {"add_eos_token": True}),
        ("modernbert", byte_pairs, {"tokenizer_class": qwen}),
    ]
    found = []
    for family, file, options in cases:
        with TemporaryDirectory() as directory:
            directory = Path(directory)
            write_json(directory / "tokenizer.json", file)
            write_json(directory / "tokenizer_config.json", unknown | options)
            shutil.copy(HERE / family / "config.json", directory)
            tokenizer = AutoTokenizer.from_pretrained(directory)
            kind = "sentence_piece" if file is sentence_piece else "byte_pairs"
            found.append({"family": family, "file": kind, "options": unknown | options, "ids": tokenizer(texts)["input_ids"]})
    files = {"sentence_piece": sentence_piece, "byte_pairs": byte_pairs}
    content = {"texts": texts, "files": files, "cases": found}
    (HERE / "bpe_classes.json").write_text(json.dumps(content) + "\n")


ROTARY = [
    modernbert, nomic_bert, gte, new, qwen2, qwen2_bidirectional, qwen3, llama, mistral, gemma, gemma2, gemma3,
    gemma3_causal, classes,
]
