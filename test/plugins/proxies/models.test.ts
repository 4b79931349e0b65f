import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import OpenAI from 'openai';

import { dollars } from '../../../src/money.ts';
import { setCredit } from '../../helpers/credit.ts';
import { RECORDED, startHome, type TestHome } from '../../helpers/home-ollama.ts';
import { setPlan } from '../../helpers/limits.ts';
import { openAiClient } from '../../helpers/openai.ts';
import { newProxy } from '../../helpers/proxy.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const messages = [{ role: 'user' as const, content: 'Hello' }];

describe('a proxy in front of the Ollama at home, on the replica that does not hold the link', () => {
    let home: TestHome;
    let tenant: TestTenant;
    let proxyId: string;
    let modelId: string;

    const call = (method: string, path: string, payload?: object) =>
        home.other.call(method, path, { token: tenant.accessToken, ...(payload && { payload }) });
    const listed = async (): Promise<string[]> =>
        (await call('GET', '/api/models')).body.data.models.map(({ id }: { id: string }) => id);
    const failure = (model: string, of = tenant) =>
        openAiClient(home.other, of.accessToken)
            .chat.completions.create({ model, messages })
            .catch((error: unknown) => error);

    before(async () => {
        home = await startHome();
        tenant = home.tunnel.tenant;
        await setPlan(home.holder, tenant.tenantId, 'premium');
        await setCredit(home.holder, tenant.tenantId, dollars(1));
        proxyId = (await newProxy(tenant, [home.tunnel.tunnelId])).id;
        modelId = `${proxyId}/llama3.2:3b`;
    });

    after(() => home.stop());

    it('offers nothing until it is started', async () => {
        expect(await failure(modelId)).to.include({ status: 503, code: 'proxy_stopped' });
    });

    it('serves the official openai client', async () => {
        expect((await call('POST', `/api/proxies/${proxyId}/start`, {})).body.data.proxy.status).to.equal('running');
        const client = new OpenAI({
            baseURL: `${home.other.server.info.uri}/api/proxies/${proxyId}/http/v1`,
            apiKey: tenant.accessToken,
            maxRetries: 0,
        });
        let text = '';
        const stream = await client.chat.completions.create({ model: 'llama3.2:3b', messages, stream: true });
        for await (const { choices } of stream) text += choices[0]?.delta.content ?? '';
        expect(text).to.equal('Grüße aus Tōkyō: 春🌸\n“ok”\u2028 \\n.');
    });

    it('has its models listed, asked by /v1 and in threads', async () => {
        expect(await listed()).to.include([modelId, `${home.tunnel.tunnelId}/llama3.2:3b`]);
        const answer = await openAiClient(home.other, tenant.accessToken).chat.completions.create({
            model: modelId,
            messages,
        });
        expect(answer.choices[0]?.message.content).to.equal(RECORDED);
        const { body } = await call('POST', '/api/threads', { title: 'At home' });
        const path = `/api/threads/${body.data.thread.id}/models/${encodeURIComponent(modelId)}/messages`;
        const sent = await call('POST', path, { content: 'Hello' });
        expect(sent.body.data.assistantMessage).to.include({ status: 'complete', content: RECORDED });
    });

    it('has its calls counted', async () => {
        const counted = async () => (await call('GET', `/api/proxies/${proxyId}/metrics`)).body.data.metrics;
        // They are written once a second.
        while ((await counted()).requests <= 3) await sleep(100);
        const { requests, successes } = await counted();
        expect(successes).to.equal(requests);
    });

    it('is nobody else’s, and nothing after it was stopped', async () => {
        const stranger = await newTenant(home.other);
        expect(await failure(modelId, stranger)).to.include({ status: 404, code: 'model_not_found' });
        await call('POST', `/api/proxies/${proxyId}/stop`, {});
        expect(await failure(modelId)).to.include({ status: 503, code: 'proxy_stopped' });
        await call('DELETE', `/api/proxies/${proxyId}`);
        expect(await failure(modelId)).to.include({ status: 404, code: 'model_not_found' });
    });
});
