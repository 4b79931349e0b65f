import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { expectError } from '../../helpers/expect-error.ts';
import { startHome, type TestHome } from '../../helpers/home-ollama.ts';
import { newTunnel, type TestTunnel } from '../../helpers/live-tunnel.ts';
import { expectOpenAiError, openAiClient } from '../../helpers/openai.ts';
import { newTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';
import { newShare } from '../../helpers/tunnel.ts';
import { newUser } from '../../helpers/user.ts';

import type { PublicModel } from '../../../plugins/models/public-model.ts';
import type { Answer, TestApp } from '../../helpers/app.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

interface Caller {
    accessToken: string;
}

describe('models of a user’s own Ollama', () => {
    let home: TestHome;
    /** His tunnel has no agent. */
    let away: TestTunnel;

    before(async () => {
        home = await startHome();
        away = await newTunnel(home.holder);
    });

    after(() => home.stop());

    /** On the replica that does not hold the link. */
    const call = ({ accessToken: token }: Caller, method: string, url: string, payload?: object): Promise<Answer> =>
        home.other.call(method, url, { token, ...(payload && { payload }) });
    const listed = async (user: Caller): Promise<PublicModel[]> => {
        const { body } = await call(user, 'GET', '/api/models');
        return body.data.models.filter(({ id }: PublicModel) => id.includes('/'));
    };
    const encoded = () => encodeURIComponent(home.modelId);
    /** A fresh user of the tenant, with whom the tunnel is shared. */
    const newGuest = async (): Promise<Caller & { share: string }> => {
        const { tenant, tunnelId } = home.tunnel;
        const { userId, accessToken } = await newUser(home.holder, tenant.tenantId, 'user');
        const { id } = await newShare(tenant, tunnelId, { userId, access: 'read' });
        return { accessToken, share: id };
    };

    describe('GET /api/models', () => {
        it('lists what the user’s connected tunnels lead to, beside the catalogue, on any replica', async () => {
            const { body } = await call(home.tunnel.tenant, 'GET', '/api/models');
            const ids = body.data.models.map(({ id }: PublicModel) => id);
            expect(ids).to.include(['sandbox', home.modelId]);
            const [model, ...others] = await listed(home.tunnel.tenant);
            expect(others).to.be.empty();
            expect(model).to.include({
                id: home.modelId,
                provider: 'ollama',
                aliases: [],
                apiKeyRequired: null,
                requiresLoading: false,
                maxOutput: null,
                pricing: null,
                usable: true,
                reason: null,
            });
            expect(model?.name).to.match(/^llama3\.2:3b \(tunnel-[0-9a-f]{8}\)$/);
            const onHolder = await home.holder.call('GET', '/api/models', { token: home.tunnel.tenant.accessToken });
            expect(onHolder.text).to.include(home.modelId);
        });

        it('asks each Ollama once for lists that follow each other', async () => {
            const { tunnel } = await home.another();
            const before = home.ollama.asked('/api/tags').length;
            await Promise.all(Array.from({ length: 5 }, () => listed(tunnel.tenant)));
            await listed(tunnel.tenant);
            expect(home.ollama.asked('/api/tags')).to.have.length(before + 1);
        });

        it('lists them to those that the tunnel is shared with, and to nobody else', async () => {
            const guest = await newGuest();
            expect((await listed(guest)).map(({ id }) => id)).to.equal([home.modelId]);
            const { tenantId } = home.tunnel.tenant;
            expect(await listed(await newUser(home.holder, tenantId, 'admin'))).to.be.empty();
            expect(await listed(await newTenant(home.holder))).to.be.empty();
        });

        it('lists nothing of a tunnel that is not connected', async () => {
            expect(await listed(away.tenant)).to.be.empty();
        });
    });

    describe('GET /v1/models', () => {
        it('lists them to the official client, which reads one by its id', async () => {
            const client = openAiClient(home.other, home.tunnel.tenant.accessToken);
            const ids: string[] = [];
            for await (const { id } of client.models.list()) ids.push(id);
            expect(ids).to.include(home.modelId);
            const model = { id: home.modelId, object: 'model' as const, created: 0, owned_by: 'ollama' };
            expect(await client.models.retrieve(home.modelId)).to.equal(model);
        });

        it('does not find one of a tunnel that is another’s or away, nor one that Ollama does not have', async () => {
            const others = [
                [await newTenant(home.holder), home.modelId],
                [await newUser(home.holder, home.tunnel.tenant.tenantId, 'admin'), home.modelId],
                [away.tenant, `${away.tunnelId}/llama3.2:3b`],
                [home.tunnel.tenant, `${home.tunnel.tunnelId}/none`],
                [home.tunnel.tenant, 'proxy_01K9ZQ4V7N8M3T5R2W6X1Y0ABC/llama3.2:3b'],
            ] as const;
            for (const [user, id] of others) {
                expectOpenAiError(await call(user, 'GET', `/v1/models/${encodeURIComponent(id)}`), 'MODEL_NOT_FOUND');
            }
        });
    });

    describe('GET /api/models/{modelId}/status', () => {
        it('says whether it is in the memory of its Ollama', async () => {
            const status = () => call(home.tunnel.tenant, 'GET', `/api/models/${encoded()}/status`);
            expect((await status()).body.data).to.include({ modelId: home.modelId, status: 'not_loaded' });
            home.ollama.loaded.add('llama3.2:3b');
            const { body } = await status();
            expect(body.data).to.include({ status: 'loaded', memoryUsage: '2.0GB', jobId: null, reason: null });
            home.ollama.loaded.clear();
        });

        it('says that its Ollama is away, and does not find what is not the user’s or not there', async () => {
            const ask = (user: Caller, id: string) => call(user, 'GET', `/api/models/${encodeURIComponent(id)}/status`);
            const { body } = await ask(away.tenant, `${away.tunnelId}/llama3.2:3b`);
            expect(body.data).to.include({ status: 'unavailable', reason: 'TUNNEL_OFFLINE' });
            expectError(await ask(away.tenant, home.modelId), 'MODEL_NOT_FOUND');
            expectError(await ask(home.tunnel.tenant, `${home.tunnel.tunnelId}/none`), 'MODEL_NOT_FOUND');
        });
    });

    it('are not loaded or unloaded by request: their Ollama does that', async () => {
        for (const what of ['load', 'unload']) {
            const answer = await call(home.tunnel.tenant, 'POST', `/api/models/${encoded()}/${what}`);
            expect(expectError(answer, 'MODEL_NOT_LOADABLE').details).to.equal({ model: home.modelId });
        }
    });

    describe('as a setting', () => {
        const asDefault = (user: Caller, defaultModel: string) =>
            call(user, 'PATCH', '/api/profile', { settings: { defaultModel } });
        const asFallback = (user: Caller, model: string) =>
            call(user, 'PATCH', '/api/tenant', { settings: { fallbackModels: [model] } });

        it('are kept by whoever may use them, also while they are away', async () => {
            const awayId = `${away.tunnelId}/llama3.2:3b`;
            for (const [user, id] of [
                [home.tunnel.tenant, home.modelId],
                [await newGuest(), home.modelId],
                [away.tenant, awayId],
            ] as const) {
                const { body, text } = await asDefault(user, id);
                expect(body.data.user.settings.defaultModel, text).to.equal(id);
            }
            const { body } = await asFallback(away.tenant, awayId);
            expect(body.data.tenant.settings.fallbackModels).to.equal([awayId]);
        });

        it('are not found by anybody else', async () => {
            expectError(await asDefault(away.tenant, home.modelId), 'MODEL_NOT_FOUND');
            expectError(await asFallback(away.tenant, home.modelId), 'MODEL_NOT_FOUND');
            const none = `${home.tunnel.tunnelId}/none`;
            expectError(await asDefault(home.tunnel.tenant, none), 'MODEL_NOT_FOUND');
        });
    });

    describe('a call', () => {
        const send = async (app: TestApp, user: Caller, model: string) => {
            const { accessToken: token } = user;
            const caller = {
                call: (method: string, url: string, more: object = {}) => app.call(method, url, { token, ...more }),
            };
            const thread = await newThread(caller as Parameters<typeof newThread>[0]);
            const url = messagesPath(thread, encodeURIComponent(model));
            return { url, answer: await caller.call('POST', url, { payload: { content: 'Hello' } }) };
        };

        it('has the context that the model’s author chose, and no tools where it takes none', async () => {
            const { answer } = await send(home.other, home.tunnel.tenant, home.modelId);
            expect(answer.status, answer.text).to.equal(200);
            expect(home.ollama.asked('/api/chat').at(-1)?.body).to.include({
                model: 'llama3.2:3b',
                options: { num_ctx: 6_000 },
            });
        });

        it('leaves nothing behind where the model is not there, or not there for the user', async () => {
            for (const [user, model] of [
                [home.tunnel.tenant, `${home.tunnel.tunnelId}/none`],
                [home.tunnel.tenant, `${away.tunnelId}/llama3.2:3b`],
                [away.tenant, home.modelId],
                [await newUser(home.holder, home.tunnel.tenant.tenantId, 'admin'), home.modelId],
            ] as const) {
                const { answer, url } = await send(home.other, user, model);
                expectError(answer, 'MODEL_NOT_FOUND');
                const { body } = await call(user, 'GET', url);
                expect(body.data.messages).to.be.empty();
            }
        });

        it('is refused to a guest whose share was taken back, at once', async () => {
            const guest = await newGuest();
            expect((await send(home.other, guest, home.modelId)).answer.status).to.equal(200);
            const { tenant, tunnelId } = home.tunnel;
            await tenant.call('DELETE', `/api/tunnels/${tunnelId}/shares/${guest.share}`);
            const { answer, url } = await send(home.other, guest, home.modelId);
            expectError(answer, 'MODEL_NOT_FOUND');
            expect((await call(guest, 'GET', url)).body.data.messages).to.be.empty();
        });

        it('of a tunnel that is away fails as that does', async () => {
            const { answer } = await send(home.other, away.tenant, `${away.tunnelId}/llama3.2:3b`);
            expectError(answer, 'TUNNEL_OFFLINE');
        });
    });
});
