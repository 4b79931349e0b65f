import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { PLATFORM, tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { setPlan } from '../../helpers/limits.ts';
import { openStream } from '../../helpers/stream.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';
import { until } from '../../helpers/tunnel-agent.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

describe('POST /api/threads/{threadId}/models/{modelId}/messages with stream: true', () => {
    let app: TestApp;
    let ada: TestTenant;
    let thread: string;

    before(async () => {
        app = await startApp({ listen: true, config: { SANDBOX_TOKEN_DELAY_MS: 5 } });
    });

    beforeEach(async () => {
        ada = await newTenant(app);
        thread = await newThread(ada);
    });

    after(() => app.stop());

    const open = (content: string, more: object = {}) =>
        openStream({
            url: `${app.server.info.uri}${messagesPath(thread)}`,
            token: ada.accessToken,
            payload: { content, ...more },
        });

    const newest = async () => (await ada.call('GET', messagesPath(thread))).body.data.messages[0];

    it('sends the events of an answer in order, each with an id', async () => {
        const stream = await open('count to 5', { temperature: 0.5 });
        expect(stream.status).to.equal(200);
        expect(String(stream.headers.get('content-type'))).to.startWith('text/event-stream');
        expect(String(stream.headers.get('x-request-id'))).to.startWith('req_');
        expect(stream.headers.get('x-ratelimit-limit')).to.equal('20');
        const events = await stream.rest();
        expect(events.map(({ event }) => event)).to.equal([
            'message_start',
            ...Array<string>(5).fill('token'),
            'message_complete',
            'close',
        ]);
        expect(events.map(({ id }) => Number(id))).to.equal(events.map((_, index) => index));
        const text = events.map(({ data }) => data.token ?? '').join('');
        expect(text).to.equal('1 2 3 4 5');
        const stored = await newest();
        expect(stored).to.include({ id: events[0]?.data.messageId, content: text, status: 'complete' });
        expect(events.at(-2)?.data).to.include({ totalTokens: stored.tokens, finishReason: 'stop' });
        expect(events[0]?.data.userMessageId).to.equal(stored.replyTo);
    });

    it('is not compressed, also for a client that would take it', async () => {
        const stream = await open('count to 500');
        expect(stream.headers.get('content-encoding')).to.be.null();
        stream.leave();
    });

    it('refuses before the first token with a real status and the common error form', async () => {
        for (const [path, status, code] of [
            [messagesPath(thread, 'gpt-6.2-sol'), 422, 'PROVIDER_KEY_MISSING'],
            [messagesPath('thread_01K9ZQ4V7N8M3T5R2W6X1Y0ABC'), 404, 'THREAD_NOT_FOUND'],
        ] as const) {
            const { body, ...answer } = await ada.call('POST', path, { payload: { content: 'Hello', stream: true } });
            expect([answer.status, body.error.code]).to.equal([status, code]);
        }
    });

    it('stores the whole answer also when the client goes away', async () => {
        const stream = await open('count to 60');
        await stream.until(({ event }) => event === 'token');
        stream.leave();
        let stored = await newest();
        for (let tries = 0; (stored.role !== 'assistant' || stored.status === 'generating') && tries < 200; tries++) {
            await sleep(20);
            stored = await newest();
        }
        expect(stored).to.include({ role: 'assistant', status: 'complete' });
        expect(String(stored.content)).to.endWith(' 60');
    });

    it('writes nothing for a thread that is deleted in the middle', async () => {
        const stream = await open('count to 30');
        await stream.until(({ event }) => event === 'token');
        expect((await ada.call('DELETE', `/api/threads/${thread}`)).status).to.equal(200);
        expect((await stream.rest()).at(-1)?.event).to.equal('close');
        expect(await app.redis.keys(`tenant:{${ada.tenantId}}:thread:*`)).to.equal([]);
        // Long before its lease has run out.
        await until(async () => {
            const leases = await app.redis.zrange(tenantKey(PLATFORM, 'answers'), '0', '-1');
            return !leases.some((lease) => lease.startsWith(ada.tenantId));
        }, 1_500);
    });

    it('keeps twenty streams of one user apart', async () => {
        await setPlan(app, ada.tenantId, 'premium');
        const streams = await Promise.all(Array.from({ length: 20 }, (_, n) => open(`count to ${n + 10}`)));
        const answers = await Promise.all(streams.map((stream) => stream.rest()));
        for (const [n, events] of answers.entries()) {
            expect(events.filter(({ event }) => event === 'token')).to.have.length(n + 10);
            expect(new Set(events.map(({ data }) => data.messageId).filter(Boolean)).size).to.equal(1);
        }
    });
});
