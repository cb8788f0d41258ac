# The same training step in PyTorch on one thread, for bench/train/run:
# train_torch.py INPUTS SECONDS [dropout]
import sys
import time

import torch

torch.set_num_threads(1)
inputs, seconds = int(sys.argv[1]), float(sys.argv[2])
p, q = (0.5, 0.3) if len(sys.argv) > 3 else (0.0, 0.0)
layers = [torch.nn.Dropout(p)] if p else []
for a, b in ((inputs, 128), (128, 64)):
    layers += [torch.nn.Linear(a, b), torch.nn.ReLU()] + ([torch.nn.Dropout(q)] if q else [])
net = torch.nn.Sequential(*layers, torch.nn.Linear(64, 23))
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
x, y = torch.randn(32, inputs), torch.randint(0, 23, (32,))
n, start = 0, time.process_time()
while time.process_time() - start < seconds:
    loss = torch.nn.functional.cross_entropy(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    n += 32
print("torch %.0f" % (n / (time.process_time() - start)))
