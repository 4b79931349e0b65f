import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../helpers/app.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

describe('GET /documentation', () => {
    let app: TestApp;
    let page: string;

    before(async () => {
        app = await startApp();
        ({ text: page } = await app.call('GET', '/documentation'));
    });

    after(() => app.stop());

    it('answers a page of HTML', async () => {
        const { status, headers } = await app.call('GET', '/documentation');
        expect(status).to.equal(200);
        expect(headers['content-type']).to.match(/^text\/html/);
        expect(page).to.include('<title>llm-api-layer</title>');
    });

    it('names no other host', () => {
        expect(page).to.not.match(/(https?:)?\/\/[\w-]+\.\w/);
        expect(page).to.include('"validatorUrl":null');
    });

    it('shows our document, whatever the address names', () => {
        expect(page).to.include('{"url":"/openapi.json"');
        expect(page).to.not.match(/location|queryConfigEnabled/);
    });

    it('finds everything it needs here', async () => {
        const needed = assetsOf(page);
        expect(needed.length).to.be.above(4);
        for (const url of needed) expect((await app.call('GET', url)).status, url).to.equal(200);
    });

    it('does not exist, nor anything of it, when the documentation is turned off', async () => {
        const silent = await startApp({ config: { DOCS: false } });
        const urls = ['/documentation', '/openapi.json', '/swaggerui/', ...assetsOf(page)];
        const answers = await Promise.all(urls.map((url) => silent.call('GET', url)));
        await silent.stop();
        for (const { status, body } of answers) {
            expect(status).to.equal(404);
            expect(body.success).to.be.false();
            expect(body.error).to.include({ code: 'ROUTE_NOT_FOUND', statusCode: 404 });
        }
    });
});

/** What a page loads. */
const assetsOf = (page: string): string[] => [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url = '']) => url);
