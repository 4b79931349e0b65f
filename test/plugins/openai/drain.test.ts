import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../helpers/app.ts';
import { writeCatalogue } from '../../helpers/catalogue.ts';
import { expectOpenAiError } from '../../helpers/openai.ts';
import { hold, startProvider, type Provider } from '../../helpers/provider.ts';
import { newTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const said = (content: string, reason: string | null = null): string =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: reason }] })}\n\n`;

describe('POST /v1/chat/completions while the process is about to stop', () => {
    let provider: Provider;
    let app: TestApp;

    before(async () => {
        provider = await startProvider();
        app = await startApp({
            config: {
                OPENAI_BASE_URL: `${provider.url}/v1`,
                PROVIDER_KEYS_SHARED: { openai: 'a key of the test' },
                CATALOGUE_FILE: writeCatalogue([{ id: 'remote', provider: 'openai' }]),
            },
        });
    });

    after(async () => {
        await app.stop();
        await provider.stop();
    });

    it('finishes what runs, refuses what is new, and past the deadline ends the rest with an error', async () => {
        const ada = await newTenant(app);
        const ask = (stream: boolean) => {
            const payload = { model: 'remote', messages: [{ role: 'user', content: 'Hello' }], stream };
            return ada.call('POST', '/v1/chat/completions', { payload });
        };
        const gates = [hold(), hold(), hold()];
        const [first, second, third] = gates as [(typeof gates)[0], (typeof gates)[0], (typeof gates)[0]];
        const waiting = [...gates];
        provider.answer(() => ({ steps: [said('One'), waiting.shift() ?? 0, said(' two', 'stop')] }));
        const finishing = ask(false);
        await first.reached;
        const streamed = ask(true);
        await second.reached;
        const whole = ask(false);
        await third.reached;

        app.drain.begin();
        expectOpenAiError(await ask(true), 'SHUTTING_DOWN');
        const deadline = new AbortController();
        let isFinished = false;
        const finished = app.drain.finish(deadline.signal).then(() => (isFinished = true));
        first.release();
        expect((await finishing).body.choices[0].message.content).to.equal('One two');
        expect(isFinished).to.be.false();

        deadline.abort();
        await finished;
        expectOpenAiError(await whole, 'SHUTTING_DOWN');
        const { status, text } = await streamed;
        expect(status).to.equal(200);
        expect(text).to.include('"One"').and.include('"code":"shutting_down"').and.not.include('[DONE]');
        const ends = app.logs.filter(({ outcome }) => outcome === 'interrupted');
        expect(ends.map(({ usage }) => (usage as { output: number }).output)).to.equal([1, 1]);
    });
});
