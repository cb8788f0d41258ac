"""
tokenizers_peer.py
	The same work in the tokenizers library on one thread, for bench/tokenizer/run.

tokenizers_peer.py TOKENIZER TEXT SECONDS: batches of 1,000 lines, which is its fastest way.
"""
import sys
import time

from tokenizers import Tokenizer

tokenizer = Tokenizer.from_file(sys.argv[1])
tokenizer.no_truncation()
tokenizer.no_padding()
with open(sys.argv[2], encoding="utf-8") as file:
    lines = file.read().split("\n")[:-1]
n, start = 0, time.process_time()
while True:
    pieces = 0
    for i in range(0, len(lines), 1000):
        for encoding in tokenizer.encode_batch(lines[i : i + 1000], add_special_tokens=False):
            pieces += len(encoding)
    n += len(lines)
    if time.process_time() - start >= float(sys.argv[3]):
        break
print("%.0f %d" % (n / (time.process_time() - start), pieces))
