"""
client.py
	The client's part of predicting: rows of COPY in, COPY's rows out, for bench/predict/run.

client.py KIND VECTORS IN OUT: prints the milliseconds of processor time, without reading the vectors.
"""
import sys
import time

from peer import Model, Words

kind, vectors, source, target = sys.argv[1:]
model = Model(Words(vectors), 19, kind != "pool", kind == "default")
model.predict(["a b"], ["a"], ["b"])
start = time.process_time()
with open(source, encoding="utf-8") as file, open(target, "w", encoding="utf-8") as out:
    rows = [line.rstrip("\n").split("\t") for line in file]
    for i in range(0, len(rows), 1000):
        ids, sentences, heads, tails = zip(*rows[i : i + 1000])
        for row, label in zip(ids, model.predict(sentences, heads, tails)):
            out.write("%s\tr%d\n" % (row, label))
print("%.3f" % (1000 * (time.process_time() - start)))
