"""Writes an ONNX file: the few protobuf messages that a convolutional network needs,
encoded by hand so that no package is needed for it.

Field numbers are those of onnx.proto (IR version 7).  A message is the concatenation of
its encoded fields.
"""
import sys
from array import array

VARINT, LENGTH = 0, 2           # wire types
FLOAT = 1                       # TensorProto.DataType
INT, INTS = 2, 7                # AttributeProto.AttributeType


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def integer(field, value):
    return varint(field * 8 + VARINT) + varint(value)


def block(field, value):
    data = value.encode() if isinstance(value, str) else value
    return varint(field * 8 + LENGTH) + varint(len(data)) + data


def message(field, parts):
    return block(field, b''.join(parts))


def little_endian(values):
    if sys.byteorder == 'big':
        values = array('f', values)
        values.byteswap()
    return values.tobytes()


def attribute(name, value):
    if isinstance(value, list):
        return message(5, [block(1, name), *(integer(8, v) for v in value), integer(20, INTS)])
    return message(5, [block(1, name), integer(3, value), integer(20, INT)])


def node(op, inputs, outputs, **attributes):
    """One operator; inputs and outputs are names of tensors, attributes are integers or lists of them."""
    return message(1, [*(block(1, i) for i in inputs), *(block(2, o) for o in outputs), block(3, outputs[0]),
                       block(4, op), *(attribute(n, v) for n, v in attributes.items())])


def initializer(name, shape, values):
    """A constant tensor; values is an array('f'), row-major."""
    return message(5, [*(integer(1, d) for d in shape), integer(2, FLOAT), block(8, name),
                       block(9, little_endian(values))])


def value_info(field, name, shape):
    dimensions = [message(1, [integer(1, d)]) for d in shape]
    return message(field, [block(1, name), message(2, [message(1, [integer(1, FLOAT), message(2, dimensions)])])])


def model(name, producer, opset, nodes, initializers, inputs, outputs):
    """The bytes of a model of one graph; nodes in execution order, inputs and outputs as (name, shape)."""
    graph = [*nodes, block(2, name), *initializers, *(value_info(11, *v) for v in inputs),
             *(value_info(12, *v) for v in outputs)]
    return integer(1, 7) + block(2, producer) + message(7, graph) + message(8, [block(1, ''), integer(2, opset)])
