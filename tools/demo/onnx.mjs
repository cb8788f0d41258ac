/*
 * onnx.mjs
 *	  Writes an ONNX file: the few protobuf messages that a convolutional
 *	  network needs, encoded by hand so that no package is wanted for it.
 *
 * Field numbers are those of onnx.proto (IR version 7, opset 13).  A message
 * is an array of encoded fields; nesting concatenates their bytes.
 */

const VARINT = 0;
const LENGTH = 2;
const FLOAT = 1;		/* TensorProto.DataType */
const ATTRIBUTE_INT = 2;	/* AttributeProto.AttributeType */
const ATTRIBUTE_INTS = 7;

function varint(value) {
	const bytes = [];
	for (let rest = value; ; rest = Math.floor(rest / 128)) {
		if (rest < 128)
			return Buffer.from([...bytes, rest]);
		bytes.push((rest % 128) | 128);
	}
}

const tag = (field, wire) => varint(field * 8 + wire);
const integer = (field, value) => Buffer.concat([tag(field, VARINT), varint(value)]);
const bytes = (field, value) => Buffer.concat([tag(field, LENGTH), varint(value.length), value]);
const text = (field, value) => bytes(field, Buffer.from(value, 'utf8'));
const message = (field, fields) => bytes(field, Buffer.concat(fields));

function attribute([name, value]) {
	if (Array.isArray(value))
		return message(5, [text(1, name), ...value.map((v) => integer(8, v)),
			integer(20, ATTRIBUTE_INTS)]);
	return message(5, [text(1, name), integer(3, value), integer(20, ATTRIBUTE_INT)]);
}

function node({ op, name, inputs, outputs, attributes = {} }) {
	return message(1, [...inputs.map((i) => text(1, i)), ...outputs.map((o) => text(2, o)),
		text(3, name), text(4, op), ...Object.entries(attributes).map(attribute)]);
}

/* data: Float32Array, row-major; written little-endian as raw_data. */
function initializer({ name, shape, data }) {
	const raw = Buffer.alloc(4 * data.length);
	data.forEach((value, i) => raw.writeFloatLE(value, 4 * i));
	return message(5, [...shape.map((d) => integer(1, d)), integer(2, FLOAT), text(8, name),
		bytes(9, raw)]);
}

function valueInfo(field, { name, shape }) {
	const dimensions = shape.map((d) => message(1, [integer(1, d)]));
	return message(field, [text(1, name),
		message(2, [message(1, [integer(1, FLOAT), message(2, dimensions)])])]);
}

/*
 * writeModel
 *	  The bytes of an ONNX model with one graph.
 *
 * nodes in execution order; initializers, inputs and outputs with shapes.
 */
export function writeModel({ name, producer, opset, nodes, initializers, inputs, outputs }) {
	return Buffer.concat([
		integer(1, 7),
		text(2, producer),
		message(7, [...nodes.map(node), text(2, name), ...initializers.map(initializer),
			...inputs.map((v) => valueInfo(11, v)), ...outputs.map((v) => valueInfo(12, v))]),
		message(8, [text(1, ''), integer(2, opset)]),
	]);
}
