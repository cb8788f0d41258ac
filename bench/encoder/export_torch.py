"""
export_torch.py
	An encoder of MiniLM's sizes as an ONNX file, written by PyTorch, for bench/encoder/run.

export_torch.py FILE: the network of bench/transformer/train_torch.py without dropout, with weights at
random, any number of sentences and tokens.
"""
import math
import sys

import torch
from torch import nn

LAYERS, WIDTH, INTERMEDIATE, HEADS = 6, 384, 1536, 12
torch.manual_seed(1)


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key, self.value, self.context = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.intermediate, self.output = nn.Linear(WIDTH, INTERMEDIATE), nn.Linear(INTERMEDIATE, WIDTH)
        self.attention_norm, self.norm = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)

    def heads(self, x):
        return x.view(x.shape[0], x.shape[1], HEADS, WIDTH // HEADS).permute(0, 2, 1, 3)

    def forward(self, x):
        q, k, v = self.heads(self.query(x)), self.heads(self.key(x)), self.heads(self.value(x))
        p = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(WIDTH // HEADS), dim=3)
        c = (p @ v).permute(0, 2, 1, 3).reshape(x.shape[0], x.shape[1], WIDTH)
        x = self.attention_norm(x + self.context(c))
        return self.norm(x + self.output(nn.functional.gelu(self.intermediate(x))))


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.word, self.position = nn.Embedding(30522, WIDTH), nn.Embedding(512, WIDTH)
        self.norm = nn.LayerNorm(WIDTH)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))

    def forward(self, ids):
        x = self.norm(self.word(ids) + self.position.weight[: ids.shape[1]])
        for layer in self.layers:
            x = layer(x)
        return x


torch.onnx.export(
    Encoder().eval(),
    (torch.zeros(1, 16, dtype=torch.long),),
    sys.argv[1],
    input_names=["ids"],
    output_names=["hidden"],
    dynamic_axes={"ids": {0: "sentences", 1: "tokens"}, "hidden": {0: "sentences", 1: "tokens"}},
    opset_version=14,
)
