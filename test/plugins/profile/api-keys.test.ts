import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { answerByKey, keyOf, startWithProvider } from '../../helpers/provider-keys.ts';
import { cut, hold, type Provider, type ProviderAnswer } from '../../helpers/provider.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath } from '../../helpers/thread.ts';
import { newUser } from '../../helpers/user.ts';

import type { TestApp } from '../../helpers/app.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const ROUTE = '/api/profile/api-keys';
const KEY = 'sk-of-the-user-0123456789';

describe('the API keys of a user', () => {
    let app: TestApp;
    let provider: Provider;
    let ada: TestTenant;

    before(async () => {
        ({ app, provider } = await startWithProvider());
    });

    beforeEach(async () => {
        ada = await newTenant(app);
        answerByKey(provider);
        provider.requests.length = 0;
    });

    after(async () => {
        await app.stop();
        await provider.stop();
    });

    const add = (payload: object) => ada.call('POST', ROUTE, { payload });
    const states = async () => (await ada.call('GET', '/api/profile')).body.data.user.apiKeys;
    const stored = () => app.redis.hgetall(tenantKey(ada.tenantId, 'user', ada.userId, 'provider-keys'));
    const usable = async (user: Pick<TestTenant, 'call'> = ada) => {
        const { body } = await user.call('GET', '/api/models');
        return body.data.models.find(({ id }: { id: string }) => id === 'remote').usable;
    };
    const send = async (user: Pick<TestTenant, 'call'> = ada) => {
        const { body } = await user.call('POST', '/api/threads', { payload: {} });
        return user.call('POST', messagesPath(body.data.thread.id, 'remote'), { payload: { content: 'Hi' } });
    };

    it('are known of a request with a service API key too', async () => {
        const payload = { name: 'Reports', scopes: ['model:read'] };
        const { secret } = (await ada.call('POST', '/api/keys', { payload })).body.data;
        const call: TestTenant['call'] = (method, url) => app.call(method, url, { token: secret });
        expect(await usable({ call })).to.be.false();
        await add({ openai: 'openai-key' });
        expect(await usable({ call })).to.be.true();
    });

    it('are each verified at their provider, in its form', async () => {
        const { status, body, headers } = await add({
            claude: 'claude-key',
            openai: 'openai-key',
            google: 'bad-google',
        });
        expect(status).to.equal(200);
        expect(headers['x-ratelimit-limit']).to.equal('5');
        expect(body.data).to.equal({
            updated: ['claude', 'openai'],
            verified: { claude: true, openai: true, google: false },
        });
        const asked = new Map(provider.requests.map((request) => [keyOf(request), request]));
        expect(asked.get('claude-key')).to.include({ method: 'GET', path: '/v1/models?limit=1' });
        expect(asked.get('claude-key')?.headers).to.include({ 'anthropic-version': '2023-06-01' });
        expect(asked.get('openai-key')).to.include({ method: 'GET', path: '/v1/models' });
        expect(asked.get('bad-google')).to.include({ method: 'GET', path: '/v1beta/models?pageSize=1' });
        const [yes, no] = [{ configured: true }, { configured: false }];
        expect(await states()).to.equal({ claude: yes, openai: yes, google: no });
    });

    for (const [what, answer, name, verdict] of [
        ['401', { status: 401 }, 'claude', false],
        ['401', { status: 401 }, 'openai', false],
        ['403', { status: 403 }, 'openai', true],
        ['403', { status: 403 }, 'claude', 'unknown'],
        ['403', { status: 403 }, 'google', 'unknown'],
        ['400 for another reason', { status: 400, steps: ['{"error":{"status":"X"}}'] }, 'google', 'unknown'],
        ['429', { status: 429 }, 'openai', 'unknown'],
        ['500', { status: 500 }, 'claude', 'unknown'],
        ['302', { status: 302, headers: { location: 'https://evil.example' } }, 'openai', 'unknown'],
        ['broken connection', { steps: [cut] }, 'google', 'unknown'],
    ] as [string, ProviderAnswer, string, boolean | 'unknown'][]) {
        it(`are ${verdict} after a ${what} of ${name}, and ${verdict === false ? 'not ' : ''}stored`, async () => {
            provider.answer(answer);
            const { body } = await add({ [name]: KEY });
            expect(body.data).to.equal({ updated: verdict === false ? [] : [name], verified: { [name]: verdict } });
            expect((await states())[name].configured).to.equal(verdict !== false);
        });
    }

    it('that are refused leave the key that was there', async () => {
        await add({ openai: KEY });
        await add({ openai: 'bad-replacement' });
        await send();
        expect(keyOf(provider.requests.at(-1) as never)).to.equal(KEY);
    });

    it('are refused in a form that no header can carry, without being repeated', async () => {
        for (const key of ['short', 'with a blank in it', 'with\nnewline-', 'schlüssel-123', 'x'.repeat(513)]) {
            const answer = await add({ openai: key });
            expectFaults(answer, ['openai']);
            expect(answer.text).to.not.include(JSON.stringify(key).slice(1, -1));
            provider.requests.length = 0;
            await app.advance(60_000);
        }
        expectFaults(await add({}), ['body']);
        expectFaults(await add({ mistral: KEY, openai: KEY }), ['mistral']);
    });

    it('are sealed in the store, told in no answer, no audit and no line of the log', async () => {
        const answers = [await add({ claude: KEY, openai: KEY, google: `bad-${KEY}` }), await send()];
        provider.answer({ status: 401, steps: [JSON.stringify({ error: { message: `Wrong key ${KEY}` } })] });
        answers.push(
            await send(),
            await ada.call('GET', '/api/profile'),
            await ada.call('GET', '/api/profile/activity'),
        );
        for (const { text } of answers) expect(text).to.not.include(KEY);
        expect(JSON.stringify(app.logs)).to.not.include(KEY);
        for (const key of await app.redis.keys(`tenant:{${ada.tenantId}}:*`)) {
            expect((await app.redis.dumpBuffer(key)).includes(KEY), key).to.be.false();
        }
        expect((await stored()).openai).to.match(/^v1\.generated\./);
        const audit = (await readAudit(app, ada.tenantId)).filter(({ action }) => action === 'provider_key.add');
        expect(audit.map(({ resourceId, result }) => `${resourceId} ${result}`)).to.equal([
            'claude success',
            'openai success',
            'google PROVIDER_KEY_INVALID',
        ]);
    });

    it('open for no other user and no other provider', async () => {
        await add({ openai: KEY });
        const { openai = '' } = await stored();
        const { keys } = app.server.plugins.models;
        const { tenantId, userId } = ada;
        expect(keys.open({ tenantId, userId }, 'openai', openai)).to.equal(KEY);
        expect(keys.open({ tenantId, userId }, 'claude', openai)).to.be.null();
        expect(keys.open({ tenantId, userId: 'user_other' }, 'openai', openai)).to.be.null();
        expect(keys.open({ tenantId: 'tenant_other', userId }, 'openai', openai)).to.be.null();
    });

    it('make models usable for their owner only, and are what a call brings', async () => {
        const bob = await newUser(app, ada.tenantId, 'user');
        expect(await usable()).to.be.false();
        expectError(await send(), 'PROVIDER_KEY_MISSING');
        await add({ openai: KEY });
        expect([await usable(), await usable(bob)]).to.equal([true, false]);
        expect((await send()).status).to.equal(200);
        expect(keyOf(provider.requests.at(-1) as never)).to.equal(KEY);
        expectError(await send(bob), 'PROVIDER_KEY_MISSING');
        const { tenantId } = ada;
        const used = (await readAudit(app, tenantId)).filter(({ action }) => action === 'message.send').at(-1);
        expect(JSON.parse(used?.details ?? '')).to.include({ providerKeys: ['openai'] });
    });

    it('go before the key of the platform, which is there again when they are removed', async () => {
        const other = await startWithProvider({ config: { PROVIDER_KEYS_SHARED: { openai: 'shared-key' } } });
        const eve = await newTenant(other.app);
        const sent = async () => {
            expect((await send(eve)).status).to.equal(200);
            return keyOf(other.provider.requests.at(-1) as never);
        };
        expect(await sent()).to.equal('shared-key');
        await eve.call('POST', ROUTE, { payload: { openai: KEY } });
        expect(await sent()).to.equal(KEY);
        const removed = await eve.call('DELETE', `${ROUTE}/openai`);
        expect(removed.body.data).to.equal({ removed: 'openai' });
        expect(await sent()).to.equal('shared-key');
        await other.app.stop();
        await other.provider.stop();
    });

    it('are removed one by one, once', async () => {
        await add({ openai: KEY, claude: KEY });
        expect((await ada.call('DELETE', `${ROUTE}/openai`)).status).to.equal(200);
        expectError(await ada.call('DELETE', `${ROUTE}/openai`), 'PROVIDER_KEY_NOT_FOUND');
        expectFaults(await ada.call('DELETE', `${ROUTE}/mistral`), ['provider']);
        expect(Object.keys(await stored())).to.equal(['claude']);
        expect(await usable()).to.be.false();
        expectError(await send(), 'PROVIDER_KEY_MISSING');
    });

    it('tell when they were used, written once a minute', async () => {
        await add({ openai: KEY });
        expect((await states()).openai).to.equal({ configured: true });
        await send();
        const first = (await states()).openai.lastUsed;
        expect(new Date(first).toISOString()).to.equal(first);
        await app.advance(30_000);
        await send();
        expect((await states()).openai.lastUsed).to.equal(first);
        await app.advance(31_000);
        await send();
        expect(Date.parse((await states()).openai.lastUsed)).to.be.at.least(Date.parse(first) + 60_000);
        await add({ openai: `${KEY}-2` });
        expect((await states()).openai).to.equal({ configured: true });
    });

    it('are not stored for a user who was deleted while the provider was asked', async () => {
        const bob = await newUser(app, ada.tenantId, 'user');
        const wait = hold();
        provider.answer({ steps: [wait, '{}'] });
        const adding = bob.call('POST', ROUTE, { payload: { openai: KEY } });
        await wait.reached;
        await bob.call('DELETE', '/api/profile', { payload: { password: bob.password } });
        wait.release();
        expectError(await adding, 'USER_NOT_FOUND');
        expect(await app.redis.exists(tenantKey(ada.tenantId, 'user', bob.userId, 'provider-keys'))).to.equal(0);
    });

    it('need a credential', async () => {
        expectError(await app.call('POST', ROUTE, { payload: { openai: KEY } }), 'UNAUTHENTICATED');
        expectError(await app.call('DELETE', `${ROUTE}/openai`), 'UNAUTHENTICATED');
        expect(provider.requests).to.be.empty();
    });
});
