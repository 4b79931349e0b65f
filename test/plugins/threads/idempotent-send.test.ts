import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type Answer, type TestApp } from '../../helpers/app.ts';
import { writeCatalogue } from '../../helpers/catalogue.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { cut, hold, startProvider, type Provider, type Step } from '../../helpers/provider.ts';
import { chunk, END } from '../../helpers/remote-model.ts';
import { openStream } from '../../helpers/stream.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread, parseEvents, type ReceivedEvent } from '../../helpers/thread.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const HEADERS = { 'idempotency-key': 'key' };

const textOf = (events: ReceivedEvent[]) => events.map(({ data }) => data.token ?? '').join('');
const isReplayed = ({ headers }: Answer) => headers['idempotent-replayed'] === 'true';

describe('POST /api/threads/{threadId}/models/{modelId}/messages with an Idempotency-Key', () => {
    let provider: Provider;
    let app: TestApp;
    let other: TestApp;
    let ada: TestTenant;
    let thread: string;

    before(async () => {
        provider = await startProvider();
        const config = {
            CATALOGUE_FILE: writeCatalogue([
                { id: 'remote', provider: 'openai', parameters: { temperature: false } },
                { id: 'sandbox' },
            ]),
            OPENAI_BASE_URL: `${provider.url}/v1`,
            PROVIDER_KEYS_SHARED: { openai: 'a key of the test' },
        };
        app = await startApp({ listen: true, config });
        const { JWT_KEYS, VAULT_KEYS } = app.config;
        other = await startApp({ config: { ...config, JWT_KEYS, VAULT_KEYS } });
    });

    beforeEach(async () => {
        ada = await newTenant(app);
        thread = await newThread(ada);
        provider.requests.length = 0;
        provider.answer({ steps: [chunk('One'), chunk(' two'), END] });
    });

    after(async () => {
        await app.stop();
        await other.stop();
        await provider.stop();
    });

    const payload = (more: object = {}) => ({ content: 'Hello', ...more });
    const send = (more: object = {}, model = 'remote') =>
        ada.call('POST', messagesPath(thread, model), { payload: payload(more), headers: HEADERS });
    const onOther = (more: object = {}) =>
        other.call('POST', messagesPath(thread, 'remote'), {
            payload: payload(more),
            headers: HEADERS,
            token: ada.accessToken,
        });
    const open = () =>
        openStream({
            url: `${app.server.info.uri}${messagesPath(thread, 'remote')}`,
            token: ada.accessToken,
            payload: payload({ stream: true }),
            headers: HEADERS,
        });
    const stored = async () => (await ada.call('GET', messagesPath(thread, 'remote'))).body.data.messages;
    const keys = () => app.redis.keys(`tenant:{${ada.tenantId}}:idempotency:*`);
    /** The answer is stored for repeats a moment after the client has it. */
    const untilSettled = async (count: number) => {
        for (;;) {
            const found = await keys();
            const held = await Promise.all(found.map((key) => app.redis.hexists(key, 'holder')));
            if (found.length === count && !held.includes(1)) return;
        }
    };

    it('is answered again with both messages, here and on another replica', async () => {
        const first = await send();
        await untilSettled(1);
        for (const again of [await send(), await onOther()]) {
            expect(again.status).to.equal(200);
            expect(again.body.data).to.equal(first.body.data);
            expect(isReplayed(again)).to.be.true();
        }
        expect(isReplayed(first)).to.be.false();
        expect(provider.requests).to.have.length(1);
        expect(await stored()).to.have.length(2);
    });

    it('is one generation, of two at once', async () => {
        const [one, two] = await Promise.all([send(), send()]);
        expect([one.status, two.status]).to.equal([200, 200]);
        expect(one.body.data).to.equal(two.body.data);
        expect([one, two].filter(isReplayed)).to.have.length(1);
        expect(provider.requests).to.have.length(1);
        expect(await stored()).to.have.length(2);
    });

    it('is one generation, of fifteen at once on two replicas', async () => {
        const rest = hold();
        provider.answer({ steps: [chunk('One'), rest, END] });
        const sending = Promise.all(Array.from({ length: 15 }, (_, n) => (n % 2 ? onOther() : send())));
        await rest.reached;
        rest.release();
        const answers = await sending;
        for (const { status, body } of answers) {
            expect(status).to.equal(200);
            expect(body.data).to.equal(answers[0]?.body.data);
        }
        expect(answers.filter(isReplayed)).to.have.length(14);
        expect(provider.requests).to.have.length(1);
    });

    it('sends a repeat of the running stream everything from the start, then what comes', async () => {
        const rest = hold();
        provider.answer({ steps: [chunk('One'), rest, chunk(' two'), END] });
        const first = await open();
        await first.until(({ event }) => event === 'token');
        const second = await open();
        const begun = await second.until(({ event }) => event === 'token');
        expect(begun.map(({ event }) => event)).to.equal(['message_start', 'token']);
        rest.release();
        const [one, two] = [await first.rest(), await second.rest()];
        expect(two).to.equal(one);
        expect(textOf(two)).to.equal('One two');
        expect([first, second].map(({ headers }) => headers.get('idempotent-replayed'))).to.equal([null, 'true']);
        expect(provider.requests).to.have.length(1);
    });

    it('goes on for a repeat when the first client has gone away', async () => {
        const rest = hold();
        provider.answer({ steps: [chunk('One'), rest, chunk(' two'), END] });
        const first = await open();
        await first.until(({ event }) => event === 'token');
        first.leave();
        const second = await open();
        rest.release();
        expect(textOf(await second.rest())).to.equal('One two');
        expect(provider.requests).to.have.length(1);
    });

    it('sends a repeat of a finished stream the same answer, its text in one token', async () => {
        const first = parseEvents((await send({ stream: true, temperature: 0.5 })).text);
        await untilSettled(1);
        const again = await send({ stream: true, temperature: 0.5 });
        const second = parseEvents(again.text);
        expect(second.map(({ event }) => event)).to.equal(['message_start', 'token', 'message_complete', 'close']);
        expect(textOf(second)).to.equal(textOf(first)).and.equal('One two');
        expect(second.map(({ id }) => id)).to.equal(['0', '1', '2', '3']);
        const timeless = (events: ReceivedEvent[], event: string) => {
            const { timestamp, ...data } = events.find((one) => one.event === event)?.data ?? {};
            expect(timestamp).to.be.a.string();
            return data;
        };
        for (const event of ['message_start', 'message_complete']) {
            expect(timeless(second, event)).to.equal(timeless(first, event));
        }
        expect(second[0]?.data.details.ignoredParameters).to.equal(['temperature']);
        expect(second.at(-1)?.data).to.equal(first.at(-1)?.data);
        expect(isReplayed(again)).to.be.true();
    });

    it('sends a repeat on another replica everything from the start, then what comes', async () => {
        const rest = hold();
        provider.answer({ steps: [chunk('One'), rest, chunk(' two'), END] });
        const first = await open();
        await first.until(({ event }) => event === 'token');
        const second = onOther({ stream: true });
        rest.release();
        expect(parseEvents((await second).text)).to.equal(await first.rest());
        expect(provider.requests).to.have.length(1);
    });

    it('tells a repeat on another replica how the provider refused', async () => {
        const rest = hold();
        provider.answer({ status: 400, steps: [rest, '{"error":{"message":"No"}}'] });
        const both = [send(), onOther()];
        await rest.reached;
        rest.release();
        for (const answer of await Promise.all(both)) expectError(answer, 'PROVIDER_REFUSED');
        expect(provider.requests).to.have.length(1);
    });

    it('is refused with another body, while the first runs and afterwards', async () => {
        const rest = hold();
        provider.answer({ steps: [chunk('One'), rest, END] });
        const first = send();
        await rest.reached;
        for (const more of [{ content: 'Other' }, { stream: true }]) {
            expectError(await send(more), 'IDEMPOTENCY_KEY_REUSED');
        }
        rest.release();
        await first;
        await untilSettled(1);
        expectError(await send({ content: 'Other' }), 'IDEMPOTENCY_KEY_REUSED');
        expect(provider.requests).to.have.length(1);
    });

    it('is sent again after the provider failed, before the first token or in the middle', async () => {
        for (const steps of [[cut], [chunk('One'), 20, cut]] as Step[][]) {
            provider.answer({ steps });
            expectError(await send(), 'PROVIDER_ERROR');
            await untilSettled(0);
        }
        provider.answer({ steps: [chunk('Fine'), END] });
        const again = await send();
        expect(again.body.data.assistantMessage.content).to.equal('Fine');
        expect(isReplayed(again)).to.be.false();
        // What failed before the first token was tried three times at once.
        expect(provider.requests).to.have.length(5);
    });

    it('is refused alike when the provider refused it, and for two at once', async () => {
        provider.answer({ status: 400, steps: ['{"error":{"message":"No"}}'] });
        const both = await Promise.all([send({ stream: true }), send({ stream: true })]);
        await untilSettled(1);
        for (const answer of [...both, await send({ stream: true })]) expectError(answer, 'PROVIDER_REFUSED');
        expect(provider.requests).to.have.length(1);
    });

    it('runs again once the lease of a process that died has run out', async () => {
        const dying = await startApp({ config: { ...app.config } });
        const rest = hold();
        provider.answer({ steps: [chunk('Lost'), rest] });
        const lost = dying.call('POST', messagesPath(thread, 'remote'), {
            payload: payload(),
            headers: HEADERS,
            token: ada.accessToken,
        });
        await rest.reached;
        dying.redis.disconnect();
        const [key = ''] = await keys();
        expect(await app.redis.pttl(key)).to.be.within(1, 15_000);
        await app.redis.pexpire(key, 1);
        await untilSettled(0);
        provider.answer({ steps: [chunk('Again'), END] });
        const again = await send();
        expect(again.body.data.assistantMessage.content).to.equal('Again');
        dying.drain.begin();
        rest.release();
        await Promise.all([dying.drain.finish(AbortSignal.timeout(1)), lost, dying.stop()]);
        expect((await send()).body.data).to.equal(again.body.data);
    });

    it('is stored before the process stops', async () => {
        const stopping = await startApp({ config: { ...app.config } });
        const rest = hold();
        provider.answer({ steps: [chunk('One'), rest, END] });
        const sent = stopping.call('POST', messagesPath(thread, 'remote'), {
            payload: payload(),
            headers: HEADERS,
            token: ada.accessToken,
        });
        await rest.reached;
        stopping.drain.begin();
        rest.release();
        await stopping.drain.finish(AbortSignal.timeout(5_000));
        stopping.redis.disconnect();
        const again = await send();
        expect(isReplayed(again)).to.be.true();
        const { body, text } = await sent;
        expect(again.body.data, text).to.equal(body.data);
        await stopping.stop();
    });
});
