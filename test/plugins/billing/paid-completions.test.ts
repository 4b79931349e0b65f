import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { dollars } from '../../../src/money.ts';
import { newKey } from '../../helpers/api-key.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { expectSound } from '../../helpers/billing.ts';
import { priceOf } from '../../helpers/catalogue.ts';
import { setCredit } from '../../helpers/credit.ts';
import { expectOpenAiError, openAiClient } from '../../helpers/openai.ts';
import { chargesOf, holdsOf, newPayer, sweepNow, told } from '../../helpers/paid-calls.ts';
import { cut, hold, startProvider, type Provider } from '../../helpers/provider.ts';
import { chunk, END, remoteModels } from '../../helpers/remote-model.ts';

import type { TestTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const PATH = '/v1/chat/completions';
const messages = [{ role: 'user' as const, content: 'Hello' }];

describe('a call of /v1 that is paid from credits', () => {
    let provider: Provider;
    let app: TestApp;
    let ada: TestTenant;

    before(async () => {
        provider = await startProvider();
        // A micro-dollar for a token in, ten for a token out; nobody knows what `second` costs.
        const prices = priceOf({ input: 1_000_000, output: 10_000_000 });
        const unknown = priceOf({ input: 1_000_000, output: null });
        const config = remoteModels(provider, { prices, capabilities: ['text', 'tools'] }, { prices: unknown });
        app = await startApp({ listen: true, config });
    });

    beforeEach(async () => {
        ada = await newPayer(app, dollars(1));
        provider.requests.length = 0;
        provider.answer({ steps: [chunk('Fine'), told({ input: 10, output: 5 })] });
    });

    after(async () => {
        await app.stop();
        await provider.stop();
    });

    const call = (payload: object = {}) =>
        ada.call('POST', PATH, { payload: { model: 'remote', messages, ...payload } });
    const charges = () => chargesOf(app.redis, ada.tenantId);
    const untilCharged = async () => {
        for (;;) {
            const [charge] = await charges();
            if (charge) return charge;
            await sleep(10);
        }
    };

    it('has been charged what its provider tells when the client has its end', async () => {
        const { headers } = await call();
        // 10 × 1 + 5 × 10 = 60.
        const [charge] = await charges();
        const requestId = headers['x-request-id'];
        expect(charge).to.include({ type: 'model_usage', amount: '-60', modelId: 'remote', requestId });
        expect(charge).to.not.include(['threadId', 'isEstimated', 'keyId']);
        const { text } = await call({ stream: true });
        expect(text).to.endWith('data: [DONE]\n\n');
        expect(await charges()).to.have.length(2);
        expect(await expectSound(app.redis, ada.tenantId)).to.equal(999_880n);
        expect(await holdsOf(app.redis, ada.tenantId)).to.equal([]);
    });

    it('counts for the API key that it came with', async () => {
        const { secret, id } = await newKey(ada, { scopes: ['model:call'] });
        await openAiClient(app, secret).chat.completions.create({ model: 'remote', messages });
        expect((await charges())[0]).to.include({ keyId: id, userId: ada.userId });
    });

    it('is refused without credit, as OpenAI would say it', async () => {
        await setCredit(app, ada.tenantId, 651n);
        const error = expectOpenAiError(await call(), 'INSUFFICIENT_CREDITS');
        expect(error).to.include({ type: 'insufficient_quota', code: 'insufficient_quota' });
        expectOpenAiError(await call({ stream: true }), 'INSUFFICIENT_CREDITS');
        expect(provider.requests).to.equal([]);
        await setCredit(app, ada.tenantId, 652n);
        expect((await call()).status).to.equal(200);
        expect(provider.requests[0]?.body.max_tokens).to.equal(64);
    });

    it('needs credit for no more output than it asks for', async () => {
        // "Hello" may have 12 tokens: 12 + 3 × 10.
        await setCredit(app, ada.tenantId, 41n);
        expectOpenAiError(await call({ max_tokens: 3 }), 'INSUFFICIENT_CREDITS');
        await setCredit(app, ada.tenantId, 42n);
        provider.answer({ steps: [chunk('Fine'), told({ input: 6, output: 3 }, 'length')] });
        expect((await call({ max_tokens: 3 })).status).to.equal(200);
        expect(provider.requests[0]?.body.max_tokens).to.equal(3);
    });

    it('is refused where nobody knows the price, and listed so', async () => {
        const error = expectOpenAiError(await call({ model: 'second' }), 'PRICE_UNKNOWN');
        expect(error).to.include({ type: 'insufficient_quota', code: 'price_unknown' });
        expect(provider.requests).to.equal([]);
        const { body } = await ada.call('GET', '/api/models');
        const second = body.data.models.find(({ id }: { id: string }) => id === 'second');
        expect(second).to.include({ usable: false, reason: 'PRICE_UNKNOWN' });
        const listed = (await ada.call('GET', '/v1/models')).body.data.map(({ id }: { id: string }) => id);
        expect(listed).to.equal(['remote', 'local', 'sandbox']);
        // With a key of his own the price is the user's affair.
        provider.answer(({ method }) => (method === 'GET' ? { steps: ['{"data":[]}'] } : { steps: [END] }));
        await ada.call('POST', '/api/profile/api-keys', { payload: { openai: 'a-key-of-ada' } });
        expect((await call({ model: 'second' })).status).to.equal(200);
        expect(await charges()).to.equal([]);
    });

    it('costs nothing when it is refused or fails before its first token', async () => {
        for (const answer of [
            { status: 401, steps: ['{"error":{"message":"No such key"}}'] },
            { status: 400, steps: ['{"error":{"message":"No"}}'] },
            { status: 200, steps: ['data: {"error":{"message":"No","type":"invalid_request_error"}}\n\n'] },
        ]) {
            provider.answer(answer);
            expect((await call()).status).to.be.above(399);
        }
        expect(await charges()).to.equal([]);
        expect(await app.server.plugins.billing.credits(ada.tenantId)).to.include({ held: 0n, balance: 1_000_000n });
    });

    it('costs what came when the provider fails in the middle, tool calls and thoughts too', async () => {
        const delta = (part: object) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: part }] })}\n\n`;
        const tool = {
            index: 0,
            id: 'call_1',
            type: 'function',
            function: { name: 'look', arguments: '{"at":"sky"}' },
        };
        provider.answer({
            steps: [delta({ reasoning_content: 'Hm, well' }), chunk('Look'), delta({ tool_calls: [tool] }), cut],
        });
        await call({ tools: [{ type: 'function', function: { name: 'look' } }] });
        const [charge] = await charges();
        const usage = JSON.parse(charge?.usage ?? '{}');
        // 8 bytes of thoughts are 2 tokens; 4 of text, 4 of the name and 12 of arguments are 5.
        expect(usage).to.include({ output: 7, reasoning: 2, isEstimated: true });
        expect(charge?.amount).to.equal(String(-(usage.inputFresh + 70)));
    });

    it('costs what came when its client goes away', async () => {
        const middle = hold();
        provider.answer({ steps: [chunk('a'.repeat(40)), middle, told({ input: 7, output: 99 })] });
        const { secret } = await newKey(ada, { scopes: ['model:call'] });
        const stream = await openAiClient(app, secret).chat.completions.create({
            model: 'remote',
            messages,
            stream: true,
        });
        for await (const { choices } of stream) if (choices[0]?.delta.content !== '') break;
        await provider.requests[0]?.aborted;
        // "Hello" and its marks are 6 tokens, 40 bytes are 10: 6 + 10 × 10.
        expect(await untilCharged()).to.include({ amount: '-106', isEstimated: '1' });
        expect(await holdsOf(app.redis, ada.tenantId)).to.equal([]);
        middle.release();
    });

    it('notes what it streams before its client gets it, for the case that its process dies', async () => {
        const middle = hold();
        provider.answer({ steps: [chunk('a'.repeat(40)), middle, told({ input: 7, output: 12 })] });
        const answer = call({ stream: true });
        await middle.reached;
        const [id] = await holdsOf(app.redis, ada.tenantId);
        const key = `tenant:{${ada.tenantId}}:credits:hold:${id}`;
        while ((await app.redis.hget(key, 'used')) !== '106') await sleep(10);
        // It is swept in the middle, as if its process had died, but it has not: it is charged the difference only.
        await sweepNow(app, ada.tenantId);
        expect((await charges()).map(({ type, amount }) => [type, amount])).to.equal([['hold_settled', '-106']]);
        middle.release();
        expect((await answer).status).to.equal(200);
        // 7 + 12 × 10 = 127, of which 106 are paid.
        expect((await charges()).map(({ type, amount }) => [type, amount])).to.equal([
            ['hold_settled', '-106'],
            ['model_usage', '-21'],
        ]);
        const month = new Date().toISOString().slice(0, 7).replace('-', '');
        const sums = await app.redis.hgetall(`tenant:{${ada.tenantId}}:credits:month:${month}`);
        expect(sums).to.include({ tenant: '127', 'model:remote': '127', 'model:remote:calls': '1' });
        expect(await expectSound(app.redis, ada.tenantId)).to.equal(999_873n);
    });
});
