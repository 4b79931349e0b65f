import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { appendOutbox } from '../../../src/redis/append-outbox.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { newBackup } from '../../helpers/backups.ts';
import { newCashier, type Cashier } from '../../helpers/billing.ts';
import { priceOf } from '../../helpers/catalogue.ts';
import { connectAgent, newTunnel, startService, through } from '../../helpers/live-tunnel.ts';
import { growth, readMetrics, sumOf } from '../../helpers/metrics.ts';
import { chargesOf, told } from '../../helpers/paid-calls.ts';
import { hold, startProvider, type Provider } from '../../helpers/provider.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { chunk, remoteModels } from '../../helpers/remote-model.ts';
import { openStream } from '../../helpers/stream.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';
import { newWebhook, PRIVATE_WEBHOOKS, startReceiver } from '../../helpers/webhook.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

/** A micro-dollar for a token in, ten for a token out. */
const PRICES = priceOf({ input: 1_000_000, output: 10_000_000 });
const MODEL = { provider: 'openai', model: 'remote' };

describe('each metric moves when its thing happens', () => {
    let redis: TestRedis;
    let provider: Provider;
    let app: TestApp;
    let cashier: Cashier;
    let ada: TestTenant;
    let thread: string;

    before(async () => {
        [redis, provider] = await Promise.all([startRedis(), startProvider()]);
        const config = { ...remoteModels(provider, { prices: PRICES }), ...PRIVATE_WEBHOOKS };
        app = await startApp({ listen: true, worker: true, redisPath: redis.path, config });
        cashier = await newCashier(app);
    });

    beforeEach(async () => {
        ada = await newTenant(app);
        await cashier.grant(ada.tenantId, 1_000_000);
        thread = await newThread(ada);
        provider.answer({ steps: [chunk('Fine'), told({ input: 10, cached: 4, output: 5 })] });
    });

    after(async () => {
        await app.stop();
        await provider.stop();
        await redis.stop();
    });

    const send = () => ada.call('POST', messagesPath(thread, 'remote'), { payload: { content: 'Hello' } });
    const grew = (name: string, labels: Record<string, string>, work: () => Promise<unknown>) =>
        growth(app, name, labels, work);

    it('calls of models, their tokens and times', async () => {
        const before = await readMetrics(app);
        await send();
        const after = await readMetrics(app);
        const moved = (name: string, labels: Record<string, string> = {}) => {
            const isMeant = (sample: (typeof after)[number]) =>
                sample.name === name &&
                Object.entries({ ...MODEL, ...labels }).every(([key, value]) => sample.labels[key] === value);
            const [now, then] = [after.find(isMeant)?.value ?? 0, before.find(isMeant)?.value ?? 0];
            return now - then;
        };
        expect(moved('model_calls_total', { outcome: 'success' })).to.equal(1);
        expect(moved('model_tokens_total', { type: 'input' })).to.equal(6);
        expect(moved('model_tokens_total', { type: 'cache_read' })).to.equal(4);
        expect(moved('model_tokens_total', { type: 'output' })).to.equal(5);
        expect(moved('model_time_to_first_token_seconds_count')).to.equal(1);
        expect(moved('model_call_duration_seconds_count')).to.equal(1);
    });

    it('calls that fail or are cancelled, by how they ended', async () => {
        provider.answer({ status: 400, steps: ['{"error":{"message":"No"}}'] });
        expect(await grew('model_calls_total', { ...MODEL, outcome: 'PROVIDER_REFUSED' }, send)).to.equal(1);
        const held = hold();
        provider.answer({ steps: [chunk('Well'), held, told({ input: 1, output: 1 })] });
        const cancel = async () => {
            const url = app.server.info.uri + messagesPath(thread, 'remote');
            const stream = await openStream({ url, token: ada.accessToken, payload: { content: 'Hi' } });
            const events = await stream.until(({ event }) => event === 'token');
            expect(await sumOf(app, 'generations_running')).to.equal(1);
            expect(await sumOf(app, 'http_streams_open')).to.equal(1);
            const [start] = events;
            const id = String(start?.data.messageId);
            const { status, text } = await ada.call('POST', `${messagesPath(thread, 'remote')}/${id}/cancel`);
            expect(status, text).to.be.below(300);
            await stream.rest();
        };
        expect(await grew('model_calls_total', { ...MODEL, outcome: 'cancelled' }, cancel)).to.equal(1);
        held.release();
        while ((await sumOf(app, 'generations_running')) + (await sumOf(app, 'http_streams_open')) > 0) await sleep(20);
    });

    it('credits, by what they moved for', async () => {
        const moved = (type: string, work: () => Promise<unknown>) =>
            grew('credits_moved_micros_total', { type }, work);
        // 6 × 1 + 4 × 1 + 5 × 10.
        expect(await moved('model_usage', send)).to.equal(60);
        const [charge] = await chargesOf(app.redis, ada.tenantId);
        const recordId = String(charge?.id);
        const refund = () => cashier.refund({ tenantId: ada.tenantId, recordId, amountMicros: 25 }, 'once');
        expect(await moved('refund', refund)).to.equal(25);
        expect(await moved('refund', refund)).to.equal(0);
        expect(await moved('credit_add', () => cashier.grant(ada.tenantId, 7))).to.equal(7);
        expect(await moved('credit_deduct', () => cashier.grant(ada.tenantId, -8))).to.equal(8);
    });

    it('commands of Redis, by what they are', async () => {
        const count = 'db_query_duration_seconds_count';
        const read = () => ada.call('GET', `/api/threads/${thread}`);
        expect(await grew(count, { query_type: 'auth/admit' }, read)).to.equal(1);
        expect(await grew(count, { query_type: 'exists' }, () => app.call('GET', '/health/ready'))).to.equal(1);
        expect(await sumOf(app, 'db_connection_pool_size')).to.equal(1);
        const types = (await readMetrics(app)).flatMap(({ labels }) => labels.query_type ?? []);
        expect(types.filter((type) => !/^([a-z]+|[a-z-]+\/[a-z-]+)$/.test(type))).to.equal([]);
    });

    it('webhooks, the events for them, and the jobs that send them', async () => {
        const receiver = await startReceiver();
        await newWebhook(ada, receiver.url);
        const before = await Promise.all([
            sumOf(app, 'jobs_total', { queue: 'deliveries', outcome: 'done' }),
            sumOf(app, 'event_relay_lag_seconds_count'),
            sumOf(app, 'job_duration_seconds_count', { queue: 'deliveries' }),
        ]);
        const deliver = async () => {
            const event = { type: 'thread.created' as const, data: { threadId: thread, userId: ada.userId } };
            await appendOutbox(app.store)(ada.tenantId, { events: [event] });
            await receiver.until(1);
            while ((await sumOf(app, 'jobs_total', { queue: 'deliveries', outcome: 'done' })) === before[0]) {
                await sleep(20);
            }
        };
        expect(await grew('webhook_deliveries_total', { outcome: 'delivered' }, deliver)).to.equal(1);
        expect(await sumOf(app, 'event_relay_lag_seconds_count')).to.be.above(before[1]);
        expect(await sumOf(app, 'job_duration_seconds_count', { queue: 'deliveries' })).to.equal(before[2] + 1);
        receiver.status = 500;
        const fail = async () => {
            await newThread(ada);
            const labels = { queue: 'deliveries', outcome: 'put_off' };
            while ((await sumOf(app, 'jobs_total', labels)) === 0) await sleep(20);
        };
        expect(await grew('webhook_deliveries_total', { outcome: 'failed' }, fail)).to.equal(1);
        expect(await sumOf(app, 'jobs_queued', { queue: 'deliveries', state: 'delayed' })).to.equal(1);
        await receiver.stop();
    });

    it('backups and their bytes', async () => {
        const made: number[] = [];
        const back = async () => void made.push((await newBackup(app, ada)).bytes ?? 0);
        expect(await grew('backups_total', { outcome: 'completed' }, back)).to.equal(1);
        const bytes = await grew('backup_bytes_total', {}, back);
        expect(bytes).to.be.above(100);
        expect([bytes]).to.equal(made.slice(1));
    });

    it('tunnels, the calls through them and their bytes', async () => {
        const service = await startService((_request, response) => response.end('x'.repeat(1_000)));
        const tunnel = await newTunnel(app);
        const offline = () => through(app, tunnel, '/').then((answer) => answer.text());
        expect(await grew('tunnel_requests_total', { outcome: 'offline' }, offline)).to.equal(1);
        const agent = await connectAgent(app, tunnel, [service.url]);
        expect(await sumOf(app, 'tunnel_connections_active')).to.equal(1);
        const call = async () => {
            const before = await sumOf(app, 'tunnel_requests_total', { outcome: 'success' });
            await (await through(app, tunnel, '/')).text();
            while ((await sumOf(app, 'tunnel_requests_total', { outcome: 'success' })) === before) await sleep(10);
        };
        expect(await grew('tunnel_relayed_bytes_total', { direction: 'out' }, call)).to.be.at.least(1_000);
        await agent.stop();
        while ((await sumOf(app, 'tunnel_connections_active')) > 0) await sleep(20);
        await service.stop();
    });

    it('circuits, and proxies that run', async () => {
        const samples = await readMetrics(app);
        expect(
            samples.find(({ name, labels }) => name === 'model_circuit_state' && labels.provider === 'openai'),
        ).to.exist();
        expect(samples.find(({ name }) => name === 'proxy_instances_active')?.value).to.equal(0);
        await app.redis.zadd('tenant:{platform}:proxies:checks', Date.now() + 60_000, 'tenant_1/proxy_1');
        expect(await sumOf(app, 'proxy_instances_active')).to.equal(1);
        await app.redis.del('tenant:{platform}:proxies:checks');
    });
});
