# The same network of convolutions in PyTorch on one thread, for bench/train/run:
# conv_torch.py DIM POOLED FILTERS SECONDS [dropout]
#
# Batches are padded to their longest sentence; ids, distances and segments are there before the
# clock starts, and so are the pooled parts, which mren computes for every row.
import os
import sys
import time

import torch
from conv_net import Net, batch

torch.set_num_threads(1)
dim, pooled, filters = (int(x) for x in sys.argv[1:4])
seconds = float(sys.argv[4])
p, q, r = (0.5, 0.3, 0.25) if len(sys.argv) > 5 else (0.0, 0.0, 0.0)
WORDS, BATCH = 5000, 32

if "LENGTHS" in os.environ:  # words of each sentence, as train.c reads them
    with open(os.environ["LENGTHS"]) as file:
        lengths = [min(max(int(x), 8), 128) for x in file.read().split()]
else:
    lengths = [8 + i * 7 % 25 for i in range(64 * BATCH)]

net = Net(dim, WORDS, pooled, filters, 23, p, q, r)
optimizer = torch.optim.AdamW([w for w in net.parameters() if w.requires_grad], lr=1e-3)
batches = []
for i in range(0, len(lengths) // BATCH * BATCH, BATCH):
    rows = [(torch.randint(1, WORDS + 1, (n,)), n // 4, 3 * n // 4) for n in lengths[i : i + BATCH]]
    batches.append((*batch(rows, torch.randn(BATCH, pooled)), torch.randint(0, 23, (BATCH,))))
n, start = 0, time.process_time()
while time.process_time() - start < seconds:
    *x, y = batches[n // BATCH % len(batches)]
    loss = torch.nn.functional.cross_entropy(net(*x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    n += BATCH
print("torch %.0f" % (n / (time.process_time() - start)))
