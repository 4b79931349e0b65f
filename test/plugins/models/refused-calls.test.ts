import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type Answer, type TestApp } from '../../helpers/app.ts';
import { priceOf, writeCatalogue } from '../../helpers/catalogue.ts';
import { closeCircuits } from '../../helpers/circuits.ts';
import { setCredit } from '../../helpers/credit.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { setLimits } from '../../helpers/limits.ts';
import { expectOpenAiError } from '../../helpers/openai.ts';
import { setSpendLimit } from '../../helpers/paid-calls.ts';
import { chunk, END } from '../../helpers/remote-model.ts';
import { summarizePath } from '../../helpers/summary.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';
import { startWithProvider } from '../../helpers/with-provider.ts';

import type { ErrorCode } from '../../../src/http/errors.ts';
import type { Provider, ProviderAnswer } from '../../helpers/provider.ts';

export const lab = Lab.script();
const { describe, it, before, after, beforeEach } = lab;

const FINE: ProviderAnswer = { steps: [chunk('Fine'), END] };
/** Not tried again: one request, one failure. */
const OVERLOADED: ProviderAnswer = { status: 503, headers: { 'retry-after': '20' } };

/** What stands between a caller and an answer, whichever way the model is called. */
interface Obstacle {
    code: ErrorCode;
    /** The replica that is asked, with settings of its own. */
    on?: () => TestApp;
    provided?: ProviderAnswer;
    /** Before the call. */
    harm?: () => Promise<unknown>;
}

describe('A call of a model', () => {
    let app: TestApp;
    let provider: Provider;
    let stop: () => Promise<void>;
    let unpriced: TestApp;
    let keyless: TestApp;
    let tenant: TestTenant;
    let thread: string;
    let answer: string;

    before(async () => {
        const catalogueOf = (prices: object[]) => writeCatalogue([{ id: 'remote', provider: 'openai', prices }]);
        const CATALOGUE_FILE = catalogueOf(priceOf({ input: 1_000_000, output: 1_000_000 }));
        ({ app, provider, stop } = await startWithProvider({ CATALOGUE_FILE, MODEL_FIRST_TOKEN_TIMEOUT: 0.4 }));
        const { config } = app;
        unpriced = await startApp({ config: { ...config, CATALOGUE_FILE: catalogueOf([]) } });
        keyless = await startApp({ config: { ...config, PROVIDER_KEYS_SHARED: {} } });
    });

    after(async () => {
        await unpriced.stop();
        await keyless.stop();
        await stop();
    });

    beforeEach(async () => {
        await app.advance(1_000);
        await closeCircuits(app.server.plugins.models);
        await app.advance(1_000);
        provider.answer(FINE);
        tenant = await newTenant(app);
        thread = await newThread(tenant);
        const { status, body } = await send();
        expect(status).to.equal(200);
        answer = body.data.assistantMessage.id;
    });

    const path = () => messagesPath(thread, 'remote');
    const send = () => tenant.call('POST', path(), { payload: { content: 'Hi' } });

    /** The ways to call a model; the last answer is given anew before there is another. */
    const waysOn = (on: TestApp): Record<string, () => Promise<Answer>> => {
        const post = (url: string, payload?: object) => on.call('POST', url, { payload, token: tenant.accessToken });
        const messages = [{ role: 'user', content: 'Hi' }];
        return {
            regenerate: () => post(`${path()}/${answer}/regenerate`, {}),
            summarize: () => post(summarizePath(thread, 'remote')),
            message: () => post(path(), { content: 'Hi' }),
            completion: () => post('/v1/chat/completions', { model: 'remote', messages }),
        };
    };

    const failFiveTimes = async () => {
        provider.answer(OVERLOADED);
        for (let times = 0; times < 5; times++) await waysOn(app).completion?.();
        await app.advance(1_000);
    };
    const obstacles: Obstacle[] = [
        { code: 'PROVIDER_KEY_INVALID', provided: { status: 401 } },
        { code: 'PROVIDER_REFUSED', provided: { status: 400 } },
        { code: 'PROVIDER_RATE_LIMITED', provided: { status: 429, headers: { 'retry-after': '20' } } },
        { code: 'PROVIDER_OVERLOADED', provided: OVERLOADED },
        { code: 'PROVIDER_TIMEOUT', provided: { steps: [3_000] } },
        { code: 'CIRCUIT_OPEN', harm: failFiveTimes },
        { code: 'PROVIDER_KEY_MISSING', on: () => keyless },
        { code: 'PRICE_UNKNOWN', on: () => unpriced },
        { code: 'SPEND_LIMIT_REACHED', harm: () => setSpendLimit(app.redis, tenant.tenantId, 'tenant', 1n) },
        { code: 'INSUFFICIENT_CREDITS', harm: () => setCredit(app, tenant.tenantId, 0n) },
        { code: 'QUOTA_EXCEEDED', harm: () => setLimits(app, tenant.tenantId, { requestsPerMonth: 1 }) },
        { code: 'CONCURRENCY_LIMIT', harm: () => setLimits(app, tenant.tenantId, { concurrentGenerations: 0 }) },
    ];

    for (const { code, on = () => app, provided = FINE, harm } of obstacles) {
        it(`is refused with ${code}, whichever way it is asked for`, async () => {
            await harm?.();
            provider.answer(provided);
            for (const [way, call] of Object.entries(waysOn(on()))) {
                const refusal = await call();
                const told = way === 'completion' ? expectOpenAiError : expectError;
                told(refusal, code);
            }
        });
    }
});
