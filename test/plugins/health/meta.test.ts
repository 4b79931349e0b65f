import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { catalogue } from '../../../src/http/errors.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { newTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

let app: TestApp;

before(async () => {
    app = await startApp({ config: { BUILD_COMMIT: 'abc123def456', BUILD_TIME: '2026-11-20T08:00:00.000Z' } });
});

after(() => app.stop());

describe('GET /api/version', () => {
    it('tells a user what is running', async () => {
        const { status, body, headers } = await (await newTenant(app)).call('GET', '/api/version');
        expect(status).to.equal(200);
        expect(body.data).to.equal({
            version: app.config.VERSION,
            buildTime: '2026-11-20T08:00:00.000Z',
            commit: 'abc123def456',
            environment: 'test',
        });
        expect(headers).to.include({ 'x-ratelimit-limit': '30', 'x-ratelimit-window': '60' });
    });

    it('tells nobody else', async () => {
        const { status, body } = await app.call('GET', '/api/version');
        expect(status).to.equal(401);
        expect(body.error.code).to.equal('UNAUTHENTICATED');
    });
});

describe('GET /api/errors', () => {
    it('lists the catalogue to anybody', async () => {
        const { status, body, headers } = await app.call('GET', '/api/errors');
        expect(status).to.equal(200);
        expect(body.data.errors).to.equal(Object.entries(catalogue).map(([code, entry]) => ({ code, ...entry })));
        expect(headers).to.include({ 'x-ratelimit-limit': '60', 'x-ratelimit-window': '60' });
    });

    it('says of each error what it means and what to do', async () => {
        const { body } = await app.call('GET', '/api/errors');
        for (const { code, status, message, suggestion } of body.data.errors) {
            expect(code).to.match(/^[A-Z][A-Z_]+$/);
            expect(Number(status), code).to.be.within(400, 599);
            expect(message, code).to.match(/^[A-Z].*\.$/);
            expect(suggestion, code).to.match(/^[A-Z].*\.$/);
        }
    });
});
