/*
 * converters.test.mjs
 *	  Tests of the demo's converters: node --test tools/demo
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import test from 'node:test';
import { halfToNumber, readModel } from './tflite.mjs';
import { samePads, transpose } from './tflite-to-onnx.mjs';
import { writeModel } from './onnx.mjs';
import { entries, writeVectors } from './vectors.mjs';

/* Words that look like the JSON around them. */
const WORDS = { 'the': [1, -2, 9, 0], 'a"]},{': [0.5, 0.25, 9, 1], ']': [3, 4, 9, 2], '\\': [5, 6, 9, 3] };
const JSON_TEXT = `{"dimensions":2,"words":["vectors","]"],"vectors":${JSON.stringify(WORDS)},"unkVector":[0,0]}`;

function inChunks(text, size) {
	const bytes = Buffer.from(text);
	const chunks = [];
	for (let at = 0; at < bytes.length; at += size)
		chunks.push(bytes.subarray(at, at + size));
	return Readable.from(chunks);
}

async function all(stream) {
	const found = [];
	for await (const entry of entries(stream))
		found.push(entry);
	return found;
}

async function inFolder(body) {
	const folder = mkdtempSync(join(tmpdir(), 'mren-'));
	try {
		await body(join(folder, 'out.bin'));
	} finally {
		rmSync(folder, { recursive: true });
	}
}

test('entries are the same however the stream is cut', async () => {
	for (let size = 1; size <= JSON_TEXT.length; size++)
		assert.deepEqual(await all(inChunks(JSON_TEXT, size)), Object.entries(WORDS), `chunks of ${size}`);
});

test('a JSON that ends early is an error wherever it ends', async () => {
	const end = JSON_TEXT.indexOf('},"unkVector');
	for (let length = 0; length < end; length += 3)
		await assert.rejects(all(inChunks(JSON_TEXT.slice(0, length), 16)), /ends before its "vectors" do/);
});

test('the most frequent words become word2vec binary', async () => {
	await inFolder(async (path) => {
		await writeVectors(inChunks(JSON_TEXT, 7), path, 2, 2);
		const head = Buffer.from('2 2\nthe ');
		const bytes = readFileSync(path);
		assert.deepEqual(bytes.subarray(0, head.length), head);
		assert.equal(bytes.readFloatLE(head.length), 1);
		assert.equal(bytes.readFloatLE(head.length + 4), -2);
		assert.equal(bytes.subarray(head.length + 8, head.length + 16).toString(), '\na"]},{ ');
	});
});

test('words that are not there and vectors of another length leave no file', async () => {
	await inFolder(async (path) => {
		await assert.rejects(writeVectors(inChunks(JSON_TEXT, 64), path, 5, 2), /found 4 of the 5/);
		await assert.rejects(writeVectors(inChunks(JSON_TEXT, 64), path, 2, 3), /"the" has 4 numbers, not 5/);
		assert.ok(!existsSync(path) && !existsSync(`${path}.part`));
	});
});

test('half precision: values from IEEE 754, section 3.4', () => {
	assert.equal(halfToNumber(0x3c00), 1);
	assert.equal(halfToNumber(0xc000), -2);
	assert.equal(halfToNumber(0x7bff), 65504);
	assert.equal(halfToNumber(0x0400), 2 ** -14);
	assert.equal(halfToNumber(0x0001), 2 ** -24);
	assert.ok(Object.is(halfToNumber(0x8000), -0));
	assert.equal(halfToNumber(0xfc00), -Infinity);
	assert.ok(Number.isNaN(halfToNumber(0x7e00)));
});

test('SAME padding gives ceil(size / stride) outputs, the odd one last', () => {
	assert.deepEqual(samePads(300, 3, 2, 1), [0, 1]);
	assert.deepEqual(samePads(75, 3, 2, 1), [1, 1]);
	assert.deepEqual(samePads(150, 3, 1, 1), [1, 1]);
	assert.deepEqual(samePads(10, 1, 2, 1), [0, 0]);
	for (let size = 1; size < 40; size++) {
		const [before, after] = samePads(size, 5, 3, 2);
		assert.equal(Math.floor((size + before + after - 9) / 3) + 1, Math.ceil(size / 3));
	}
});

test('weights go from OHWI to OIHW', () => {
	const [o, h, w, i] = [2, 3, 4, 5];
	const from = Float32Array.from({ length: o * h * w * i }, (_, n) => n);
	const to = transpose(from, [o, h, w, i], [0, 3, 1, 2]);
	for (let a = 0; a < o; a++)
		for (let b = 0; b < h; b++)
			for (let c = 0; c < w; c++)
				for (let d = 0; d < i; d++)
					assert.equal(to[((a * i + d) * h + b) * w + c], from[((a * h + b) * w + c) * i + d]);
});

test('an ONNX model is the protobuf that its schema says', () => {
	const bytes = writeModel({
		name: 'g', producer: 'p', opset: 13,
		nodes: [{ op: 'Relu', name: 'n', inputs: ['x'], outputs: ['y'] }],
		initializers: [], inputs: [{ name: 'x', shape: [300] }], outputs: [],
	});
	assert.equal(bytes.toString('hex'), [
		'0807',							/* ir_version 7 */
		'120170',						/* producer_name "p" */
		'3a26',							/* graph, 38 bytes: */
		'0a0f', '0a0178', '120179', '1a016e', '220452656c75',	/* node: x, y, n, Relu */
		'120167',						/* name "g" */
		'5a10', '0a0178',					/* input x, */
		'120b', '0a09', '0801', '1205', '0a03', '08ac02',	/* a float tensor of 300 */
		'4204', '0a00', '100d',					/* opset_import "" 13 */
	].join(''));
});

test('what is no TensorFlow Lite model is refused', () => {
	assert.throws(() => readModel(Buffer.from('a text of some length, no model')), /not a TensorFlow Lite model/);
	assert.throws(() => readModel(Buffer.from('\x24\0\0\0TFL3')), RangeError);
	assert.throws(() => readModel(Buffer.alloc(3)), /not a TensorFlow Lite model|Offset/);
});
