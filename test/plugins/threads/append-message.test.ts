import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { ThreadStore } from '../../../plugins/threads/store.ts';
import { newId } from '../../../src/ids.ts';
import { Vault } from '../../../src/security/vault.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { newTenant } from '../../helpers/tenant.ts';
import { newThread } from '../../helpers/thread.ts';

import type { Message } from '../../../plugins/threads/api.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

describe('ThreadStore.append()', () => {
    let app: TestApp;

    before(async () => {
        app = await startApp();
    });

    after(() => app.stop());

    const newMessage = (threadId: string): Message => ({
        id: newId('msg'),
        threadId,
        modelId: 'sandbox',
        role: 'assistant',
        content: 'An answer',
        tokens: 3,
        temperature: null,
        status: 'complete',
        createdAt: new Date().toISOString(),
        replyTo: null,
        finishReason: 'stop',
        usage: null,
        errorCode: null,
    });

    it('stores a message once, however often it is repeated and whatever came in between', async () => {
        const ada = await newTenant(app);
        const threadId = await newThread(ada);
        const store = new ThreadStore(app.store, new Vault(app.config.VAULT_KEYS), {
            profile: () => '',
            providerKeys: () => '',
        });
        const place = { tenantId: ada.tenantId, ownerId: ada.userId, threadId, modelId: 'sandbox' };
        const message = newMessage(threadId);
        await store.append(place, message, {});
        await store.append(place, newMessage(threadId), {});
        await Promise.all(Array.from({ length: 5 }, () => store.append(place, message, {}, { isRepeated: true })));
        const { items, pagination } = await store.list(place, { direction: 'asc', limit: 10 });
        expect(pagination.totalCount).to.equal(2);
        expect(items[0]).to.equal({ ...message, createdAt: items[0]?.createdAt ?? '' });
        expect((await ada.call('GET', `/api/threads/${threadId}`)).body.data.thread.messageCount).to.equal(2);
    });

    it('stores a repeated message that no earlier try has stored', async () => {
        const ada = await newTenant(app);
        const threadId = await newThread(ada);
        const store = new ThreadStore(app.store, new Vault(app.config.VAULT_KEYS), {
            profile: () => '',
            providerKeys: () => '',
        });
        const place = { tenantId: ada.tenantId, ownerId: ada.userId, threadId, modelId: 'sandbox' };
        await Promise.all([1, 2, 3].map(() => store.append(place, newMessage(threadId), {}, { isRepeated: true })));
        expect((await store.list(place, { direction: 'asc', limit: 10 })).items).to.have.length(3);
    });
});
