/*
 * fetch.mjs
 *	  node fetch.mjs NAME@VERSION OUT.tgz
 *
 * Downloads a package's archive, without its dependencies, from the registry that
 * npm is configured for.  Prints the size before the download and its progress;
 * resumes an interrupted download; verifies the registry's digest before the archive
 * gets its name, so that an existing file is complete.
 *
 * npm is asked for the address of the archive, which respects npm's settings.  If
 * Node cannot download it directly, for example because of a proxy, npm downloads it
 * without showing progress.  Exits with status 3 if the registry cannot be reached.
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

/* Passes chunks on and prints the progress after each tenth of the whole. */
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

/* One request for the missing part of the archive; throws if the connection breaks. */
async function download(url, part) {
	const have = size(part);
	const response = await fetch(url, { headers: have ? { Range: `bytes=${have}-` } : {} });
	if (response.status === 416) {
		rmSync(part);
		throw new Error('the part of an earlier download could not be resumed');
	}
	if (!response.ok)
		throw new Error(`the registry returned status ${response.status}`);
	const resumed = response.status === 206;
	const rest = Number(response.headers.get('content-length'));
	const total = rest + (resumed ? have : 0);
	say(`  ${megabytes(total)} MB to download`);
	say(resumed ? `, of which ${megabytes(have)} MB were downloaded before:` : ':');
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

/* Downloads with npm, into a directory of its own because npm chooses the file's name. */
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
			say(`  The download was interrupted: ${error.cause?.message ?? error.message}\n`);
			if (error.message === 'fetch failed')
				break;		/* there was no connection at all: npm may know a proxy */
		}
	}
	say('  Downloading it with npm instead.\n');
	await packByNpm(spec, part);
}

async function main(spec, target) {
	const part = `${target}.part`;
	const kept = size(part) > 0;
	let dist;
	try {
		dist = JSON.parse(await npm('view', spec, 'dist', '--json'));
	} catch (error) {
		say(`  npm's registry could not be queried for ${spec}: ${reason(error)}\n`);
		return UNREACHABLE;
	}
	try {
		await obtain(spec, dist.tarball, part);
	} catch (error) {
		say(`  ${spec} could not be downloaded: ${reason(error)}\n`);
		return UNREACHABLE;
	}
	if (!(await verified(part, dist.integrity))) {
		rmSync(part);
		say(`  The download of ${spec} does not have the digest that the registry lists, and was deleted.\n`);
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
