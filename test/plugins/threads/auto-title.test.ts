import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { setLimits } from '../../helpers/limits.ts';
import { startProvider, type Provider } from '../../helpers/provider.ts';
import { chunk, END, remoteModels } from '../../helpers/remote-model.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath } from '../../helpers/thread.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const QUESTION = 'What is there to see? I have two days.';
const TITLE = 'What is there to see?';

describe('a thread without a title', () => {
    let provider: Provider;
    let app: TestApp;
    let other: TestApp;
    let ada: TestTenant;
    let thread: string;

    before(async () => {
        provider = await startProvider();
        const config = remoteModels(provider);
        app = await startApp({ config });
        const { JWT_KEYS, VAULT_KEYS } = app.config;
        other = await startApp({ config: { ...config, JWT_KEYS, VAULT_KEYS } });
    });

    beforeEach(async () => {
        provider.answer({ steps: [chunk('The castle'), END] });
        ada = await newTenant(app);
        thread = await untitled();
    });

    after(async () => {
        await app.stop();
        await other.stop();
        await provider.stop();
    });

    const untitled = async () => String((await ada.call('POST', '/api/threads')).body.data.thread.id);
    const send = (content = QUESTION, at = app, to = thread) =>
        at.call('POST', messagesPath(to, 'remote'), { payload: { content }, token: ada.accessToken });
    const rename = (title: string, at = app) =>
        at.call('PATCH', `/api/threads/${thread}/title`, { payload: { title }, token: ada.accessToken });
    const shown = async () => (await ada.call('GET', `/api/threads/${thread}`)).body.data.thread;
    const found = async (q: string) => (await ada.call('GET', `/api/threads?q=${q}`)).body.data.threads.length;
    const updates = async () => {
        const events = await app.redis.xrange(tenantKey(ada.tenantId, 'events'), '-', '+');
        return events.map(([, fields]) => fields).filter(([, type]) => type === 'thread.updated');
    };

    it('has one of its first question when that is answered, is found by it and tells of it once', async () => {
        expect((await shown()).title).to.be.null();
        const { body } = await send();
        expect(body.data.assistantMessage.content).to.equal('The castle');
        expect(await shown()).to.include({ title: TITLE, revision: 3 });
        expect(await found('there+see')).to.equal(1);
        const data = JSON.stringify({ threadId: thread, userId: ada.userId });
        expect(await updates()).to.equal([['type', 'thread.updated', 'data', data, 'requestId', body.requestId]]);
        await send('And what to eat?');
        expect((await shown()).title).to.equal(TITLE);
        expect(await found('eat')).to.equal(0);
        expect(await updates()).to.have.length(1);
    });

    it('has none as long as there is no answer', async () => {
        provider.answer({ status: 400, steps: ['{"error":{"message":"no"}}'] });
        expect((await send()).status).to.be.above(399);
        expect((await shown()).title).to.be.null();
        expect(await updates()).to.equal([]);
        provider.answer({ steps: [chunk('The castle'), END] });
        await send('Once more');
        expect((await shown()).title).to.equal('Once more');
    });

    it('keeps the title that the user gives it before the answer is there', async () => {
        await rename('Mine');
        await send();
        expect((await shown()).title).to.equal('Mine');
        expect(await found('there')).to.equal(0);
        expect(await updates()).to.have.length(1);
    });

    it('has the title of one of many first questions, and of that alone', async () => {
        await setLimits(app, ada.tenantId, { concurrentGenerations: 10 });
        const answers = await Promise.all(
            Array.from({ length: 10 }, (_, n) => send(`Question${n}`, n % 2 ? app : other)),
        );
        for (const { status } of answers) expect(status).to.equal(200);
        const { title } = await shown();
        expect(title).to.match(/^Question\d$/);
        expect(await found('question')).to.equal(1);
        const index = await app.redis.zrange(
            tenantKey(ada.tenantId, 'user', ada.userId, 'threads', 'terms'),
            '0',
            '-1',
        );
        expect(index).to.equal([`${String(title).toLowerCase()}\0${thread}`]);
        expect(await updates()).to.have.length(1);
    });

    it('has the user’s title, whenever that comes, and is found by it alone', async () => {
        await setLimits(app, ada.tenantId, { concurrentGenerations: 5 });
        for (let round = 0; round < 6; round++) {
            thread = await untitled();
            const title = `Mine${round}`;
            const work = [() => send(), () => rename(title, other), () => send('Another', other)];
            const answers = await Promise.all(work.map((start) => start()));
            for (const { status } of answers) expect(status).to.equal(200);
            expect((await shown()).title).to.equal(title);
            const terms = await app.redis.hget(`${tenantKey(ada.tenantId, 'thread', thread)}:terms`, 'terms');
            expect(JSON.parse(String(terms))).to.equal({ title: [title.toLowerCase()] });
        }
        expect(await found('mine')).to.equal(6);
        expect(await found('there')).to.equal(0);
        expect(await found('another')).to.equal(0);
    });

    it('has no trace of one when it is deleted while it is answered', async () => {
        const sending = send();
        await ada.call('DELETE', `/api/threads/${thread}`);
        await sending;
        expect(await app.redis.keys(tenantKey(ada.tenantId, '*', 'terms'))).to.equal([
            tenantKey(ada.tenantId, 'users', 'terms'),
        ]);
    });
});
