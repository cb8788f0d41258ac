"""
train_torch.py
	The same fine-tuning in PyTorch on one thread, for bench/transformer/run.

train_torch.py MODEL TUNING BATCH PIECES SECONDS: an encoder of MiniLM's or BERT base's sizes,
as the usual implementations write it, all layers trained or with adapters of rank 16.  The
vectors of eight of the pieces are read.  Prints tokens a second by processor time.
"""
import math
import sys
import time

import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(1)
model_name, tuning = sys.argv[1:3]
batch, pieces = int(sys.argv[3]), int(sys.argv[4])
seconds = float(sys.argv[5])
LAYERS, WIDTH, INTERMEDIATE = (6, 384, 1536) if model_name == "minilm" else (12, 768, 3072)
HEADS = 12


class Dense(nn.Linear):
    """A linear map, beside it an adapter if one is wanted."""

    def __init__(self, n_in, n_out):
        super().__init__(n_in, n_out)
        self.adapted = tuning == "lora16"
        if self.adapted:
            self.lora_a = nn.Parameter(torch.randn(16, n_in) / math.sqrt(n_in))
            self.lora_b = nn.Parameter(torch.zeros(n_out, 16))

    def forward(self, x):
        y = super().forward(x)
        return y + 2.0 * (x @ self.lora_a.T) @ self.lora_b.T if self.adapted else y


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key, self.value, self.context = (Dense(WIDTH, WIDTH) for _ in range(4))
        self.intermediate, self.output = Dense(WIDTH, INTERMEDIATE), Dense(INTERMEDIATE, WIDTH)
        self.attention_norm, self.norm = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.drop = nn.Dropout(0.1)

    def heads(self, x):
        return x.view(x.shape[0], x.shape[1], HEADS, -1).transpose(1, 2)

    def forward(self, x):
        q, k, v = self.heads(self.query(x)), self.heads(self.key(x)), self.heads(self.value(x))
        p = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(q.shape[3]), dim=3)
        c = (self.drop(p) @ v).transpose(1, 2).reshape(x.shape)
        x = self.attention_norm(x + self.drop(self.context(c)))
        h = nn.functional.gelu(self.intermediate(x))
        return self.norm(x + self.drop(self.output(h)))


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.word = nn.Embedding(30522, WIDTH)
        self.position = nn.Embedding(512, WIDTH)
        self.token_type = nn.Embedding(2, WIDTH)
        self.norm = nn.LayerNorm(WIDTH)
        self.drop = nn.Dropout(0.1)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))

    def forward(self, ids):
        x = self.word(ids) + self.position(torch.arange(ids.shape[1])) + self.token_type(ids * 0)
        x = self.drop(self.norm(x))
        for layer in self.layers:
            x = layer(x)
        return x


encoder = Encoder()
if tuning == "lora16":
    for name, parameter in encoder.named_parameters():
        parameter.requires_grad = "lora" in name
trained = [p for p in encoder.parameters() if p.requires_grad]
adam = torch.optim.AdamW(trained, lr=1e-6, foreach=True)
ids = torch.randint(1000, 21000, (batch, pieces))
read = [i for i in range(pieces) if i * 8 % pieces < 8]
slope = torch.rand(batch, len(read), WIDTH) * 2 - 1
passes = steps = n = 0
while n < 2 or passes + steps < seconds:
    begin = time.process_time()
    encoder(ids)[:, read].backward(slope)
    middle = time.process_time()
    nn.utils.clip_grad_norm_(trained, 1.0)
    adam.step()
    adam.zero_grad()
    end = time.process_time()
    if n > 0:
        passes += middle - begin
        steps += end - middle
    n += 1
tokens = (n - 1) * batch * pieces
print(f"torch: both {tokens / passes:.0f}, with clipping and Adam {tokens / (passes + steps):.0f} tokens/s")
