import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { openJobs } from '../../../src/jobs/jobs.ts';
import { PutOff } from '../../../src/jobs/put-off.ts';
import { startJobWorker } from '../../../src/jobs/worker.ts';
import { openTracing, type Tracing } from '../../../src/telemetry/tracing.ts';
import { startApp, testConfig, type TestApp } from '../../helpers/app.ts';
import { startCollector, type TestCollector, type TestSpan } from '../../helpers/collector.ts';
import { fixture, startProvider } from '../../helpers/provider.ts';
import { startRedis } from '../../helpers/redis.ts';
import { silentLogger } from '../../helpers/store.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, afterEach, after } = lab;

const TRACE = 'a'.repeat(32);
const PARENT = `00-${TRACE}-${'b'.repeat(16)}-01`;
const SERVER = 2;
const CLIENT = 3;

describe('OpenTelemetry', () => {
    let collector: TestCollector;
    let tracing: Tracing;
    let app: TestApp;
    let ada: TestTenant;

    const begin = (share = '1') =>
        openTracing(testConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`, OTEL_TRACES_SAMPLER_ARG: share }));

    before(async () => {
        collector = await startCollector();
    });

    after(() => collector.stop());

    describe('a request', () => {
        let spans: TestSpan[];

        before(async () => {
            tracing = await begin();
            const provider = await startProvider({ steps: [fixture('openai-chat.sse')] });
            const config = { OPENAI_BASE_URL: provider.url, PROVIDER_KEYS_SHARED: { openai: 'sk-of-the-platform' } };
            app = await startApp({ tracing, listen: true, config });
            ada = await newTenant(app);
            const thread = await newThread(ada);
            const headers = { traceparent: PARENT, 'x-request-id': 'req-of-this-test' };
            const path = messagesPath(thread, 'gpt-6-astra');
            const sent = await ada.call('POST', `${path}?unknown=query-of-this-test`, { payload: {}, headers });
            const answer = await ada.call('POST', path, { payload: { content: 'words of this test' }, headers });
            expect([sent.status, answer.status]).to.equal([400, 200]);
            const [request] = provider.requests;
            // What happens here is none of theirs.
            expect(request?.headers.traceparent).to.be.undefined();
            expect(request?.headers['x-client-request-id']).to.equal('req-of-this-test');
            await app.stop();
            await provider.stop();
            await tracing.close();
            spans = collector.spans().filter(({ traceId }) => traceId === TRACE);
        });

        const find = (isWanted: (span: TestSpan) => boolean): TestSpan => {
            const found = spans.find(isWanted);
            if (!found) throw new Error(`Not among ${spans.map(({ name }) => name).join(', ')}`);
            return found;
        };

        it('is a span by the template of its route, within the trace of the client', () => {
            const server = find(
                ({ kind, attributes }) => kind === SERVER && attributes['http.response.status_code'] === 200,
            );
            const route = '/api/threads/{threadId}/models/{modelId}/messages';
            expect(server).to.include({ name: `POST ${route}`, kind: SERVER, parentSpanId: 'b'.repeat(16) });
            expect(server.attributes).to.equal({
                'http.request.method': 'POST',
                'http.route': route,
                'http.response.status_code': 200,
                'request.id': 'req-of-this-test',
                'tenant.id': ada.tenantId,
            });
        });

        it('has its commands, its generation and the call of the provider within it', () => {
            const server = find(
                ({ kind, attributes }) => kind === SERVER && attributes['http.response.status_code'] === 200,
            );
            const command = find(
                ({ name, parentSpanId }) => name.startsWith('redis ') && parentSpanId === server.spanId,
            );
            expect(command.kind).to.equal(CLIENT);
            expect(Object.keys(command.attributes)).to.equal(['db.system.name', 'db.operation.name']);
            const generation = find(({ name }) => name === 'generation');
            expect(generation.parentSpanId).to.equal(server.spanId);
            expect(generation.attributes).to.include({
                'tenant.id': ada.tenantId,
                'request.id': 'req-of-this-test',
                'gen_ai.request.model': 'gpt-6-astra',
            });
            const call = find(({ name }) => name === 'POST 127.0.0.1');
            expect(call.parentSpanId).to.equal(generation.spanId);
            expect(call.attributes).to.include({ 'http.response.status_code': 200 });
        });

        it('tells nothing of what it carries', () => {
            const text = collector.texts.join('');
            const secrets = [
                ada.accessToken,
                ada.email,
                'words of this test',
                'query-of-this-test',
                'sk-of-the-platform',
            ];
            for (const secret of secrets) expect(text, secret).not.to.include(secret);
        });
    });

    describe('a job', () => {
        const closing: (() => Promise<unknown>)[] = [];

        beforeEach(async () => {
            tracing = await begin();
        });

        afterEach(async () => {
            for (const close of closing.splice(0).toReversed()) await close();
        });

        const startWork = async (act: () => Promise<void>) => {
            const redis = await startRedis();
            closing.push(() => redis.stop());
            const jobs = openJobs({ path: redis.path }, silentLogger, tracing);
            const worker = await startJobWorker({ path: redis.path }, { act }, silentLogger, { tracing });
            closing.push(
                () => jobs.close(),
                () => worker.close(AbortSignal.timeout(1_000)),
            );
            return jobs;
        };

        it('belongs to the work that has asked for it', async () => {
            let traceparent: string | undefined;
            const jobs = await startWork(async () => void (traceparent = tracing.traceparent()));
            const data = { tenantId: 'tenant_1', requestId: 'req-of-a-job' };
            await tracing.inSpan('asking', { parent: PARENT }, () => jobs.add('act', data));
            while (traceparent === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
            await tracing.close();
            const asking = await collector.span(({ name }) => name === 'asking');
            const done = await collector.span(({ name }) => name === 'job act');
            expect(done).to.include({ traceId: TRACE, parentSpanId: asking.spanId, isFailed: false });
            expect(done.attributes).to.include({ 'tenant.id': 'tenant_1', 'request.id': 'req-of-a-job' });
            expect(traceparent).to.equal(`00-${TRACE}-${done.spanId}-01`);
        });

        it('fails by the name of its error, and not when it is put off', async () => {
            let calls = 0;
            const jobs = await startWork(async () => {
                calls++;
                if (calls === 1) throw new PutOff(10);
                throw new RangeError('a message with contents');
            });
            await jobs.add('act', { tenantId: 'tenant_2' }, { attempts: 1 });
            while (calls < 2) await new Promise((resolve) => setTimeout(resolve, 5));
            const ofTenant = () => collector.spans().filter(({ attributes }) => attributes['tenant.id'] === 'tenant_2');
            await tracing.close();
            while (ofTenant().length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
            expect(ofTenant().map(({ isFailed }) => isFailed)).to.equal([false, true]);
            expect(ofTenant()[1]?.attributes['error.type']).to.equal('RangeError');
            expect(collector.texts.join('')).not.to.include('a message with contents');
        });
    });

    it('begins a trace where none is given, measures as large a share of these as is said, and others as they say', async () => {
        tracing = await begin('0');
        const parents = [undefined, 'no traceparent', `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`];
        for (const parent of parents) {
            const told = await tracing.inSpan('a', { parent }, async () => tracing.traceparent());
            expect(told).to.match(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
            expect(told).not.to.include('0'.repeat(32));
        }
        const told = await tracing.inSpan('a', { parent: PARENT }, async () => tracing.traceparent());
        expect(told).to.match(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
        expect(tracing.traceparent()).to.be.undefined();
        await tracing.close();
    });

    it('does not hold up anything when its collector is away', async () => {
        const away = await startCollector();
        await away.stop();
        tracing = await openTracing(testConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: away.url }));
        expect(await tracing.inSpan('a', {}, async () => 'done')).to.equal('done');
        await tracing.close();
    });
});
