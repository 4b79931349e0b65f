import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { writeCatalogue } from '../../helpers/catalogue.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { startWithProvider } from '../../helpers/provider-keys.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';
import { newUser } from '../../helpers/user.ts';

import type { TestApp } from '../../helpers/app.ts';
import type { Provider } from '../../helpers/provider.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

describe('what a user chose for calls to models', () => {
    let app: TestApp;
    let provider: Provider;
    let ada: TestTenant;
    let thread: string;

    before(async () => {
        const models = [
            { id: 'remote', provider: 'openai', parameters: { temperature: { min: 0.2, max: 1, default: 0.7 } } },
            { id: 'cold', provider: 'openai', parameters: { temperature: false } },
            { id: 'small', provider: 'openai', contextLength: 256 },
        ];
        ({ app, provider } = await startWithProvider({
            config: { CATALOGUE_FILE: writeCatalogue(models), PROVIDER_KEYS_SHARED: { openai: 'shared-key' } },
        }));
    });

    beforeEach(async () => {
        ada = await newTenant(app);
        thread = await newThread(ada);
    });

    after(async () => {
        await app.stop();
        await provider.stop();
    });

    const choose = (settings: object) => ada.call('PATCH', '/api/profile', { payload: { settings } });
    const send = (message: object = {}, model = 'remote') =>
        ada.call('POST', messagesPath(thread, model), { payload: { content: 'Hello', ...message } });
    /** What the provider was asked last. */
    const asked = () => provider.requests.at(-1)?.body;

    it('goes along from the next message on: the system prompt first', async () => {
        await send();
        expect(asked().messages).to.equal([{ role: 'user', content: 'Hello' }]);
        expect(asked()).to.not.include('temperature');
        await choose({ systemPrompt: 'Be brief', defaultTemperature: 0.4 });
        const { body } = await send({ content: 'Again' });
        expect(asked().messages).to.equal([
            { role: 'system', content: 'Be brief' },
            { role: 'user', content: 'Hello' },
            { role: 'assistant', content: 'Fine' },
            { role: 'user', content: 'Again' },
        ]);
        expect(asked().temperature).to.equal(0.4);
        expect(body.data.assistantMessage.temperature).to.equal(0.4);
        await choose({ systemPrompt: null });
        await send();
        expect(asked().messages[0].role).to.equal('user');
    });

    it('is not a message of the thread', async () => {
        await choose({ systemPrompt: 'Be brief' });
        await send();
        const { body } = await ada.call('GET', messagesPath(thread, 'remote'));
        expect(body.data.messages.map(({ role }: { role: string }) => role)).to.equal(['assistant', 'user']);
    });

    it('gives way to the temperature of a message', async () => {
        await choose({ defaultTemperature: 0.4 });
        await send({ temperature: 0.9 });
        expect(asked().temperature).to.equal(0.9);
    });

    it('is brought into the range of a model, and left out where the model takes none', async () => {
        await choose({ defaultTemperature: 2 });
        await send();
        expect(asked().temperature).to.equal(1);
        await choose({ defaultTemperature: 0 });
        await send();
        expect(asked().temperature).to.equal(0.2);
        const { status, body } = await send({}, 'cold');
        expect(status).to.equal(200);
        expect(asked()).to.not.include('temperature');
        expect(body.data).to.not.include('details');
    });

    it('leaves no room for a message in a small model, which is told', async () => {
        await choose({ systemPrompt: 'p'.repeat(2_000) });
        const error = expectError(await send({}, 'small'), 'MESSAGE_TOO_LONG');
        expect(error.details).to.equal({ tokens: 2, limit: 0 });
        expect((await ada.call('GET', messagesPath(thread, 'small'))).body.data.messages).to.be.empty();
    });

    it('is nobody else’s', async () => {
        await choose({ systemPrompt: 'For Ada only', defaultTemperature: 0.4 });
        const bob = await newUser(app, ada.tenantId, 'user');
        const { body } = await bob.call('POST', '/api/threads', { payload: {} });
        await bob.call('POST', messagesPath(body.data.thread.id, 'remote'), { payload: { content: 'Hi' } });
        expect(asked().messages).to.equal([{ role: 'user', content: 'Hi' }]);
        expect(asked()).to.not.include('temperature');
    });
});
