"""
conv_net.py
	The network of convolutions and pooled parts in PyTorch, for bench/train and bench/whole.
"""
import torch

WIDTHS, PLACES, POSITION = (3, 4, 5), 30, 10


class Net(torch.nn.Module):
    """p, q, r: dropout of the fused vector, of hidden layers and of words."""

    def __init__(self, dim, words, pooled, filters, relations, p, q, r):
        super().__init__()
        self.words = torch.nn.Embedding(words + 1, dim, padding_idx=0)
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
        self.layers = torch.nn.Sequential(torch.nn.Dropout(p), *layers, torch.nn.Linear(64, relations))
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


def batch(rows, pool):
    """What forward takes, padded to the longest of rows of (ids, place of the first mention, of the second)."""
    longest = max(len(ids) for ids, a, b in rows)
    words = torch.zeros(len(rows), longest, dtype=torch.long)
    head, tail = torch.zeros_like(words), torch.zeros_like(words)
    masks = torch.full((3, len(rows), 1, longest), -1e9)
    for i, (ids, a, b) in enumerate(rows):
        n = len(ids)
        w = torch.arange(n)
        words[i, :n] = torch.as_tensor(ids)
        head[i, :n] = (w - a).clamp(-PLACES, PLACES) + PLACES + 1
        tail[i, :n] = (w - b).clamp(-PLACES, PLACES) + PLACES + 1
        masks[0, i, 0, : a + 1] = masks[1, i, 0, a : b + 2] = masks[2, i, 0, b:n] = 0
    return words, head, tail, masks, pool
