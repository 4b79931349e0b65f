import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../helpers/app.ts';
import { writeCatalogue } from '../../helpers/catalogue.ts';
import { closeCircuits } from '../../helpers/circuits.ts';
import { cut, startProvider, type Provider, type ProviderAnswer } from '../../helpers/provider.ts';
import { newTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const KEY = 'sk-of-the-test-0123456789';

describe('The API key of a provider', () => {
    let app: TestApp;
    let provider: Provider;

    before(async () => {
        provider = await startProvider();
        app = await startApp({
            config: {
                LOG_LEVEL: 'trace',
                OPENAI_BASE_URL: provider.url,
                PROVIDER_KEYS_SHARED: { openai: KEY },
                CATALOGUE_FILE: writeCatalogue([{ id: 'gpt', provider: 'openai' }]),
            },
        });
    });

    after(async () => {
        await app.stop();
        await provider.stop();
    });

    const message = `Incorrect API key provided: ${KEY}. Authorization: Bearer ${KEY}`;
    const echo = JSON.stringify({ error: { message, type: 'invalid_request_error' } });
    const token = 'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n';
    const failures: [what: string, code: string, answer: ProviderAnswer][] = [
        ['400 that repeats it', 'PROVIDER_REFUSED', { status: 400, steps: [echo] }],
        ['401 that repeats it', 'PROVIDER_KEY_INVALID', { status: 401, steps: [echo] }],
        ['500 that repeats it', 'PROVIDER_ERROR', { status: 500, headers: { 'x-echo': KEY }, steps: [echo] }],
        ['page of HTML that repeats it', 'PROVIDER_ERROR', { status: 502, steps: [`<html>${KEY}</html>`] }],
        ['first event that repeats it', 'PROVIDER_ERROR', { steps: [`data: ${echo}\n\n`] }],
        ['later event that repeats it', 'PROVIDER_ERROR', { steps: [token, `data: ${echo}\n\n`] }],
        ['stream that is no JSON', 'PROVIDER_ERROR', { steps: [`data: ${KEY}\n\n`] }],
        ['connection that is cut', 'PROVIDER_ERROR', { steps: [cut] }],
    ];
    for (const [what, code, answer] of failures) {
        it(`is in no answer and in no line of the log after a ${what}`, async () => {
            provider.answer(answer);
            provider.requests.length = 0;
            await closeCircuits(app.server.plugins.models);
            const tenant = await newTenant(app);
            const path = messagesPath(await newThread(tenant), 'gpt');
            const { status, body, text } = await tenant.call('POST', path, { payload: { content: 'Hi' } });
            expect(status).to.be.at.least(400);
            expect(body.error.code).to.equal(code);
            expect(provider.requests[0]?.headers.authorization).to.equal(`Bearer ${KEY}`);
            expect(text).to.not.include(KEY);
            expect(app.logs.find(({ errorCode, err }) => errorCode === code && err)).to.exist();
            expect(JSON.stringify(app.logs)).to.not.include(KEY);
            app.logs.length = 0;
        });
    }
});
