"""
quantize_onnx.py
	The network of export_torch.py with matrices of bytes, for bench/encoder/run.

quantize_onnx.py FROM TO: ONNX Runtime's dynamic quantization, weights by channel.
"""
import sys

from onnxruntime.quantization import QuantType, quantize_dynamic

quantize_dynamic(sys.argv[1], sys.argv[2], per_channel=True, weight_type=QuantType.QInt8)
