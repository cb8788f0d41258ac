"""
export_torch.py
	ResNet-18 as an ONNX file that gives the features before its classifier, for bench/picture/run.

export_torch.py FILE: torchvision's network with weights at random, which does not change the work.  Its normalizations
have seen a batch, so that no layer's output vanishes; PyTorch folds them into the convolutions when it exports.
"""
import sys

import torch
import torchvision

torch.manual_seed(1)
network = torchvision.models.resnet18()
network.fc = torch.nn.Identity()
with torch.no_grad():
    network(torch.randn(8, 3, 224, 224))
torch.onnx.export(
    network.eval(),
    (torch.zeros(1, 3, 224, 224),),
    sys.argv[1],
    input_names=["pixels"],
    output_names=["features"],
    opset_version=14,
)
