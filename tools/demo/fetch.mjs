/*
 * fetch.mjs
 *	  node fetch.mjs NAME@VERSION OUT.tgz
 *
 * Downloads a package's archive from the registry that npm is set up for, and
 * nothing of what it depends on.  Prints its size before it starts and how far
 * it is; takes up a download that was cut off; checks the registry's digest
 * before the archive gets its name, so a file that is there is whole.
 *
 * Asking npm where the archive is respects npm's own settings; where Node
 * cannot get it from there directly (a proxy, say), npm itself fetches it,
 * which is as good but shows no progress.  Ends with 3 if the registry cannot
 * be reached.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, mkdtempSync, readdirSync, renameSync, rmSync,
	statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

const UNREACHABLE = 3;
const ATTEMPTS = 3;
/* npm's own patience is minutes; a machine without a network should hear of it soon */
const PATIENCE = ['--fetch-retries=1', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=3000',
	'--fetch-timeout=60000', '--no-update-notifier'];

const say = (text) => process.stderr.write(text);
const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
const size = (path) => (existsSync(path) ? statSync(path).size : 0);

async function npm(...args) {
	const { stdout } = await promisify(execFile)('npm', [...args, ...PATIENCE], { maxBuffer: 1 << 24 });
	return stdout;
}

/* npm's reason in one line, without its log's path. */
function reason(error) {
	const lines = String(error.stderr || error.message).split('\n')
		.map((line) => line.replace(/^npm (?:ERR!|error) ?/i, '').trim());
	return lines.find((line) => /request to|not found|network/i.test(line)) ?? lines[0];
}

/* Passes chunks on and says every tenth of the whole how much has come. */
function progress(have, total) {
	let said = Math.floor((10 * have) / total);
	return new Transform({
		transform(chunk, _, done) {
			have += chunk.length;
			const tenth = Math.floor((10 * have) / total);
			if (tenth > said) {
				said = tenth;
				say(` ${10 * tenth}%`);
			}
			done(null, chunk);
		},
	});
}

/* One request for what is missing of the archive; throws if the connection breaks. */
async function download(url, part) {
	const have = size(part);
	const response = await fetch(url, { headers: have ? { Range: `bytes=${have}-` } : {} });
	if (response.status === 416) {
		rmSync(part);
		throw new Error('the part kept from an earlier download is of no use');
	}
	if (!response.ok)
		throw new Error(`the registry answered ${response.status}`);
	const resumed = response.status === 206;
	const rest = Number(response.headers.get('content-length'));
	const total = rest + (resumed ? have : 0);
	say(`  ${megabytes(total)} MB to download`);
	say(resumed ? `, of which ${megabytes(have)} MB are here already:` : ':');
	try {
		await pipeline(Readable.fromWeb(response.body), progress(resumed ? have : 0, total),
			createWriteStream(part, { flags: resumed ? 'a' : 'w' }));
	} finally {
		say('\n');
	}
}

async function digest(path, algorithm) {
	const hash = createHash(algorithm);
	await pipeline(createReadStream(path), hash);
	return hash.digest('base64');
}

async function verified(path, integrity) {
	const [algorithm, expected] = integrity.split(/-(.*)/s);
	return (await digest(path, algorithm)) === expected;
}

/* npm's own download, in a folder of its own because it chooses the file's name. */
async function packByNpm(spec, part) {
	const folder = mkdtempSync(join(dirname(part), 'npm-'));
	try {
		await npm('pack', spec, `--pack-destination=${folder}`);
		renameSync(join(folder, readdirSync(folder)[0]), part);
	} finally {
		rmSync(folder, { recursive: true });
	}
}

async function obtain(spec, url, part) {
	for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
		try {
			await download(url, part);
			return;
		} catch (error) {
			say(`  the download stopped: ${error.cause?.message ?? error.message}\n`);
			if (error.message === 'fetch failed')
				break;		/* there was no connection at all: npm may know a proxy */
		}
	}
	say('  letting npm fetch it instead\n');
	await packByNpm(spec, part);
}

async function main(spec, target) {
	const part = `${target}.part`;
	const kept = size(part) > 0;
	let dist;
	try {
		dist = JSON.parse(await npm('view', spec, 'dist', '--json'));
	} catch (error) {
		say(`  could not ask npm's registry for ${spec}: ${reason(error)}\n`);
		return UNREACHABLE;
	}
	try {
		await obtain(spec, dist.tarball, part);
	} catch (error) {
		say(`  could not download ${spec}: ${reason(error)}\n`);
		return UNREACHABLE;
	}
	if (!(await verified(part, dist.integrity))) {
		rmSync(part);
		say(`  what was downloaded of ${spec} has not the digest that the registry names; it is deleted\n`);
		return kept ? main(spec, target) : 1;
	}
	renameSync(part, target);
	return 0;
}

const [, script, spec, target] = process.argv;
if (!target) {
	console.error(`usage: node ${basename(script)} NAME@VERSION OUT.tgz`);
	process.exit(2);
}
process.exitCode = await main(spec, target);
