/*
 * vectors.test.mjs
 *	  Tests of the conversion of word vectors: node --test bench/accuracy
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import test from 'node:test';
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

test('a stream that fails before the file is open leaves no file either', async () => {
	await inFolder(async (path) => {
		for (let i = 0; i < 200; i++)
			await assert.rejects(writeVectors(inChunks(JSON_TEXT, 1 << 20), `${path}${i}`, 2, 3), /not 5/);
		assert.deepEqual(readdirSync(dirname(path)), []);
	});
});
