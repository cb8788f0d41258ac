"""
whole_torch.py
	The whole job of a training in PyTorch on one thread, for bench/whole/run.

whole_torch.py VECTORS ROWS EPOCHS: ROWS are sentence, head, tail and relation in COPY's form.  Words are looked up
and parts pooled once; then come the epochs, of which each ends with an evaluation of a tenth of the rows.
Prints the seconds of processor time from the rows on.
"""
import random
import sys
import time

import torch
from conv_net import Net, batch
from peer import Batch, Words, pooled

torch.set_num_threads(1)
torch.manual_seed(1)
random.seed(1)
words = Words(sys.argv[1])
start = time.process_time()
with open(sys.argv[2], encoding="utf-8") as file:
    sentences, heads, tails, relations = zip(*(line.rstrip("\n").split("\t") for line in file))
names = {name: i for i, name in enumerate(sorted(set(relations)))}
y = torch.tensor([names[r] for r in relations])
encoded = Batch(words, sentences, heads, tails)
pool = torch.from_numpy(pooled(words, encoded))
rows = [
    (encoded.ids[s : s + max(n, 1)], min(a, max(n, 1) - 1), min(b, max(n, 1) - 1))
    for s, n, a, b in zip(encoded.start, encoded.length, encoded.a[:, 0], encoded.b[:, 0])
]
net = Net(words.vectors.shape[1], len(words.vectors) - 1, pool.shape[1], 100, len(names), 0.5, 0.3, 0.25)
net.words.weight.data = torch.from_numpy(words.vectors)
optimizer = torch.optim.AdamW([w for w in net.parameters() if w.requires_grad], lr=1e-3)
order = list(range(len(rows)))
random.shuffle(order)
held, order = order[: len(order) // 10], order[len(order) // 10 :]


def inputs(chosen):
    return batch([rows[i] for i in chosen], pool[chosen])


for epoch in range(int(sys.argv[3])):
    random.shuffle(order)
    net.train()
    for i in range(0, len(order), 32):
        chosen = order[i : i + 32]
        loss = torch.nn.functional.cross_entropy(net(*inputs(chosen)), y[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    net.eval()
    right = 0
    with torch.no_grad():
        for i in range(0, len(held), 256):
            chosen = held[i : i + 256]
            right += (net(*inputs(chosen)).argmax(1) == y[chosen]).sum().item()
print("%.3f" % (time.process_time() - start))
