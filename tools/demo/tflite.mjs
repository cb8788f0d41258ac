/*
 * tflite.mjs
 *	  Reads the part of a TensorFlow Lite model that a plain convolutional
 *	  network uses: tensors, constants (float32 or float16) and operators.
 *
 * A .tflite file is a FlatBuffer: tables whose fields are found through a
 * vtable of 16-bit offsets.  The field numbers below are those of
 * TensorFlow's schema.fbs, version 3.  Every read is bounds-checked by
 * DataView, so a damaged file throws a RangeError and is never misread
 * silently past its end.
 */

export const OPERATORS = new Map([
	[0, 'ADD'], [1, 'AVERAGE_POOL_2D'], [2, 'CONCATENATION'], [3, 'CONV_2D'],
	[4, 'DEPTHWISE_CONV_2D'], [6, 'DEQUANTIZE'], [14, 'LOGISTIC'],
	[17, 'MAX_POOL_2D'], [22, 'RESHAPE'], [40, 'MEAN'],
]);
export const ACTIVATIONS = ['NONE', 'RELU', 'RELU_N1_TO_1', 'RELU6'];
const PADDINGS = ['SAME', 'VALID'];
const FLOAT32 = 0;
const FLOAT16 = 1;

/* One FlatBuffer table: its fields by number, absent ones by default. */
class Table {
	constructor(view, position) {
		this.view = view;
		this.position = position;
		this.vtable = position - view.getInt32(position, true);
		this.vtableSize = view.getUint16(this.vtable, true);
	}

	/* Absolute position of field n, or 0 if the file leaves it out. */
	at(n) {
		const slot = 4 + 2 * n;
		if (slot + 2 > this.vtableSize)
			return 0;
		const offset = this.view.getUint16(this.vtable + slot, true);
		return offset === 0 ? 0 : this.position + offset;
	}

	int8(n, absent = 0) {
		const p = this.at(n);
		return p ? this.view.getInt8(p) : absent;
	}

	int32(n, absent = 0) {
		const p = this.at(n);
		return p ? this.view.getInt32(p, true) : absent;
	}

	/* Where the object that field n points at begins, or 0. */
	follow(n) {
		const p = this.at(n);
		return p ? p + this.view.getUint32(p, true) : 0;
	}

	table(n) {
		const p = this.follow(n);
		return p ? new Table(this.view, p) : null;
	}

	tables(n) {
		const p = this.follow(n);
		const length = p ? this.view.getUint32(p, true) : 0;
		return Array.from({ length }, (_, i) => {
			const slot = p + 4 + 4 * i;
			return new Table(this.view, slot + this.view.getUint32(slot, true));
		});
	}

	ints(n) {
		const p = this.follow(n);
		const length = p ? this.view.getUint32(p, true) : 0;
		return Array.from({ length }, (_, i) => this.view.getInt32(p + 4 + 4 * i, true));
	}

	bytes(n) {
		const p = this.follow(n);
		if (!p)
			return null;
		const length = this.view.getUint32(p, true);
		if (p + 4 + length > this.view.byteLength)
			throw new RangeError('vector reaches past the end of the file');
		return new Uint8Array(this.view.buffer, this.view.byteOffset + p + 4, length);
	}

	string(n) {
		const bytes = this.bytes(n);
		return bytes ? new TextDecoder().decode(bytes) : '';
	}
}

/* IEEE 754 binary16 to a number: sign, 5 bits of exponent, 10 of fraction. */
export function halfToNumber(half) {
	const sign = half & 0x8000 ? -1 : 1;
	const exponent = (half >> 10) & 0x1f;
	const fraction = half & 0x3ff;
	if (exponent === 0)
		return sign * fraction * 2 ** -24;
	if (exponent === 31)
		return fraction ? NaN : sign * Infinity;
	return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function constant(bytes, type, name) {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	if (type === FLOAT32)
		return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
	if (type === FLOAT16)
		return Float32Array.from({ length: bytes.length / 2 },
			(_, i) => halfToNumber(view.getUint16(2 * i, true)));
	throw new Error(`tensor "${name}" has type ${type}; only float32 (0) and float16 (1) are read`);
}

/* The options of the two convolutions number their fields differently. */
function convolutionOptions(table, depthwise) {
	const act = depthwise ? 4 : 3;
	return {
		padding: PADDINGS[table.int8(0)],
		strides: [table.int32(2), table.int32(1)],
		depthMultiplier: depthwise ? table.int32(3) : 1,
		activation: ACTIVATIONS[table.int8(act)],
		dilations: [table.int32(act + 2, 1), table.int32(act + 1, 1)],
	};
}

function operatorOptions(name, table) {
	if (!table)
		return { activation: 'NONE' };
	if (name === 'CONV_2D' || name === 'DEPTHWISE_CONV_2D')
		return convolutionOptions(table, name === 'DEPTHWISE_CONV_2D');
	if (name === 'ADD')
		return { activation: ACTIVATIONS[table.int8(0)] };
	return { activation: 'NONE' };
}

function operatorName(code) {
	/* files older than schema 3a hold the code in the first, 8-bit field */
	const number = Math.max(code.int8(0), code.int32(3));
	return OPERATORS.get(number) ?? `operator ${number} ${code.string(1)}`.trim();
}

/*
 * readModel
 *	  {tensors, operators, inputs, outputs} of the model's first graph.
 *
 * tensors: {name, shape, data}: data is a function that gives a Float32Array,
 * null for what is computed.  operators: {name, inputs, outputs, options},
 * inputs and outputs being indexes into tensors.
 */
export function readModel(bytes) {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	if (new TextDecoder().decode(bytes.subarray(4, 8)) !== 'TFL3')
		throw new Error('not a TensorFlow Lite model: bytes 4 to 7 are not "TFL3"');
	const model = new Table(view, view.getUint32(0, true));
	const codes = model.tables(1).map(operatorName);
	const buffers = model.tables(4);
	const graph = model.tables(2)[0];
	const tensors = graph.tables(0).map((table) => {
		const name = table.string(3);
		const data = buffers[table.int32(2)].bytes(0);
		return {
			name,
			shape: table.ints(0),
			data: data && data.length ? () => constant(data, table.int8(1), name) : null,
		};
	});
	const operators = graph.tables(3).map((table) => {
		const name = codes[table.int32(0)];
		return {
			name,
			inputs: table.ints(1),
			outputs: table.ints(2),
			options: operatorOptions(name, table.table(4)),
		};
	});
	return { tensors, operators, inputs: graph.ints(1), outputs: graph.ints(2) };
}
