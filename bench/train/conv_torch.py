# The same network of convolutions in PyTorch on one thread, for bench/train/run:
# conv_torch.py DIM POOLED FILTERS SECONDS [dropout]
#
# Batches are padded to their longest sentence; ids, distances and segments are there before the
# clock starts, and so are the pooled parts, which mren computes for every row.
import os
import sys
import time

import torch

torch.set_num_threads(1)
dim, pooled, filters, seconds = (int(x) for x in sys.argv[1:5])
p, q, r = (0.5, 0.3, 0.25) if len(sys.argv) > 5 else (0.0, 0.0, 0.0)
WIDTHS, PLACES, POSITION, WORDS, BATCH = (3, 4, 5), 30, 10, 5000, 32


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.words = torch.nn.Embedding(WORDS + 1, dim, padding_idx=0)
        self.words.weight.requires_grad_(False)
        self.places = torch.nn.ModuleList(
            torch.nn.Embedding(2 * PLACES + 2, POSITION, padding_idx=0) for _ in range(2)
        )
        row = dim + 2 * POSITION
        self.conv = torch.nn.ModuleList(torch.nn.Conv1d(row, filters, w) for w in WIDTHS)
        layers, a = [], pooled + 9 * filters
        for b in (128, 64):
            layers += [torch.nn.Linear(a, b), torch.nn.ReLU(), torch.nn.Dropout(q)]
            a = b
        self.layers = torch.nn.Sequential(torch.nn.Dropout(p), *layers, torch.nn.Linear(64, 23))
        self.drop = torch.nn.Dropout(r)

    def forward(self, ids, head, tail, masks, pool):
        x = torch.cat([self.words(ids), self.places[0](head), self.places[1](tail)], 2)
        x = self.drop(x).transpose(1, 2)
        out = [pool]
        for w, conv in zip(WIDTHS, self.conv):
            left = (w - 1) // 2
            y = conv(torch.nn.functional.pad(x, (left, w - 1 - left)))
            out += [torch.relu((y + mask).amax(2)) for mask in masks]
        return self.layers(torch.cat(out, 1))


if "LENGTHS" in os.environ:  # words of each sentence, as train.c reads them
    with open(os.environ["LENGTHS"]) as file:
        lengths = [min(max(int(x), 8), 128) for x in file.read().split()]
else:
    lengths = [8 + i * 7 % 25 for i in range(64 * BATCH)]


def batch(first):
    rows = lengths[first : first + BATCH]
    longest = max(rows)
    ids = torch.zeros(BATCH, longest, dtype=torch.long)
    head, tail = torch.zeros_like(ids), torch.zeros_like(ids)
    masks = torch.full((3, BATCH, 1, longest), -1e9)
    for i, n in enumerate(rows):
        a, b = n // 4, 3 * n // 4
        ids[i, :n] = torch.randint(1, WORDS + 1, (n,))
        w = torch.arange(n)
        head[i, :n] = (w - a).clamp(-PLACES, PLACES) + PLACES + 1
        tail[i, :n] = (w - b).clamp(-PLACES, PLACES) + PLACES + 1
        masks[0, i, 0, : a + 1] = masks[1, i, 0, a : b + 2] = masks[2, i, 0, b:n] = 0
    return ids, head, tail, masks, torch.randn(BATCH, pooled), torch.randint(0, 23, (BATCH,))


net = Net()
optimizer = torch.optim.AdamW([w for w in net.parameters() if w.requires_grad], lr=1e-3)
batches = [batch(BATCH * i) for i in range(len(lengths) // BATCH)]
n, start = 0, time.process_time()
while time.process_time() - start < seconds:
    ids, head, tail, masks, pool, y = batches[n // BATCH % len(batches)]
    loss = torch.nn.functional.cross_entropy(net(ids, head, tail, masks, pool), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    n += BATCH
print("torch %.0f" % (n / (time.process_time() - start)))
