import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { packageRoot } from '../../../src/package-root.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { expectError } from '../../helpers/expect-error.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const source = join(packageRoot(), 'plugins/console/assets');
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.'));
const POLICY = [
    "default-src 'none'",
    "script-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "require-trusted-types-for 'script'",
];

describe('GET /admin', () => {
    let app: TestApp;
    let page: string;

    before(async () => {
        app = await startApp();
        ({ text: page } = await app.call('GET', '/admin'));
    });

    after(() => app.stop());

    it('answers the page to anybody, with a slash at the end of the address as well', async () => {
        const { status, headers, text } = await app.call('GET', '/admin/');
        expect([status, headers['content-type']]).to.equal([200, 'text/html; charset=utf-8']);
        expect(text).to.equal(page);
        expect(text).to.include(['<title>Admin console</title>', app.config.VERSION]);
    });

    it('lets it run nothing but its own files, and nobody frame it', async () => {
        for (const url of ['/admin', '/admin/assets/main.js']) {
            const { headers } = await app.call('GET', url);
            for (const rule of POLICY) expect(headers['content-security-policy'], rule).to.include(rule);
            expect(headers['content-security-policy']).to.not.match(/unsafe|https?:|\*/);
            expect(headers['x-frame-options']).to.equal('DENY');
            expect(headers['x-content-type-options']).to.equal('nosniff');
            expect(headers['referrer-policy']).to.equal('no-referrer');
        }
        expect((await app.call('GET', '/api/errors')).headers['content-security-policy']).to.be.undefined();
    });

    it('has no script, style or address of another host within', () => {
        expect(page).to.not.match(/<script(?![^>]* src="\/admin\/)|<style|\son\w+=|\sstyle=/);
        expect(page).to.not.match(/(https?:)?\/\/[\w-]+\.\w/);
    });

    it('tells the browser of every module at once', () => {
        const modules = files.filter((name) => name.endsWith('.js'));
        expect(modules.length).to.be.above(15);
        for (const name of modules)
            expect(page).to.include(`<link rel="modulepreload" href="/admin/assets/${name}" />`);
    });

    it('is not sent again to a browser that has it', async () => {
        const { headers } = await app.call('GET', '/admin');
        expect(headers['cache-control']).to.equal('no-cache');
        const again = await app.call('GET', '/admin', { headers: { 'if-none-match': String(headers.etag) } });
        expect([again.status, again.text]).to.equal([304, '']);
    });

    it('does not exist, nor anything of it, when the console is turned off', async () => {
        const silent = await startApp({ config: { CONSOLE: false } });
        for (const url of ['/admin', '/admin/', '/admin/assets/main.js']) {
            expectError(await silent.call('GET', url), 'ROUTE_NOT_FOUND');
        }
        await silent.stop();
    });

    it('exists without the documentation', async () => {
        const terse = await startApp({ config: { DOCS: false } });
        expect((await terse.call('GET', '/admin')).status).to.equal(200);
        await terse.stop();
    });
});

describe('GET /admin/assets/{file*}', () => {
    let app: TestApp;

    before(async () => {
        app = await startApp();
    });

    after(() => app.stop());

    it('answers every file of the page, as what it is', async () => {
        const types: Record<string, RegExp> = { js: /javascript/, css: /^text\/css/, svg: /^image\/svg\+xml/ };
        for (const name of files) {
            const { status, headers, text } = await app.call('GET', `/admin/assets/${name}`);
            expect(status, name).to.equal(200);
            expect(headers['content-type'], name).to.match(types[name.split('.').at(-1) ?? ''] ?? /never/);
            expect(text, name).to.equal(readFileSync(join(source, name), 'utf8'));
        }
    });

    it('is not sent again to a browser that has it', async () => {
        const { headers } = await app.call('GET', '/admin/assets/main.js');
        expect(headers['cache-control']).to.equal('no-cache');
        const etag = String(headers.etag);
        const again = await app.call('GET', '/admin/assets/main.js', { headers: { 'if-none-match': etag } });
        expect([again.status, again.text]).to.equal([304, '']);
    });

    it('has nothing beside them, and no list of them', async () => {
        const urls = ['', 'pages', 'pages/', 'none.js', '../index.js', '%2e%2e/index.js', '..%2findex.js', '.git'];
        for (const url of urls) {
            const { status } = await app.call('GET', `/admin/assets/${url}`);
            expect([400, 403, 404], url).to.include(status);
        }
    });

    it('gives no module a way to make HTML of text, or to keep secrets', () => {
        for (const name of files.filter((file) => file.endsWith('.js'))) {
            const text = readFileSync(join(source, name), 'utf8');
            expect(text, name).to.not.match(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(/);
            expect(text, name).to.not.match(/localStorage|sessionStorage|indexedDB|document\.cookie/);
            expect(text, name).to.not.match(/['"`]https?:(?!\/\/www\.w3\.org\/2000\/svg)/);
        }
    });
});
