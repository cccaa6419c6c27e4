"""Makes files that hold the parameters of the tiny models in other formats.

    python models/goldens/files.py [FUNCTION...]

Run it after `generate.py`: it reads the models that are there.
"""

import sys

import torch
from parts import HERE
from safetensors.torch import load_file


def pytorch():
    """Pickles: as `transformers` saved them until 2023, and as PyTorch did until 2020."""
    weights = load_file(HERE / "bert" / "model.safetensors")
    directory = HERE / "files"
    directory.mkdir(exist_ok=True)
    torch.save(weights, directory / "pytorch_model.bin")
    torch.save(weights, directory / "legacy.bin", _use_new_zipfile_serialization=False)


def adapter():
    """A pickle, as `peft` saved adapters until 2023."""
    weights = load_file(HERE / "lora" / "adapter_model.safetensors")
    torch.save(weights, HERE / "files" / "adapter_model.bin")


if __name__ == "__main__":
    makers = [pytorch, adapter]
    for make in makers:
        if make.__name__ in (sys.argv[1:] or [maker.__name__ for maker in makers]):
            make()
