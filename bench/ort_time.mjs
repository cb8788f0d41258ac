/*
 * ort_time.mjs
 *	  Milliseconds of processor time of a run of a network in ONNX Runtime, on one thread.
 *
 *	  node ort_time.mjs network.onnx SECONDS [--out FILE] name:type:dims ...
 *
 * An input is of type float32 or int64, with dims as in 1x3x224x224, and filled with small numbers.  Prints the median.
 * With --out, the numbers of the output are written to FILE, a line for each.
 * Needs the npm package onnxruntime-node in MREN_ORT_DIR.
 */
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';

const require = createRequire(path.join(process.env.MREN_ORT_DIR, 'x.js'));
const ort = require('onnxruntime-node');
const [network, seconds, ...rest] = process.argv.slice(2);
const out = rest[0] === '--out' ? rest[1] : '';
const inputs = out === '' ? rest : rest.slice(2);

const session = await ort.InferenceSession.create(network, {
	intraOpNumThreads: 1, interOpNumThreads: 1, graphOptimizationLevel: 'all', executionMode: 'sequential',
});
const feeds = {};
for (const input of inputs)
{
	const [name, type, dims] = input.split(':');
	const shape = dims.split('x').map(Number);
	const n = shape.reduce((a, b) => a * b, 1);
	feeds[name === '' ? session.inputNames[0] : name] = type === 'int64'
		? new ort.Tensor('int64', BigInt64Array.from({ length: n }, (_, i) => BigInt(1000 + i * 29 % 20000)), shape)
		: new ort.Tensor('float32', Float32Array.from({ length: n }, (_, i) => (i * 37 % 255) / 127.5 - 1), shape);
}
const output = session.outputNames.includes('features') ? 'features' : session.outputNames.at(-1);

const spent = () => { const u = process.cpuUsage(); return (u.user + u.system) / 1000 };
for (let i = 0; i < 3; i++)
	await session.run(feeds, [output]);
const times = [];
const end = spent() + 1000 * Number(seconds);
while (times.length < 5 || spent() < end)
{
	const start = spent();
	await session.run(feeds, [output]);
	times.push(spent() - start);
}
times.sort((a, b) => a - b);
if (out !== '')
	fs.writeFileSync(out, (await session.run(feeds, [output]))[output].data.join('\n') + '\n');
console.log(times[times.length >> 1].toFixed(4));
