import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { type AnswerInfo } from '../../../plugins/threads/answer-codec.ts';
import { AnswerStore } from '../../../plugins/threads/answer-store.ts';
import { newMessage, type ContextPlace } from '../../../plugins/threads/message-codec.ts';
import { ThreadStore } from '../../../plugins/threads/store.ts';
import { newId } from '../../../src/ids.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { readUsage } from '../../helpers/model-usage.ts';
import { testVault } from '../../helpers/store.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newThread } from '../../helpers/thread.ts';

import type { EndStatus } from '../../../plugins/threads/api.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

describe('AnswerStore.end()', () => {
    let app: TestApp;
    let store: AnswerStore;
    let ada: TestTenant;
    let info: AnswerInfo;

    before(async () => {
        app = await startApp();
        const { billing, usage, profile, models, tenants } = app.server.plugins;
        const threads = new ThreadStore(app.store, testVault(), {
            profile: (owner) => profile.key(owner),
            providerKeys: (owner) => models.keys.key(owner),
            tenant: (tenantId) => tenants.key(tenantId),
        });
        store = new AnswerStore(app.store, threads, usage, billing);
    });

    beforeEach(async () => {
        ada = await newTenant(app);
        const { tenantId, userId: ownerId } = ada;
        const context: ContextPlace = { tenantId, ownerId, threadId: await newThread(ada), modelId: 'sandbox' };
        info = {
            context,
            draft: { ...newMessage(context, newId('msg')), role: 'assistant' },
            userMessage: newMessage(context, newId('msg')),
            ignoredParameters: [],
            inputTokens: 7,
            replaces: null,
            bill: null,
            requestId: 'req_of_the_test',
        };
        await store.begin({ info, owner: 'one', isNew: true, ownKeys: [], outbox: {} });
    });

    after(() => app.stop());

    const end = (by: string, status: EndStatus = 'complete') =>
        store.end(info, {
            by,
            message: {
                ...info.draft,
                status,
                content: 'Fine',
                usage: { inputFresh: 7, cacheRead: 0, cacheWrite: 0, output: 1, reasoning: 0, isEstimated: false },
            },
            timing: { durationMs: 20, timeToFirstTokenMs: 10 },
            events: [['close', {}]],
            from: 0,
            outbox: {},
        });

    it('counts a call once, however often it is ended and by whom', async () => {
        const ends = ['one', 'one', 'two', 'one', 'two'];
        const results = await Promise.all(ends.map((by) => end(by)));
        expect(results).to.equal(['ended', 'ended', 'lost', 'ended', 'lost']);
        const { total } = await readUsage(ada);
        expect(total).to.include({ calls: 1, inputFresh: 7, output: 1, averageDurationMs: 20 });
    });

    it('counts for the one that comes first', async () => {
        expect(await Promise.all([end('two', 'interrupted'), end('one')])).to.equal(['ended', 'lost']);
        expect((await readUsage(ada)).total).to.include({ calls: 1, errors: 1 });
    });

    it('counts nothing where the answer was deleted with its thread', async () => {
        await ada.call('DELETE', `/api/threads/${info.context.threadId}`);
        expect(await end('one')).to.equal('deleted');
        expect((await readUsage(ada)).total.calls).to.equal(0);
    });
});
