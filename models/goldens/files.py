"""Makes files that hold the parameters of the tiny models in other formats.

    python models/goldens/files.py [FUNCTION...]

Run it after `generate.py`: it reads the models that are there.
"""

import json
import shutil
import sys
import tempfile

import torch
from parts import HERE, write_json
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer


def pytorch():
    """Pickles: as `transformers` saved them until 2023, and as PyTorch did until 2020."""
    weights = load_file(HERE / "bert" / "model.safetensors")
    directory = HERE / "files"
    directory.mkdir(exist_ok=True)
    torch.save(weights, directory / "pytorch_model.bin")
    torch.save(weights, directory / "legacy.bin", _use_new_zipfile_serialization=False)


def half():
    """Half-precision numbers, and what Python embeds with them: in pickles, of float16 in two files with an index."""
    weights = load_file(HERE / "bert" / "model.safetensors")
    texts = json.loads((HERE / "texts.json").read_text())
    embeddings = {}
    for name, dtype in [("f16", torch.float16), ("bf16", torch.bfloat16)]:
        directory = HERE / "files" / name
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        narrow = {name: value.to(dtype) for name, value in weights.items()}
        save_file(narrow, directory / "model.safetensors", metadata={"format": "pt"})
        if name == "bf16":
            torch.save(narrow, directory / "pytorch_model.bin")
        else:
            shards(narrow, directory)
        with tempfile.TemporaryDirectory() as model:
            shutil.copytree(HERE / "bert", model, dirs_exist_ok=True)
            shutil.copy(directory / "model.safetensors", model)
            rows = SentenceTransformer(model, device="cpu").encode(texts).tolist()
        embeddings[name] = [[float(f"{value:.7g}") for value in row] for row in rows]
    write_json(HERE / "files" / "half.json", embeddings)


def shards(weights, directory):
    """Two pickles and their index."""
    names, files = sorted(weights), {}
    for shard in range(2):
        file = f"pytorch_model-0000{shard + 1}-of-00002.bin"
        own = names[shard::2]
        torch.save({name: weights[name] for name in own}, directory / file)
        files |= dict.fromkeys(own, file)
    write_json(directory / "pytorch_model.bin.index.json", {"metadata": {}, "weight_map": files})


def adapter():
    """A pickle, as `peft` saved adapters until 2023."""
    weights = load_file(HERE / "lora" / "adapter_model.safetensors")
    torch.save(weights, HERE / "files" / "adapter_model.bin")


if __name__ == "__main__":
    makers = [pytorch, half, adapter]
    for make in makers:
        if make.__name__ in (sys.argv[1:] or [maker.__name__ for maker in makers]):
            make()
