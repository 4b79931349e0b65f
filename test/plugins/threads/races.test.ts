import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../helpers/app.ts';
import { setLimits } from '../../helpers/limits.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const SENDS = 20;

interface StoredMessage {
    id: string;
    role: string;
    replyTo: string | null;
}

describe('a thread that is changed from several sides at once', () => {
    let app: TestApp;
    let other: TestApp;
    let ada: TestTenant;
    let thread: string;

    before(async () => {
        app = await startApp({ config: { SANDBOX_TOKEN_DELAY_MS: 1 } });
        const { JWT_KEYS, VAULT_KEYS } = app.config;
        other = await startApp({ config: { SANDBOX_TOKEN_DELAY_MS: 1, JWT_KEYS, VAULT_KEYS } });
    });

    beforeEach(async () => {
        ada = await newTenant(app);
        await setLimits(app, ada.tenantId, { concurrentGenerations: SENDS });
        thread = await newThread(ada);
    });

    after(async () => {
        await app.stop();
        await other.stop();
    });

    const send = (n: number) => {
        const options = { payload: { content: `Message ${n}` }, token: ada.accessToken };
        return (n % 2 ? other : app).call('POST', messagesPath(thread), options);
    };
    const sendAll = () => Promise.all(Array.from({ length: SENDS }, (_, n) => send(n)));
    const shown = async () => (await ada.call('GET', `/api/threads/${thread}`)).body.data.thread;
    const stored = async (): Promise<StoredMessage[]> =>
        (await ada.call('GET', `${messagesPath(thread)}?limit=200&order=asc`)).body.data.messages;

    it('counts twenty sends on two replicas, and has every answer after its question', async () => {
        const answers = await sendAll();
        expect(answers.map(({ status }) => status)).to.equal(Array<number>(SENDS).fill(200));
        const messages = await stored();
        expect(new Set(messages.map(({ id }) => id)).size).to.equal(2 * SENDS);
        for (const [at, { role, replyTo }] of messages.entries()) {
            const questionAt = messages.findIndex(({ id }) => id === replyTo);
            if (role === 'assistant') expect(questionAt).to.be.within(0, at - 1);
        }
        const { messageCount, models, revision, lastMessage, updatedAt } = await shown();
        expect(messageCount).to.equal(2 * SENDS);
        expect(models.sandbox.messageCount).to.equal(2 * SENDS);
        expect(models.sandbox.lastMessageAt).to.equal(updatedAt);
        expect(revision).to.equal(1 + 2 * SENDS);
        expect(lastMessage.role).to.equal(messages.at(-1)?.role);
    });

    it('loses neither a title nor a message when it is renamed while messages are sent', async () => {
        const rename = (n: number) =>
            ada.call('PATCH', `/api/threads/${thread}/title`, { payload: { title: `Title ${n}` } });
        const renaming = Promise.all(Array.from({ length: 10 }, (_, n) => rename(n)));
        const [answers, renamed] = await Promise.all([sendAll(), renaming]);
        for (const { status } of [...answers, ...renamed]) expect(status).to.equal(200);
        const { messageCount, title, revision } = await shown();
        expect(messageCount).to.equal(2 * SENDS);
        expect(title).to.match(/^Title \d$/);
        expect(revision).to.equal(1 + 2 * SENDS + 10);
    });

    it('leaves nothing behind when it is deleted while messages are sent', async () => {
        const sending = sendAll();
        const remove = () => ada.call('DELETE', `/api/threads/${thread}`);
        const removed = await Promise.all([remove(), remove()]);
        expect(removed.map(({ status }) => status)).to.only.include([200, 404]);
        for (const { status } of await sending) expect([200, 404]).to.include(status);
        expect((await ada.call('GET', `/api/threads/${thread}`)).status).to.equal(404);
        expect(await app.redis.keys(`tenant:{${ada.tenantId}}:thread:*`)).to.equal([]);
        expect((await ada.call('GET', '/api/threads')).body.pagination.totalCount).to.equal(0);
    });
});
