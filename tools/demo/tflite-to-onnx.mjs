/*
 * tflite-to-onnx.mjs
 *	  node tflite-to-onnx.mjs MODEL.tflite OUT.onnx LAST_TENSOR [FROM TO]
 *
 * Turns the feature extractor of a TensorFlow Lite network into an ONNX file
 * that mren.load_image_encoder reads: everything that computes the tensor
 * whose name begins with LAST_TENSOR, followed by a global average that gives
 * the output "features".  FROM and TO, if given, are the byte range of the
 * model inside the file (an application often packs it with other assets).
 *
 * TFLite stores images as NHWC and weights as OHWI (depthwise: 1,H,W,O); ONNX
 * expects NCHW and OIHW (depthwise: O,1,H,W).  Activations that TFLite fuses
 * into an operator become nodes of their own.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readModel } from './tflite.mjs';
import { writeModel } from './onnx.mjs';

const CONVOLUTIONS = ['CONV_2D', 'DEPTHWISE_CONV_2D'];

/*
 * samePads
 *	  Padding before and after along one axis, as TensorFlow's SAME gives it:
 *	  the output has ceil(size / stride) elements and the odd one goes last.
 */
export function samePads(size, kernel, stride, dilation) {
	const reach = (kernel - 1) * dilation + 1;
	const total = Math.max((Math.ceil(size / stride) - 1) * stride + reach - size, 0);
	return [Math.floor(total / 2), Math.ceil(total / 2)];
}

/* (a,b,c,d) row-major to the axis order given, e.g. OHWI to OIHW by 0,3,1,2. */
export function transpose(data, shape, order) {
	const strides = [shape[1] * shape[2] * shape[3], shape[2] * shape[3], shape[3], 1];
	const [n0, n1, n2, n3] = order.map((axis) => shape[axis]);
	const [s0, s1, s2, s3] = order.map((axis) => strides[axis]);
	const out = new Float32Array(data.length);
	let at = 0;
	for (let i = 0; i < n0; i++)
		for (let j = 0; j < n1; j++)
			for (let k = 0; k < n2; k++)
				for (let l = 0; l < n3; l++)
					out[at++] = data[i * s0 + j * s1 + k * s2 + l * s3];
	return out;
}

const nchw = ([n, h, w, c]) => [n, c, h, w];

class Converter {
	constructor(model) {
		this.model = model;
		this.nodes = [];
		this.initializers = [];
		this.names = new Map();
		this.producer = new Map();
		for (const operator of model.operators)
			for (const output of operator.outputs)
				this.producer.set(output, operator);
	}

	/* A constant, looked up through the operator that widens float16. */
	constant(index) {
		const tensor = this.model.tensors[index];
		if (tensor.data)
			return { shape: tensor.shape, data: tensor.data() };
		const operator = this.producer.get(index);
		if (operator?.name === 'DEQUANTIZE')
			return { ...this.constant(operator.inputs[0]), shape: tensor.shape };
		throw new Error(`tensor "${tensor.name}" should be a constant, but is computed`);
	}

	/* Operators that the tensor needs, in the file's (execution) order. */
	needed(index) {
		const wanted = new Set([index]);
		const chosen = [];
		for (const operator of [...this.model.operators].reverse()) {
			if (operator.name === 'DEQUANTIZE' || !operator.outputs.some((o) => wanted.has(o)))
				continue;
			chosen.unshift(operator);
			const computed = CONVOLUTIONS.includes(operator.name) ? operator.inputs.slice(0, 1)
				: operator.inputs;
			computed.forEach((i) => wanted.add(i));
		}
		return chosen;
	}

	add(op, inputs, attributes = {}, output = `t${this.nodes.length}`) {
		this.nodes.push({ op, name: `${op}_${this.nodes.length}`, inputs, outputs: [output], attributes });
		return output;
	}

	initializer(name, shape, data) {
		this.initializers.push({ name, shape, data });
		return name;
	}

	activate(name, activation) {
		switch (activation) {
			case 'NONE':
				return name;
			case 'RELU':
				return this.add('Relu', [name]);
			case 'RELU6':
				if (!this.initializers.some((i) => i.name === 'six')) {
					this.initializer('zero', [], new Float32Array([0]));
					this.initializer('six', [], new Float32Array([6]));
				}
				return this.add('Clip', [name, 'zero', 'six']);
			default:
				throw new Error(`activation ${activation} is not converted`);
		}
	}

	convolution({ name, inputs, options }) {
		const depthwise = name === 'DEPTHWISE_CONV_2D';
		const [, height, width, channels] = this.model.tensors[inputs[0]].shape;
		const { shape, data } = this.constant(inputs[1]);
		const kernel = [shape[1], shape[2]];
		const order = depthwise ? [3, 0, 1, 2] : [0, 3, 1, 2];
		const pads = options.padding === 'VALID' ? [[0, 0], [0, 0]]
			: [height, width].map((size, axis) =>
				samePads(size, kernel[axis], options.strides[axis], options.dilations[axis]));
		const id = this.nodes.length;
		const weight = this.initializer(`w${id}`, order.map((axis) => shape[axis]),
			transpose(data, shape, order));
		const arguments_ = [this.names.get(inputs[0]), weight];
		if (inputs.length > 2 && inputs[2] >= 0) {
			const bias = this.constant(inputs[2]);
			arguments_.push(this.initializer(`b${id}`, bias.shape, bias.data));
		}
		return this.add('Conv', arguments_, {
			kernel_shape: kernel,
			strides: options.strides,
			dilations: options.dilations,
			pads: [pads[0][0], pads[1][0], pads[0][1], pads[1][1]],
			group: depthwise ? channels : 1,
		});
	}

	convert(operator) {
		let output;
		if (CONVOLUTIONS.includes(operator.name))
			output = this.convolution(operator);
		else if (operator.name === 'ADD')
			output = this.add('Add', operator.inputs.map((i) => this.names.get(i)));
		else
			throw new Error(`operator ${operator.name} is not converted`);
		this.names.set(operator.outputs[0], this.activate(output, operator.options.activation));
	}
}

/* The ONNX bytes of everything up to the tensor, and its global average. */
export function convertModel(model, lastTensor) {
	const last = model.tensors.findIndex((t) => t.name.startsWith(lastTensor) && !t.data);
	if (last < 0)
		throw new Error(`the model has no tensor whose name begins with "${lastTensor}"`);
	const converter = new Converter(model);
	const input = model.inputs[0];
	converter.names.set(input, 'image');
	converter.needed(last).forEach((operator) => converter.convert(operator));
	const pooled = converter.add('GlobalAveragePool', [converter.names.get(last)]);
	converter.add('Flatten', [pooled], { axis: 1 }, 'features');
	return writeModel({
		name: 'features',
		producer: 'mren tflite-to-onnx',
		opset: 13,
		nodes: converter.nodes,
		initializers: converter.initializers,
		inputs: [{ name: 'image', shape: nchw(model.tensors[input].shape) }],
		outputs: [{ name: 'features', shape: [1, model.tensors[last].shape[3]] }],
	});
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
	const [, script, source, target, lastTensor, from, to] = process.argv;
	if (!lastTensor) {
		console.error(`usage: node ${basename(script)} MODEL.tflite OUT.onnx LAST_TENSOR [FROM TO]`);
		process.exit(2);
	}
	const file = readFileSync(source).subarray(Number(from ?? 0), to === undefined ? undefined : Number(to));
	writeFileSync(target, convertModel(readModel(file), lastTensor));
}
