import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { PLATFORM_ADMIN, startApp, type TestApp } from '../../helpers/app.ts';
import { startProvider, type Provider } from '../../helpers/provider.ts';
import { chunk, END, remoteModels } from '../../helpers/remote-model.ts';
import { newTenant, platformToken } from '../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const METRICS_TOKEN = 'metrics-token-of-the-test-that-is-long-enough';
const PROVIDER_KEY = 'sk-provider-key-of-the-test';
const TEXT = 'What nobody but the model may read';

describe('the metrics', () => {
    let provider: Provider;
    let app: TestApp;

    before(async () => {
        provider = await startProvider();
        const config = { ...remoteModels(provider), PROVIDER_KEYS_SHARED: { openai: PROVIDER_KEY }, METRICS_TOKEN };
        app = await startApp({ config });
    });

    after(async () => {
        await app.stop();
        await provider.stop();
    });

    it('have nothing of whom they are about, nor any secret', async () => {
        const ada = await newTenant(app);
        const thread = await newThread(ada, TEXT);
        provider.answer({ steps: [chunk(TEXT), END] });
        const made = await ada.call('POST', '/api/keys', { payload: { name: 'A key', scopes: ['model:call'] } });
        const key = String(made.body.data.secret);
        const content = { content: TEXT };
        await ada.call('POST', messagesPath(thread, 'remote'), { payload: content });
        await ada.call('POST', messagesPath(thread, 'a-model-that-somebody-made-up'), { payload: content });
        provider.answer({ status: 401, steps: [`{"error":{"message":"Incorrect API key: ${PROVIDER_KEY}"}}`] });
        await ada.call('POST', messagesPath(thread, 'remote'), { payload: content });
        await app.call('GET', `/api/auth/me?access_token=${ada.accessToken}`, { headers: { 'x-api-key': key } });
        await app.call('POST', '/api/login', { payload: { email: ada.email, password: 'a wrong password of ada' } });
        await app.call('GET', `/api/${ada.refreshToken}`, { headers: { 'x-request-id': 'id-of-the-request' } });
        const headers = { authorization: `Bearer ${METRICS_TOKEN}` };
        await app.call('GET', '/metrics', { headers: { authorization: `Bearer ${METRICS_TOKEN}x` } });
        const { status, text } = await app.call('GET', '/metrics', { headers });
        expect(status).to.equal(200);
        expect(text).to.include('model_calls_total{provider="openai",model="remote",outcome="PROVIDER_KEY_INVALID"} 1');

        const { email, password, domain, accessToken, refreshToken, tenantId, userId } = ada;
        const people = [email, domain, tenantId, userId, thread, 'id-of-the-request', 'a-model-that-somebody-made-up'];
        const secrets = [
            password,
            accessToken,
            refreshToken,
            key,
            METRICS_TOKEN,
            PROVIDER_KEY,
            PLATFORM_ADMIN.password,
        ];
        for (const hidden of [...people, ...secrets, TEXT, await platformToken(app), provider.url, '127.0.0.1']) {
            expect(hidden.length, hidden).to.be.above(7);
            expect(text.includes(hidden), hidden).to.be.false();
        }
    });
});
