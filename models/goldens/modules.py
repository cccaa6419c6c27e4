"""Tiny models with the modules that may follow a network, and models without a transformer."""

import json
import shutil

import torch
from parts import HERE, SHAPE, TEXTS, expect, randomise, rounded, word_piece, write_json, write_network, write_rows
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import (
    Dense,
    Dropout,
    LayerNorm,
    Normalize,
    Pooling,
    Router,
    StaticEmbedding,
    Transformer,
    WeightedLayerPooling,
)
from transformers import BertConfig, BertModel, Qwen3Config, Qwen3Model

BERT = ["[CLS]", "[PAD]", "[SEP]", "[UNK]"]


def differentiate(directory, first):
    """Writes `module_gradients.json`: the gradient of each parameter of the modules from `first` on."""
    model = SentenceTransformer(str(directory), device="cpu").eval()
    texts = [text for text in TEXTS if "[PAD]" not in text]
    embeddings = model(model.preprocess(texts))["sentence_embedding"]
    row, column = torch.meshgrid(*(torch.arange(size) for size in embeddings.shape), indexing="ij")
    weights = ((7 * row + 3 * column) % 11 - 5) / 5
    (embeddings * weights).square().sum().backward()
    found = {}
    for index, module in list(enumerate(model))[first:]:
        for name, parameter in module.named_parameters():
            found[f"{index}.{name}"] = [rounded(value) for value in parameter.grad.flatten().tolist()]
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(values)}" for name, values in found.items())
    (directory / "module_gradients.json").write_text(f"{{\n{lines}\n}}\n")


def network(name, seed, **options):
    directory = HERE / name
    tokenizer = word_piece(BERT)
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=24, pad_token_id=1, **{**SHAPE, **options}
    )
    write_network(directory, BertModel(config), tokenizer, BERT, seed)
    return directory


def finish(directory, modules, first=1, **options):
    for index, module in enumerate(modules[1:], 1):
        randomise(module, 100 + index)
    model = SentenceTransformer(modules=modules, device="cpu", **options)
    model.save(str(directory), create_model_card=False)
    expect(directory)
    differentiate(directory, first)


def dense():
    """Two dense layers of texts' vectors, one with a residual connection, a normalisation and dropout."""
    directory = network("dense", 31, num_hidden_layers=1, hidden_size=8)
    modules = [
        Transformer(str(directory)),
        Pooling(8, "mean"),
        Dense(8, 6),
        Dense(6, 10, activation_function=torch.nn.GELU(), use_residual=True),
        LayerNorm(10),
        Dropout(0.1),
        Dense(10, 10, bias=False, activation_function=torch.nn.SiLU(), use_residual=True),
        Normalize(),
    ]
    finish(directory, modules)


def dense_tokens():
    """A dense layer of tokens' vectors, which have length one; pooled in two ways."""
    directory = network("dense-tokens", 32, num_hidden_layers=1)
    dense = Dense(16, 6, bias=False, activation_function=None, module_input_name="token_embeddings")
    modules = [Transformer(str(directory)), dense, Normalize("token_embeddings"), Pooling(6, ["cls", "mean"])]
    finish(directory, modules)


def layers():
    """A weighted mean of the vectors before and after the layers."""
    directory = network("layers", 33, hidden_size=8, output_hidden_states=True)
    pooling = WeightedLayerPooling(8, num_hidden_layers=2, layer_start=0)
    finish(directory, [Transformer(str(directory)), pooling, Pooling(8, "mean")])


def layers_qwen3():
    """The same of a network with a normalisation after its last layer."""
    directory = HERE / "layers-qwen3"
    tokenizer = word_piece(BERT)
    config = Qwen3Config(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=8, intermediate_size=12, num_hidden_layers=2, head_dim=4,
        num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=24, output_hidden_states=True,
    )
    write_network(directory, Qwen3Model(config), tokenizer, BERT, 34)
    pooling = WeightedLayerPooling(8, num_hidden_layers=2, layer_start=1)
    finish(directory, [Transformer(str(directory)), pooling, Pooling(8, "lasttoken")])


def table(rows, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, 8, generator=generator)


def static():
    """A table of vectors, and a layer after it."""
    directory = HERE / "static"
    shutil.rmtree(directory, ignore_errors=True)
    tokenizer = word_piece(BERT)
    tokenizer.enable_truncation(30)
    embedding = StaticEmbedding(tokenizer, embedding_weights=table(tokenizer.get_vocab_size(), 35))
    finish(directory, [embedding, Dense(8, 6)], first=0)


def model2vec():
    """A table as model2vec saves it: fewer rows than tokens, half precision, a factor for each token."""
    directory = HERE / "model2vec"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    tokenizer = word_piece(BERT)
    tokens = tokenizer.get_vocab_size()
    tokenizer.save(str(directory / "tokenizer.json"))
    generator = torch.Generator().manual_seed(36)
    tensors = {
        "embeddings": table(20, 36).half(),
        "mapping": torch.randint(20, (tokens,), generator=generator),
        "weights": torch.rand(tokens, generator=generator, dtype=torch.float64),
    }
    save_file(tensors, directory / "model.safetensors", metadata={"format": "pt"})
    write_json(directory / "config.json", {"model_type": "model2vec", "architectures": ["StaticModel"]})
    modules = [("", "StaticEmbedding"), ("1_Normalize", "Normalize")]
    rows = [
        {"idx": i, "name": str(i), "path": path or ".", "type": f"sentence_transformers.models.{kind}"}
        for i, (path, kind) in enumerate(modules)
    ]
    write_json(directory / "modules.json", rows)
    expect(directory)


def router():
    """A table for queries and a network for documents; what follows is for both."""
    directory = network("router", 37, hidden_size=8, num_hidden_layers=1)
    tokenizer = word_piece(BERT)
    query = StaticEmbedding(tokenizer, embedding_weights=table(tokenizer.get_vocab_size(), 38))
    document = [Transformer(str(directory)), Pooling(8, "mean"), randomise(Dense(8, 8), 39)]
    route = Router.for_query_document([query], document)
    prompts = {"query": "a cat: ", "document": ""}
    model = SentenceTransformer(modules=[route, Normalize()], device="cpu", prompts=prompts)
    shutil.rmtree(directory)
    model.save(str(directory), create_model_card=False)
    model = SentenceTransformer(str(directory), device="cpu")
    for task, encode in [("query", model.encode_query), ("document", model.encode_document)]:
        write_rows(directory / f"expected-{task}.json", encode(TEXTS))


MODULES = [dense, dense_tokens, layers, layers_qwen3, static, model2vec, router]
