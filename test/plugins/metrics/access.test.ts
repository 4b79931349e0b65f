import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../helpers/app.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { readMetrics, sumOf } from '../../helpers/metrics.ts';
import { startRedis } from '../../helpers/redis.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const TOKEN = 'a token that only Prometheus knows of';
const PUBLIC = '8.8.8.8';

describe('GET /metrics without a token', () => {
    let app: TestApp;
    const ask = (from: string, headers: Record<string, string> = {}) => app.call('GET', '/metrics', { from, headers });

    before(async () => {
        app = await startApp({ config: { TRUSTED_PROXIES: ['10.0.0.1'], REQUIRE_HTTPS: true } });
    });

    after(() => app.stop());

    it('answers private networks in the text form, without TLS and outside the envelope', async () => {
        for (const from of [
            '127.0.0.1',
            '::1',
            '10.9.8.7',
            '172.16.0.1',
            '192.168.1.1',
            '::ffff:10.1.1.1',
            'fd00::1',
        ]) {
            const { status, headers, text } = await ask(from);
            expect([status, from]).to.equal([200, from]);
            expect(headers['content-type']).to.equal('text/plain; version=0.0.4; charset=utf-8');
            expect(text).to.match(/^# HELP /m);
        }
    });

    it('refuses everybody else', async () => {
        for (const from of [PUBLIC, '100.64.0.1', '169.254.1.1', '2001:4860:4860::8888', '0.0.0.0']) {
            expectError(await ask(from), 'NETWORK_REFUSED');
        }
    });

    it('is not to be had through a proxy, whether it is trusted or not', async () => {
        for (const from of ['10.0.0.1', '10.0.0.2']) {
            for (const headers of [
                { 'x-forwarded-for': PUBLIC },
                // What the client wrote itself, and what the proxy adds.
                { 'x-forwarded-for': `127.0.0.1, ${PUBLIC}` },
                { 'x-forwarded-for': `${PUBLIC}, 10.0.0.5` },
                { 'x-forwarded-for': 'unknown' },
                { 'x-forwarded-for': '' },
                { 'x-real-ip': PUBLIC },
                { forwarded: `for=${PUBLIC}` },
                { via: '1.1 somewhere' },
            ]) {
                expectError(await ask(from, headers as unknown as Record<string, string>), 'NETWORK_REFUSED');
            }
        }
        expect((await ask('10.0.0.1', { 'x-forwarded-for': '10.3.3.3, 10.4.4.4' })).status).to.equal(200);
    });

    it('answers as often as it is asked, and while the process is busy', async () => {
        const busy = await startApp({ measureLoad: () => ({ delayMs: 1e6, rssMb: 1e9 }) });
        for (let times = 0; times < 120; times++) {
            expect((await busy.call('GET', '/metrics', { from: '10.1.1.1' })).status).to.equal(200);
        }
        expectError(await busy.call('GET', '/api/errors'), 'SERVER_BUSY');
        await busy.stop();
    });
});

describe('GET /metrics with a token', () => {
    let app: TestApp;
    const ask = (authorization?: string, from = '127.0.0.1') =>
        app.call('GET', '/metrics', { from, headers: { ...(authorization !== undefined && { authorization }) } });

    before(async () => {
        app = await startApp({ config: { METRICS_TOKEN: TOKEN.replaceAll(' ', '-') } });
    });

    after(() => app.stop());

    it('answers who has it, from wherever', async () => {
        const token = TOKEN.replaceAll(' ', '-');
        for (const scheme of ['Bearer', 'bearer']) {
            expect((await ask(`${scheme} ${token}`, PUBLIC)).status).to.equal(200);
        }
    });

    it('refuses all others, also of private networks', async () => {
        const token = TOKEN.replaceAll(' ', '-');
        for (const given of [undefined, '', 'Bearer ', 'Bearer wrong', `Bearer ${token}x`, `Basic ${token}`, token]) {
            const answer = await ask(given);
            expectError(answer, 'UNAUTHENTICATED');
            expect(answer.headers['www-authenticate']).to.equal('Bearer');
        }
    });
});

describe('GET /metrics while Redis is away', () => {
    it('answers all the same, and says so', async () => {
        const redis = await startRedis();
        const app = await startApp({ redisPath: redis.path });
        expect(await sumOf(app, 'db_connection_pool_size')).to.equal(1);
        await redis.stop();
        while ((await sumOf(app, 'db_connection_pool_size')) === 1) await sleep(20);
        const samples = await readMetrics(app);
        // It cannot be known, and is not said to be 0.
        expect(samples.filter(({ name }) => name === 'proxy_instances_active')).to.equal([]);
        expect(samples.filter(({ name }) => name === 'http_requests_total').length).to.be.above(0);
        await app.stop();
    });
});

describe('METRICS=off', () => {
    it('leaves nothing to be read', async () => {
        const app = await startApp({ config: { METRICS: false } });
        expectError(await app.call('GET', '/metrics', { from: '127.0.0.1' }), 'ROUTE_NOT_FOUND');
        await app.stop();
    });
});
