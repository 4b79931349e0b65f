import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { setLimits } from '../../helpers/limits.ts';
import { hold, startProvider, type Provider } from '../../helpers/provider.ts';
import { chunk, END, remoteModels } from '../../helpers/remote-model.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';

import type { Answer } from '../../helpers/app.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

describe('an answer', () => {
    let provider: Provider;
    let app: TestApp;
    let ada: TestTenant;
    let path: string;

    before(async () => {
        provider = await startProvider();
        app = await startApp({ config: remoteModels(provider) });
    });

    beforeEach(async () => {
        ada = await newTenant(app);
        path = messagesPath(await newThread(ada), 'remote');
        provider.answer({ steps: [chunk('One'), END] });
    });

    after(async () => {
        await app.stop();
        await provider.stop();
    });

    const send = () => ada.call('POST', path, { payload: { content: 'Hello' } });

    /** Asks, and has another process take the answer over in the middle, as one does that takes this for dead. */
    const taken = async (ask: () => Promise<Answer>): Promise<Answer> => {
        const point = hold();
        provider.answer({ steps: [chunk('One'), point, chunk(' two'), END] });
        const asked = ask();
        await point.reached;
        const answers = await app.redis.keys(tenantKey(ada.tenantId, 'generation', '*'));
        for (const key of answers) {
            if ((await app.redis.type(key)) === 'hash') await app.redis.hset(key, 'owner', 'run_of_another');
        }
        point.release();
        return asked;
    };

    it('is interrupted for who waits when another process has taken it over', async () => {
        expectError(await taken(() => send()), 'ANSWER_INTERRUPTED');
    });

    it('is so, too, when it is given anew', async () => {
        const { body } = await send();
        const url = `${path}/${body.data.assistantMessage.id}/regenerate`;
        expectError(await taken(() => ada.call('POST', url, { payload: {} })), 'ANSWER_INTERRUPTED');
    });

    it('and a summary are not begun by a process that is about to stop', async () => {
        const { body } = await send();
        await setLimits(app, ada.tenantId, { concurrentGenerations: 1 });
        const point = hold();
        provider.answer({ steps: [point, chunk('One'), END] });
        const running = send();
        await point.reached;
        app.drain.begin();
        for (const url of [
            path,
            `${path}/${body.data.assistantMessage.id}/regenerate`,
            path.replace(/messages$/, 'summarize'),
        ]) {
            const payload = url === path ? { content: 'Hello' } : {};
            expectError(await ada.call('POST', url, { payload }), 'SHUTTING_DOWN');
        }
        point.release();
        expect((await running).status).to.equal(200);
    });
});
