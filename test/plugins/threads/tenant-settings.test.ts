import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startReplicas, type TestApp } from '../../helpers/app.ts';
import { writeCatalogue } from '../../helpers/catalogue.ts';
import { closeCircuits } from '../../helpers/circuits.ts';
import { keyOf } from '../../helpers/provider-keys.ts';
import { hold, startProvider, type Provider } from '../../helpers/provider.ts';
import { chunk, END, remoteModels } from '../../helpers/remote-model.ts';
import { openStream } from '../../helpers/stream.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread, type ReceivedEvent } from '../../helpers/thread.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const isToken = ({ event }: ReceivedEvent): boolean => event === 'token';

describe('what a tenant says of answers', () => {
    let provider: Provider;
    let one: TestApp;
    let two: TestApp;
    let ada: TestTenant;
    let thread: string;

    before(async () => {
        provider = await startProvider();
        [one, two] = await startReplicas({ listen: true, config: remoteModels(provider) });
    });

    beforeEach(async () => {
        await closeCircuits(one.server.plugins.models);
        ada = await newTenant(one);
        thread = await newThread(ada);
        provider.requests.length = 0;
        // `remote` is the one that fails.
        provider.answer(({ body }) =>
            body.model === 'remote' ? { status: 401 } : { steps: [chunk(`I am ${body.model}`), END] },
        );
    });

    after(async () => {
        await one.stop();
        await two.stop();
        await provider.stop();
    });

    const say = (settings: object, user: TestTenant = ada) =>
        user.call('PATCH', '/api/tenant', { payload: { settings } });
    const send = (payload: object = {}, app: TestApp = two) =>
        app.call('POST', messagesPath(thread, 'remote'), {
            payload: { content: 'Hello', ...payload },
            token: ada.accessToken,
        });
    const stored = async () => (await ada.call('GET', messagesPath(thread, 'remote'))).body.data.messages;
    const untilAnswered = async () => {
        for (;;) {
            const [answer] = await stored();
            if (answer.role === 'assistant' && answer.status !== 'generating') return answer;
            await sleep(20);
        }
    };
    const asked = () => provider.requests.map(({ body }) => body.model);
    /** An answer of the second replica that its only client leaves after the first token. */
    const left = async (payload: object = {}, of = { tenant: ada, thread }) => {
        const rest = hold();
        provider.answer({ steps: [chunk('One'), rest, chunk(' two'), END] });
        const stream = await openStream({
            url: `${two.server.info.uri}${messagesPath(of.thread, 'remote')}`,
            token: of.tenant.accessToken,
            payload: { content: 'Hello', ...payload },
        });
        await stream.until(isToken);
        stream.leave();
        return rest;
    };

    describe('fallbackModels', () => {
        it('answer in place of the one that is asked, on every replica from the next message on', async () => {
            expect((await send()).body.error.code).to.equal('PROVIDER_KEY_INVALID');
            await say({ fallbackModels: ['second'] });
            for (const app of [one, two]) {
                const { status, body } = await send({}, app);
                expect(status).to.equal(200);
                expect(body.data.assistantMessage).to.include({
                    modelId: 'remote',
                    answeredBy: 'second',
                    content: 'I am second',
                    status: 'complete',
                });
            }
            expect(asked()).to.equal(['remote', 'remote', 'second', 'remote', 'second']);
            await say({ fallbackModels: [] });
            expect((await send()).body.error.code).to.equal('PROVIDER_KEY_INVALID');
        });

        it('leave the answer in the context of the model that was asked', async () => {
            await say({ fallbackModels: ['second'] });
            const { body } = await send();
            const { userMessage, assistantMessage } = body.data;
            expect(await stored()).to.equal([assistantMessage, userMessage]);
            const other = await ada.call('GET', messagesPath(thread, 'second'));
            expect(other.body.data.messages).to.equal([]);
            await send({ content: 'And now?' });
            expect(provider.requests.at(-1)?.body.messages).to.equal([
                { role: 'user', content: 'Hello' },
                { role: 'assistant', content: 'I am second' },
                { role: 'user', content: 'And now?' },
            ]);
        });

        it('come second to those of the request, which may be none', async () => {
            await say({ fallbackModels: ['second'] });
            const { body } = await send({ fallbackModels: ['sandbox'] });
            expect(body.data.assistantMessage.answeredBy).to.equal('sandbox');
            expect((await send({ fallbackModels: [] })).body.error.code).to.equal('PROVIDER_KEY_INVALID');
            expect(asked()).to.equal(['remote', 'remote']);
        });

        it('hold for an answer that is given anew', async () => {
            await send();
            const [failed] = await stored();
            await say({ fallbackModels: ['second'] });
            const { body } = await ada.call('POST', `${messagesPath(thread, 'remote')}/${failed.id}/regenerate`);
            expect(body.data.assistantMessage).to.include({ answeredBy: 'second', status: 'complete' });
        });

        it('are not asked where the model itself is one of them, or answers', async () => {
            await say({ fallbackModels: ['remote', 'second'] });
            expect((await send()).body.data.assistantMessage.answeredBy).to.equal('second');
            expect(asked()).to.equal(['remote', 'second']);
            provider.answer({ steps: [chunk('Fine'), END] });
            expect((await send()).body.data.assistantMessage.answeredBy).to.be.null();
        });

        it('are called with the user’s own key of their provider', async () => {
            const key = 'a-key-of-ada';
            provider.answer({ steps: ['{"data":[]}'] });
            const CATALOGUE_FILE = writeCatalogue([
                { id: 'remote', provider: 'ollama' },
                { id: 'second', provider: 'openai' },
            ]);
            const { JWT_KEYS, VAULT_KEYS } = one.config;
            const config = {
                ...remoteModels(provider),
                PROVIDER_KEYS_SHARED: {},
                CATALOGUE_FILE,
                JWT_KEYS,
                VAULT_KEYS,
            };
            const [keyless, other] = await startReplicas({ config });
            await keyless.call('POST', '/api/profile/api-keys', { payload: { openai: key }, token: ada.accessToken });
            await say({ fallbackModels: ['second'] });
            provider.answer(({ body }) =>
                body.model === 'remote'
                    ? { status: 429, headers: { 'retry-after': '600' } }
                    : { steps: [chunk('Mine'), END] },
            );
            const { body } = await send({}, keyless);
            expect(body.data.assistantMessage).to.include({ answeredBy: 'second', content: 'Mine' });
            const last = provider.requests.at(-1);
            expect(last && keyOf(last)).to.equal(key);
            await keyless.stop();
            await other.stop();
        });

        it('are left out where the catalogue has them no more, with a warning', async () => {
            await say({ fallbackModels: ['local', 'second'] });
            const CATALOGUE_FILE = writeCatalogue([
                { id: 'remote', provider: 'openai' },
                { id: 'second', provider: 'openai' },
            ]);
            const { JWT_KEYS, VAULT_KEYS } = one.config;
            const newer = { ...remoteModels(provider), CATALOGUE_FILE, JWT_KEYS, VAULT_KEYS };
            const [app, other] = await startReplicas({ config: newer });
            const { status, body } = await send({}, app);
            expect(status).to.equal(200);
            expect(body.data.assistantMessage.answeredBy).to.equal('second');
            const [warning] = app.logs.filter(({ msg }) => String(msg).startsWith('A tenant falls back'));
            expect(warning).to.include({ level: 40, modelId: 'local', tenantId: ada.tenantId });
            await app.stop();
            await other.stop();
        });

        it('are not those of another tenant', async () => {
            const eve = await newTenant(one);
            await say({ fallbackModels: ['second'] }, eve);
            expect((await send()).body.error.code).to.equal('PROVIDER_KEY_INVALID');
        });
    });

    describe('onDisconnect', () => {
        it('ends an answer with its client', async () => {
            await say({ onDisconnect: 'cancel' });
            await left();
            await provider.requests[0]?.aborted;
            expect(await untilAnswered()).to.include({ status: 'cancelled', content: 'One' });
        });

        it('comes second to that of the request', async () => {
            await say({ onDisconnect: 'cancel' });
            const rest = await left({ onDisconnect: 'finish' });
            rest.release();
            expect(await untilAnswered()).to.include({ status: 'complete', content: 'One two' });
        });

        it('does not hold for another tenant', async () => {
            const eve = await newTenant(one);
            await say({ onDisconnect: 'cancel' }, eve);
            const rest = await left();
            rest.release();
            expect(await untilAnswered()).to.include({ status: 'complete', content: 'One two' });
            expect(provider.requests[0]?.isAborted).to.be.false();
        });
    });
});
