import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import OpenAI from 'openai';

import { newKey } from '../../helpers/api-key.ts';
import { readAudit } from '../../helpers/audit.ts';
import { writeCatalogue } from '../../helpers/catalogue.ts';
import { countCommands } from '../../helpers/count-commands.ts';
import { expectOpenAiError, openAiClient } from '../../helpers/openai.ts';
import { keyOf, startWithProvider } from '../../helpers/provider-keys.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';

import type { TestApp } from '../../helpers/app.ts';
import type { Provider } from '../../helpers/provider.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const KEY = 'a-key-of-ada';
const messages = [{ role: 'user' as const, content: 'Hello' }];

describe('The models of /v1', () => {
    let redis: TestRedis;
    let app: TestApp;
    let provider: Provider;
    let ada: TestTenant;
    let client: OpenAI;

    before(async () => {
        redis = await startRedis();
        ({ app, provider } = await startWithProvider({
            listen: true,
            redisPath: redis.path,
            config: {
                CATALOGUE_FILE: writeCatalogue([
                    { id: 'remote', provider: 'openai', aliases: ['best'] },
                    { id: 'claude', provider: 'anthropic' },
                    { id: 'sandbox', aliases: ['toy'] },
                ]),
            },
        }));
    });

    beforeEach(async () => {
        ada = await newTenant(app);
        const { secret } = await newKey(ada, { scopes: ['model:call', 'model:read'] });
        client = openAiClient(app, secret);
    });

    after(async () => {
        await app.stop();
        await provider.stop();
        await redis.stop();
    });

    const addKey = () => ada.call('POST', '/api/profile/api-keys', { payload: { openai: KEY } });
    const listed = async () => {
        const ids: string[] = [];
        for await (const { id } of client.models.list()) ids.push(id);
        return ids;
    };
    const complete = (model = 'remote') => client.chat.completions.create({ model, messages });

    describe('GET /v1/models', () => {
        it('lists those that the caller can call', async () => {
            const { body } = await ada.call('GET', '/v1/models');
            const data = [{ id: 'sandbox', object: 'model', created: 0, owned_by: 'sandbox' }];
            expect(body).to.equal({ object: 'list', data });
            expect(await listed()).to.equal(['sandbox']);
        });

        it('lists those of a provider that the user has brought a key of, to that user only', async () => {
            await addKey();
            expect(await listed()).to.equal(['remote', 'sandbox']);
            const bob = await newTenant(app);
            const { body } = await bob.call('GET', '/v1/models');
            expect(body.data).to.have.length(1);
        });

        it('needs the permission model:read', async () => {
            const { secret } = await newKey(ada, { scopes: ['model:call'] });
            expectOpenAiError(await app.call('GET', '/v1/models', { token: secret }), 'FORBIDDEN');
        });

        it('is limited by itself', async () => {
            const { headers } = await ada.call('GET', '/v1/models');
            expect(headers['x-ratelimit-limit']).to.equal('60');
        });
    });

    describe('GET /v1/models/{id}', () => {
        it('gives a model by its id and by an alias', async () => {
            const sandbox = { id: 'sandbox', object: 'model', created: 0, owned_by: 'sandbox' };
            expect((await ada.call('GET', '/v1/models/sandbox')).body).to.equal(sandbox);
            const { id, owned_by: owner } = await client.models.retrieve('toy');
            expect([id, owner]).to.equal(['sandbox', 'sandbox']);
        });

        it('does not find what does not exist, nor what the caller cannot call', async () => {
            for (const id of ['none', 'a/b', 'claude', 'remote', 'best']) {
                const error = await client.models.retrieve(id).catch((failure: unknown) => failure);
                expect(error, id).to.be.instanceof(OpenAI.NotFoundError);
                expect(error).to.include({ code: 'model_not_found', param: 'model' });
                expect((error as Error).message).to.include(`model: ${id}`);
            }
            await addKey();
            expect((await client.models.retrieve('best')).id).to.equal('remote');
        });
    });

    describe('a call with the user’s own key of the provider', () => {
        it('is made with that key, and refused without one', async () => {
            const refused = await complete().catch((failure: unknown) => failure);
            expect(refused).to.be.instanceof(OpenAI.UnprocessableEntityError);
            expect(refused).to.include({ code: 'provider_key_missing' });
            await addKey();
            expect((await complete('best')).choices[0]?.message.content).to.equal('Fine');
            const request = provider.requests.at(-1);
            expect(request && keyOf(request)).to.equal(KEY);
        });

        it('notes the use of the key, in the profile and in the audit, without the key', async () => {
            await addKey();
            const before = Date.now();
            await complete();
            const { body, text } = await ada.call('GET', '/api/profile');
            const { lastUsed } = body.data.user.apiKeys.openai;
            expect(Date.parse(lastUsed), text).to.be.within(before - 60_000, Date.now());
            const entries = await readAudit(app, ada.tenantId);
            const used = entries.filter(({ action }) => action === 'provider_key.use');
            expect(used).to.have.length(1);
            expect(used[0]).to.include({ userId: ada.userId, resourceId: 'openai', result: 'success' });
            expect(JSON.stringify([entries, app.logs])).to.not.include(KEY);
        });

        it('takes one more round trip than a call of a model that needs none', async () => {
            await addKey();
            await complete('sandbox');
            await complete();
            // Admission and the slot; the slot is given back beside the answer, and then the call is counted.
            const untilGivenBack = async (model: string) => {
                const payload = { model, messages };
                const ask = () => ada.call('POST', '/v1/chat/completions', { payload });
                const commands = await countCommands(app.redis, ask);
                return commands.slice(0, commands.indexOf('zrem') + 1);
            };
            expect(await untilGivenBack('sandbox')).to.equal(['evalsha', 'evalsha', 'zrem']);
            expect(await untilGivenBack('remote')).to.equal(['evalsha', 'evalsha', 'evalsha', 'zrem']);
        });
    });
});
