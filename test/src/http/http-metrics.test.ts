import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../helpers/app.ts';
import { setLimits } from '../../helpers/limits.ts';
import { growth, readMetrics, sumOf } from '../../helpers/metrics.ts';
import { resumeStream } from '../../helpers/stream.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newThread } from '../../helpers/thread.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const ROUTE = '/api/threads/{threadId}';

describe('the metrics of requests', () => {
    let app: TestApp;
    let tenant: TestTenant;

    before(async () => {
        app = await startApp({ listen: true });
        tenant = await newTenant(app);
    });

    after(() => app.stop());

    it('count each by method, route and status, and say how long it took', async () => {
        const threadId = await newThread(tenant);
        const labels = { method: 'GET', route: ROUTE, status: '200' };
        const ask = () => tenant.call('GET', `/api/v1/threads/${threadId}`);
        expect(await growth(app, 'http_requests_total', labels, ask)).to.equal(1);
        expect(await growth(app, 'http_request_duration_seconds_count', labels, ask)).to.equal(1);
        const took = await growth(app, 'http_request_duration_seconds_sum', labels, ask);
        expect(took).to.be.above(0);
        expect(took).to.be.below(30);
        const missing = () => tenant.call('GET', '/api/threads/thread_00000000000000000000000000');
        expect(await growth(app, 'http_requests_total', { ...labels, status: '404' }, missing)).to.equal(1);
    });

    it('count errors by their code, and refusals by limits among them', () =>
        app.inNoTime(async () => {
            const login = () =>
                app.call('POST', '/api/login', {
                    from: '10.77.0.1',
                    payload: { email: 'nobody@none.example', password: 'not the password' },
                });
            expect(await growth(app, 'http_errors_total', { code: 'INVALID_CREDENTIALS' }, login)).to.equal(1);
            const often = async () => {
                for (let times = 0; times < 5; times++) await login();
            };
            expect(await growth(app, 'http_errors_total', { code: 'RATE_LIMITED' }, often)).to.equal(1);
        }));

    it('have no more series for a thousand ids, paths and methods than for one', async () => {
        const methods = ['GET', 'DELETE', 'PROPFIND', 'MKCOL', 'LOCK', 'REPORT', 'HEAD', 'OPTIONS'];
        const walk = async (from: number, to: number) => {
            for (let n = from; n < to; n++) {
                const method = methods[n % methods.length] ?? 'GET';
                const id = `thread_${String(n).padStart(26, '0')}`;
                await Promise.all([
                    tenant.call('GET', `/api/threads/${id}?n=${n}`),
                    app.call('GET', `/api/threads/made-up-${n}/messages`),
                    app.call(method, `/nowhere/${n}`),
                    app.call(method, `/api/threads/${id}`),
                    app.call('GET', `/swaggerui/${n}.css`),
                ]);
            }
        };
        // Whether the limit refuses some of them is a matter of the machine.
        await setLimits(app, tenant.tenantId, { requestsPerMinute: 10_000 });
        // What timers do meanwhile has series of its own.
        const ofRequests = async () => (await readMetrics(app)).filter(({ name }) => name.startsWith('http_'));
        await walk(0, 100);
        const before = (await ofRequests()).length;
        await walk(100, 400);
        const samples = await ofRequests();
        expect(samples.length).to.equal(before);
        expect(samples.filter(({ labels }) => /thread_0|made-up|nowhere/.test(JSON.stringify(labels)))).to.equal([]);
        const known = new Set([...app.server.table().map(({ path }) => path), 'other']);
        const seen = new Set(samples.flatMap(({ labels }) => labels.route ?? []));
        expect([...seen].filter((route) => !known.has(route))).to.equal([]);
        expect(await sumOf(app, 'http_requests_total', { method: 'other', route: 'other' })).to.be.above(100);
    });

    it('count event streams while they are open, and measure them to their beginning', async () => {
        const open = () => sumOf(app, 'http_streams_open');
        expect(await open()).to.equal(0);
        const url = `${app.server.info.uri}/api/events/stream`;
        const streams = await Promise.all([1, 2].map(() => resumeStream(url, tenant.accessToken)));
        await Promise.all(streams.map((stream) => stream.until(({ event }) => event === 'ready')));
        expect(await open()).to.equal(2);
        await sleep(300);
        for (const stream of streams) stream.leave();
        while ((await open()) > 0) await sleep(20);
        const labels = { route: '/api/events/stream' };
        expect(await sumOf(app, 'http_request_duration_seconds_count', labels)).to.equal(2);
    });

    it('count clients that went before they were answered, once', async () => {
        const { port } = app.server.info;
        const socket = connect(Number(port), '127.0.0.1');
        await once(socket, 'connect');
        const before = await sumOf(app, 'http_requests_total', { route: '/api/login' });
        const come = once(app.server.listener, 'request');
        socket.write(
            'POST /api/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{',
        );
        await come;
        socket.destroy();
        while ((await sumOf(app, 'http_requests_total', { route: '/api/login' })) === before) await sleep(20);
        expect(await sumOf(app, 'http_requests_total', { route: '/api/login' })).to.equal(before + 1);
    });
});
