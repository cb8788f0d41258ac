"""Tests of the demo's converters: python3 -m unittest discover tools/demo"""
import importlib.machinery
import importlib.util
import io
import json
import os
import pickle
import struct
import sys
import tempfile
import unittest
import zipfile
from array import array

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)
import onnx     # noqa: E402


def load(name):
    """A script without a suffix as a module."""
    loader = importlib.machinery.SourceFileLoader(name.replace('-', '_'), os.path.join(HERE, name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


network = load('efficientnet-to-onnx')
vectors = load('encoder-vectors')


class Weights(unittest.TestCase):
    def test_a_tensor_is_read_by_its_strides(self):
        storage = array('f', range(10)).tobytes()
        self.assertEqual(list(network.gather(storage, 1, (2, 3), (3, 1))), [1, 2, 3, 4, 5, 6])
        self.assertEqual(list(network.gather(storage, 1, (3, 2), (1, 3))), [1, 4, 2, 5, 3, 6])
        self.assertEqual(list(network.gather(storage, 9, (), ())), [9])

    def test_normalization_is_folded_into_the_convolution(self):
        values = array('f', [1, 2, 3, 4])
        weights = {'c.weight': ([2, 2, 1, 1], values)}
        for part, numbers in dict(weight=[2, 3], bias=[10, 20], running_mean=[5, 7], running_var=[4, 9]).items():
            weights[f'n.{part}'] = ([2], array('f', numbers))
        _, folded, bias = network.fold(weights, 'c', 'n')
        for channel, (scale, shift, mean, variance) in enumerate([(2, 10, 5, 4), (3, 20, 7, 9)]):
            x = (0.5, -1.5)
            plain = sum(v * values[2 * channel + i] for i, v in enumerate(x))
            expected = scale * (plain - mean) / (variance + network.EPSILON) ** 0.5 + shift
            got = sum(v * folded[2 * channel + i] for i, v in enumerate(x)) + bias[channel]
            self.assertAlmostEqual(got, expected, places=5)

    def test_padding_gives_size_by_stride_outputs_the_odd_one_last(self):
        self.assertEqual(network.same_padding(224, 3, 2), [0, 0, 1, 1])
        self.assertEqual(network.same_padding(56, 5, 2), [1, 1, 2, 2])
        self.assertEqual(network.same_padding(7, 5, 1), [2, 2, 2, 2])
        for size in range(1, 40):
            top, _, bottom, _ = network.same_padding(size, 5, 3)
            self.assertEqual((size + top + bottom - 5) // 3 + 1, -(-size // 3))

    def test_objects_of_other_classes_are_refused(self):
        with self.assertRaisesRegex(pickle.UnpicklingError, 'posix.system|nt.system'):
            network.Reader(io.BytesIO(pickle.dumps(os.system))).load()
        with self.assertRaisesRegex(ValueError, 'before version 1.6'):
            network.read_weights(pickle.dumps(5))


class Onnx(unittest.TestCase):
    def test_a_model_is_the_protobuf_that_its_schema_says(self):
        data = onnx.model('g', 'p', 13, [onnx.node('Relu', ['x'], ['y'])], [], [('x', [300])], [])
        self.assertEqual(data.hex(), ''.join([
            '0807',                                             # ir_version 7
            '120170',                                           # producer_name "p"
            '3a26',                                             # graph, 38 bytes:
            '0a0f', '0a0178', '120179', '1a0179', '220452656c75',   # node: x, y, y, Relu
            '120167',                                           # name "g"
            '5a10', '0a0178',                                   # input x,
            '120b', '0a09', '0801', '1205', '0a03', '08ac02',   # a float tensor of 300
            '4204', '0a00', '100d']))                           # opset_import "" 13


class Vectors(unittest.TestCase):
    def write(self, vocabulary, rows, name='embeddings.word_embeddings.weight', dtype='F32'):
        data = b''.join(struct.pack('<2f', *row) for row in rows)
        header = json.dumps({name: {'dtype': dtype, 'shape': [len(rows), 2], 'data_offsets': [4, 4 + len(data)]}}).encode()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, 'w') as archive:
            archive.writestr('m/model.safetensors', struct.pack('<Q', len(header)) + header + b'gaps' + data)
            archive.writestr('m/vocab.txt', ''.join(piece + '\n' for piece in vocabulary))
        with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(packed) as archive:
            path = os.path.join(folder, 'out.bin')
            vectors.write(archive, path, 2)
            with open(path, 'rb') as file:
                return file.read()

    def test_whole_words_become_word2vec_binary(self):
        rows = [(0, 0), (1, -2), (3, 4), (5, 6)]
        # In two dimensions, the projection only changes order and signs.
        (((a, s),), ((b, t),)) = vectors.projection(2, 2)
        packed = [struct.pack('<2f', s * row[a], t * row[b]) for row in rows]
        expected = b'2 2\nthe ' + packed[1] + b'\n' + 'né '.encode() + packed[3] + b'\n'
        for name in ('embeddings.word_embeddings.weight', 'bert.embeddings.word_embeddings.weight'):
            self.assertEqual(self.write(['[PAD]', 'the', '##s', 'né'], rows, name), expected)

    def test_the_projection_uses_each_number_once(self):
        sums = vectors.projection(384, 128)
        self.assertEqual({len(terms) for terms in sums}, {3})
        self.assertEqual(sorted(column for terms in sums for column, _ in terms), list(range(384)))
        self.assertTrue(100 < sum(sign > 0 for terms in sums for _, sign in terms) < 284)

    def test_another_type_is_refused(self):
        with self.assertRaisesRegex(ValueError, 'not a matrix of float32'):
            self.write(['a'], [(1, 2)], dtype='F16')


if __name__ == '__main__':
    unittest.main()
