"""Gives a model directory that has no weights random ones.

    python benches/gpu/random_weights.py DIR

A GPU is often on a machine that the weights of a model are too large to be copied to; its speed does not
depend on them. DIR needs everything but `model.safetensors`.
"""

import sys
from pathlib import Path

from transformers import AutoConfig, AutoModel

directory = Path(sys.argv[1])
if not (directory / "model.safetensors").exists():
    model = AutoModel.from_config(AutoConfig.from_pretrained(directory))
    model.save_pretrained(directory, safe_serialization=True)
