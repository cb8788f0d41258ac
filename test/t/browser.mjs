// Opens an HTML file in headless Chromium, and prints as JSON what a reader would run into:
// errors and warnings of the console, and how far the page is wider than the window.
//
//	node browser.mjs FILE WIDTH light|dark [SCREENSHOT.png]
//
// Chromium is driven by its debugging protocol over two pipes, without further modules.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [file, width, scheme, screenshot] = process.argv.slice(2);
const profile = mkdtempSync(join(tmpdir(), 'mren-browser-'));
const browser = spawn(process.env.CHROMIUM ?? 'chromium',
	['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-extensions',
		'--disable-background-networking', `--user-data-dir=${profile}`, '--remote-debugging-pipe', 'about:blank'],
	{ stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
const [, , , input, output] = browser.stdio;
const waiting = new Map();
const messages = [];
let loaded;
const ready = new Promise((done) => { loaded = done; });
let last = 0;
let rest = '';

function receive(message) {
	if (message.id) {
		const { done, fail } = waiting.get(message.id);
		waiting.delete(message.id);
		if (message.error) fail(new Error(message.error.message));
		else done(message.result);
	} else if (message.method === 'Page.loadEventFired') {
		loaded();
	} else if (message.method === 'Log.entryAdded') {
		messages.push(`${message.params.entry.level}: ${message.params.entry.text}`);
	} else if (message.method === 'Runtime.exceptionThrown') {
		messages.push(`exception: ${message.params.exceptionDetails.text}`);
	} else if (message.method === 'Page.javascriptDialogOpening') {
		messages.push(`dialog: ${message.params.message}`);
	} else if (message.method === 'Network.requestWillBeSent' && !/^(file|data):/.test(message.params.request.url)) {
		messages.push(`request: ${message.params.request.url}`);
	}
}

output.on('data', (bytes) => {
	const parts = (rest + bytes).split('\0');
	rest = parts.pop();
	for (const part of parts) receive(JSON.parse(part));
});

function send(method, params = {}, sessionId = undefined) {
	const id = ++last;
	input.write(JSON.stringify({ id, method, params, sessionId }) + '\0');
	return new Promise((done, fail) => waiting.set(id, { done, fail }));
}

try {
	const { targetInfos } = await send('Target.getTargets');
	const { targetId } = targetInfos.find((target) => target.type === 'page');
	const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true });
	const page = (method, params) => send(method, params, sessionId);
	for (const domain of ['Page', 'Log', 'Runtime', 'Network']) await page(`${domain}.enable`);
	await page('Emulation.setDeviceMetricsOverride',
		{ width: Number(width), height: 900, deviceScaleFactor: Number(width) < 600 ? 2 : 1, mobile: Number(width) < 600 });
	await page('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
	await page('Page.navigate', { url: pathToFileURL(resolve(file)).href });
	await ready;
	const { result } = await page('Runtime.evaluate', { returnByValue: true, expression: `({
		title: document.title,
		excess: document.documentElement.scrollWidth - window.innerWidth,
		sections: [...document.querySelectorAll('section')].map((s) => s.id),
		scripts: document.scripts.length,
		text: document.body.innerText,
		images: [...document.images].filter((i) => i.naturalWidth === 0).length,
		background: getComputedStyle(document.body).backgroundColor })` });
	if (screenshot) {
		const { data } = await page('Page.captureScreenshot', { captureBeyondViewport: true });
		writeFileSync(screenshot, Buffer.from(data, 'base64'));
	}
	console.log(JSON.stringify({ messages, ...result.value }));
} finally {
	const ended = new Promise((done) => browser.on('exit', done));
	await Promise.race([send('Browser.close').catch(() => {}), ended]);
	await ended;
	rmSync(profile, { recursive: true, force: true });
}
