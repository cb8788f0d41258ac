"""
peer.py
	A relation network of the shapes of mren's in NumPy, on batches, for bench/predict and bench/whole.

Its weights are at random, which does not change the work: words to vectors, eleven pooled parts of the sentence,
convolutions of widths 3, 4 and 5 over vectors and positions with the greatest of each of three parts, hashed
words and phrases with a weight for each relation, dense layers 128 and 64.  Everything that can be done for a whole
batch is one call of NumPy.
"""
import re

import numpy as np

PLACES, POSITION, FILTERS, BITS = 30, 10, 100, 18
TOKEN = re.compile(r"\w+|[^\w\s]")


class Words:
    """Word vectors of a text file; row 0 is unknown."""

    def __init__(self, path):
        rows, self.number = [], {}
        with open(path, encoding="utf-8") as file:
            for line in file:
                word, *values = line.rstrip("\n").split(" ")
                if len(values) > 1:
                    self.number[word] = len(rows) + 1
                    rows.append(np.array(values, dtype=np.float32))
        self.vectors = np.vstack([np.zeros_like(rows[0])] + rows)


class Batch:
    """Sentences as one row of tokens, four paddings behind each."""

    def __init__(self, words, sentences, heads, tails):
        number, ids, starts, spans, self.tokens = words.number, [], [], [], []
        for sentence, head, tail in zip(sentences, heads, tails):
            tokens = TOKEN.findall(sentence.lower())
            starts.append(len(ids))
            ids.extend([number.get(t, 0) for t in tokens])
            places = []
            for mention in (head, tail):
                n = len(TOKEN.findall(sentence[: sentence.find(mention)]))
                places.append((n, min(n + len(TOKEN.findall(mention)), len(tokens))))
            spans.append((len(tokens), *sorted(places)))
            self.tokens.append(tokens)
            ids.extend((0, 0, 0, 0))
        self.ids = np.array(ids, dtype=np.int64)
        self.start = np.array(starts)
        self.length = np.array([s[0] for s in spans])
        self.a = np.array([s[1] for s in spans])  # (n, 2) the first mention
        self.b = np.array([s[2] for s in spans])


def pooled(words, batch):
    """Means of eleven parts of each sentence: mentions, their windows, between, before, behind, all."""
    sums = np.zeros((len(batch.ids) + 1, words.vectors.shape[1]), dtype=np.float32)
    np.cumsum(words.vectors[batch.ids], axis=0, out=sums[1:])
    n, (a0, a1), (b0, b1) = batch.length, batch.a.T, batch.b.T
    zero = np.zeros_like(n)
    parts = [(a0, a1), (b0, b1), (a1, b0), (zero, a0), (b1, n), (zero, n), (a0 - 1, a0), (a1, a1 + 1), (b0 - 1, b0), (b1, b1 + 1), (a1 - 1, a1)]
    out = []
    for low, high in parts:
        low = np.clip(low, 0, n)
        high = np.clip(high, low, n)
        s = sums[batch.start + high] - sums[batch.start + low]
        out.append(s / np.maximum(high - low, 1)[:, None].astype(np.float32))
    return np.hstack(out + [np.ones((len(n), 19), dtype=np.float32)])


class Model:
    def __init__(self, words, relations, conv, linear):
        rng = np.random.default_rng(1)

        def weights(*shape):
            return (rng.standard_normal(shape) * 0.05).astype(np.float32)

        dim = words.vectors.shape[1]
        self.words, self.conv, self.linear = words, conv, linear
        inputs = 11 * dim + 19 + (9 * FILTERS if conv else 0)
        self.dense = [(weights(a, b), weights(b)) for a, b in ((inputs, 128), (128, 64), (64, relations))]
        self.places = weights(2, 2 * PLACES + 2, POSITION)
        self.taps = weights(dim + 2 * POSITION, 12 * FILTERS)
        self.hashed = weights(1 << BITS, relations) if linear else None

    def convolutions(self, batch):
        lengths = np.diff(np.append(batch.start, len(batch.ids)))
        places = np.arange(len(batch.ids)) - np.repeat(batch.start, lengths)
        rows = [self.words.vectors[batch.ids]]
        for table, mention in zip(self.places, (batch.a, batch.b)):
            rows.append(table[np.clip(places - np.repeat(mention[:, 0], lengths), -PLACES, PLACES) + PLACES + 1])
        taps = np.hstack(rows) @ self.taps
        # Three parts of each sentence, one behind the other: up to the first mention's end, the second's, the end.
        first = np.maximum(batch.a[:, 1], 1)
        second = np.maximum(batch.b[:, 1], first + 1)
        cuts = np.stack([batch.start, batch.start + first, batch.start + second], 1).ravel()
        out, at = [], 0
        for width in (3, 4, 5):
            left = (width - 1) // 2
            sums = taps[:, at + left * FILTERS : at + (left + 1) * FILTERS].copy()
            for k in range(width):
                part = taps[:, at + k * FILTERS : at + (k + 1) * FILTERS]
                if k < left:
                    sums[left - k :] += part[: k - left]
                elif k > left:
                    sums[: left - k] += part[k - left :]
            at += width * FILTERS
            best = np.maximum.reduceat(sums, np.minimum(cuts, len(sums) - 1), axis=0)
            out.append(np.maximum(best, 0).reshape(len(batch.start), 3 * FILTERS))
        return np.hstack(out)

    def hashes(self, batch):
        """Words, bigrams and trigrams between the mentions and around them, words and beginnings of the mentions."""
        ids, starts, mask = [], [], (1 << BITS) - 1
        for tokens, (a0, a1), (b0, b1) in zip(batch.tokens, batch.a, batch.b):
            starts.append(len(ids))
            between = tokens[a1:b0]
            ids.extend([hash(t) & mask for t in between])
            ids.extend([hash(p) & mask for p in zip(between, between[1:])])
            ids.extend([hash(p) & mask for p in zip(between, between[1:], between[2:])])
            for name, part in (("h", tokens[a0:a1]), ("t", tokens[b0:b1]), ("l", tokens[max(a0 - 3, 0) : a0]), ("r", tokens[b1 : b1 + 3])):
                ids.extend([hash((name, t)) & mask for t in part])
                ids.extend([hash((name, t[:5])) & mask for t in part])
            ids.append(hash((tuple(tokens[a0:a1]), tuple(tokens[b0:b1]))) & mask)
        return np.add.reduceat(self.hashed[ids], starts, axis=0)

    def predict(self, sentences, heads, tails):
        batch = Batch(self.words, sentences, heads, tails)
        x = pooled(self.words, batch)
        if self.conv:
            x = np.hstack([x, self.convolutions(batch)])
        for i, (w, b) in enumerate(self.dense):
            x = x @ w + b
            if i < 2:
                np.maximum(x, 0, out=x)
        if self.linear:
            x += self.hashes(batch)
        x = np.exp(x - x.max(axis=1, keepdims=True))
        return (x / x.sum(axis=1, keepdims=True)).argmax(axis=1)
