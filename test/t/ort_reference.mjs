/*
 * ort_reference.mjs
 *	  What ONNX Runtime computes, to compare with: raw floats in, raw floats out.
 *
 *	  node ort_reference.mjs network.onnx input.f32 output.f32 [output-name] [repeats]
 *
 * input.f32 holds one or more pictures, each in the order of the network's own
 * input (for most networks channel by channel); dimensions left open are taken
 * as 1 for the batch and --size N (default 224) elsewhere.  output.f32
 * receives the named output of each, "features" or else the last one where no
 * name is given.  With repeats, the shortest time of a picture is printed.
 * Runs on one thread.  Needs the npm package onnxruntime-node, found through
 * NODE_PATH or in MREN_ORT_DIR.
 */
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';

const require = createRequire(
	process.env.MREN_ORT_DIR ? path.join(process.env.MREN_ORT_DIR, 'x.js') : import.meta.url);
const ort = require('onnxruntime-node');

const args = process.argv.slice(2);
let open = 224;
const at = args.indexOf('--size');
if (at >= 0)
	open = Number(args.splice(at, 2)[1]);
const [network, inputFile, outputFile, wanted, repeats] = args;

const session = await ort.InferenceSession.create(network, {
	intraOpNumThreads: 1, interOpNumThreads: 1, graphOptimizationLevel: 'all',
});
const name = session.inputNames[0];
const meta = Array.isArray(session.inputMetadata) ? session.inputMetadata[0] : undefined;
const shape = (meta?.shape ?? [1, 3, open, open]).map((d, i) =>
	typeof d === 'number' && d > 0 ? d : i === 0 ? 1 : open);
const size = shape.reduce((a, b) => a * b, 1);

const bytes = fs.readFileSync(inputFile);
const floats = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
if (floats.length % size !== 0)
	throw new Error(`${inputFile} has ${floats.length} floats, but a picture of [${shape}] has ${size}`);
const output = wanted && wanted !== '-' ? wanted
	: session.outputNames.includes('features') ? 'features' : session.outputNames.at(-1);

const results = [];
let best = Infinity;
for (let i = 0; i < floats.length / size; i++)
{
	const tensor = new ort.Tensor('float32', floats.subarray(i * size, (i + 1) * size), shape);
	let result;
	for (let r = 0; r < Number(repeats ?? 1); r++)
	{
		const start = performance.now();
		result = await session.run({ [name]: tensor }, [output]);
		best = Math.min(best, performance.now() - start);
	}
	results.push(Buffer.from(new Float32Array(result[output].data).buffer));
}
fs.writeFileSync(outputFile, Buffer.concat(results));
if (repeats)
	console.log(`${best.toFixed(3)} ms`);
