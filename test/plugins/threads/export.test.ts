import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { ExportService } from '../../../plugins/threads/export-service.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { countCommands, watchCommands } from '../../helpers/count-commands.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { addMessages, storesOf } from '../../helpers/many-threads.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { codeOf } from '../../helpers/store.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';
import { newUser } from '../../helpers/user.ts';

import type { Actor } from '../../../src/types/actor.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

describe('GET /api/threads/{threadId}/export', () => {
    let redis: TestRedis;
    let app: TestApp;
    let ada: TestTenant;
    let thread: string;

    before(async () => {
        redis = await startRedis();
        app = await startApp({ listen: true, redisPath: redis.path });
    });

    beforeEach(async () => {
        ada = await newTenant(app);
        thread = await newThread(ada, 'Lisbon');
    });

    after(async () => {
        await app.stop();
        await redis.stop();
    });

    const path = (query = '') => `/api/threads/${thread}/export${query}`;
    const send = async (content: string) => {
        const { status } = await ada.call('POST', messagesPath(thread), { payload: { content } });
        expect(status).to.equal(200);
    };
    const listed = async () =>
        (await ada.call('GET', `${messagesPath(thread)}?order=asc&limit=200`)).body.data.messages;
    /** As the list shows it. */
    const shown = async () => (await ada.call('GET', '/api/threads')).body.data.threads[0];

    it('is a file of JSON with the thread and its messages', async () => {
        await send('One');
        await send('Two');
        for (const query of ['', '?format=json']) {
            const { status, headers, body } = await ada.call('GET', path(query));
            expect(status).to.equal(200);
            expect(headers['content-type']).to.equal('application/json; charset=utf-8');
            expect(headers['content-disposition']).to.equal(`attachment; filename="${thread}.json"`);
            expect(headers['x-request-id']).to.be.a.string();
            expect(body).to.equal({ thread: await shown(), messages: await listed() });
            expect(body.messages).to.have.length(4);
        }
    });

    it('is JSON also without a message', async () => {
        expect((await ada.call('GET', path())).body).to.equal({ thread: await shown(), messages: [] });
    });

    it('is a file of Markdown', async () => {
        const title = 'A trip\nto *Lisbon*';
        await ada.call('PATCH', `/api/threads/${thread}/title`, { payload: { title } });
        await send('One\n\n- a list');
        const [question, answer] = await listed();
        const { headers, text } = await ada.call('GET', path('?format=markdown'));
        expect(headers['content-type']).to.equal('text/markdown; charset=utf-8');
        expect(headers['content-disposition']).to.equal(`attachment; filename="${thread}.md"`);
        expect(text).to.equal(
            [
                '# A trip to *Lisbon*\n\n## sandbox\n',
                `### User (${question.createdAt})\n\nOne\n\n- a list\n`,
                `### Assistant (${answer.createdAt})\n\n${answer.content}\n`,
            ].join('\n'),
        );
    });

    it('says in Markdown what became of an answer, and who gave it; and has no title but one that says so', async () => {
        const { body } = await ada.call('POST', '/api/threads');
        thread = body.data.thread.id;
        await addMessages(app, ada, thread, 1);
        const key = tenantKey(ada.tenantId, 'thread', thread, 'model', 'sandbox', 'messages');
        const id = 'msg_01K9ZQ4V7N8M3T5R2W6X1Y0ABC';
        const fields = {
            id,
            role: 'assistant',
            content: 'Well',
            tokens: '1',
            status: 'cancelled',
            answeredBy: 'other',
        };
        await app.redis.xadd(key, '*', ...Object.entries(fields).flat());
        const { text } = await ada.call('GET', path('?format=markdown'));
        expect(text).to.startWith('# A thread without a title\n');
        expect(text).to.match(/\n### Assistant \([^,]+Z, other, cancelled\)\n\nWell\n$/);
    });

    it('has all messages of all models, model by model and in order', async () => {
        const models = ['first', 'sandbox', 'third'];
        const ids: string[] = [];
        // One more than three pages, one, and two pages.
        for (const [n, modelId] of models.entries()) {
            ids.push(...(await addMessages(app, ada, thread, [151, 1, 100][n] ?? 0, { modelId })));
        }
        const { body, text } = await ada.call('GET', path());
        expect(body.messages.map(({ id }: { id: string }) => id)).to.equal(ids);
        const markdown = await ada.call('GET', path('?format=markdown'));
        expect(markdown.text.match(/^### /gm)).to.have.length(252);
        expect(text.endsWith('\n')).to.be.true();
    });

    it('refuses another format', async () => {
        expectError(await ada.call('GET', path('?format=pdf')), 'VALIDATION_ERROR');
        expectError(await ada.call('GET', path('?color=red')), 'VALIDATION_ERROR');
    });

    it('does not find the thread of another user, of the same tenant or another', async () => {
        await send('A secret');
        for (const { call } of [await newUser(app, ada.tenantId, 'user'), await newTenant(app)]) {
            for (const query of ['', '?format=markdown']) {
                const answer = await call('GET', path(query));
                expectError(answer, 'THREAD_NOT_FOUND');
                expect(answer.headers).to.not.include('content-disposition');
            }
        }
    });

    it('is limited to ten a minute and user', () =>
        app.inNoTime(async () => {
            for (let n = 0; n < 10; n++) expect((await ada.call('GET', path())).status).to.equal(200);
            expectError(await ada.call('GET', path()), 'RATE_LIMITED');
        }));

    describe('of a big thread', () => {
        const COUNT = 8_000;
        const LENGTH = 8_000;

        /** The answer on a real socket, of which nothing is read yet. */
        const open = async (headers: Record<string, string> = {}): Promise<IncomingMessage> => {
            const asked = request(`${app.server.info.uri}${path()}`, {
                agent: false,
                headers: { authorization: `Bearer ${ada.accessToken}`, ...headers },
            });
            asked.end();
            const [response] = (await once(asked, 'response')) as [IncomingMessage];
            return response;
        };

        it('is read from Redis as the client reads it', async () => {
            await addMessages(app, ada, thread, COUNT, { length: LENGTH });
            let response: IncomingMessage | undefined;
            const commands = await watchCommands(app.redis, async () => {
                response = await open();
                await untilQuiet(app);
            });
            // 160 pages in all; what the sockets hold is a part of them.
            expect(commands.length).to.be.below(120);
            let length = 0;
            const chunks: Buffer[] = [];
            response?.on('data', (chunk: Buffer) => {
                length += chunk.length;
                if (chunks.length < 1 || length > COUNT * LENGTH) chunks.push(chunk);
            });
            await once(response ?? app.server.listener, 'end');
            expect(length).to.be.above(COUNT * LENGTH);
            expect(Buffer.concat(chunks.slice(-1)).toString().endsWith('\n]}\n')).to.be.true();
        });

        for (const encoding of ['identity', 'gzip']) {
            it(`is cut when the thread is deleted in the middle, with ${encoding}`, async () => {
                // What compresses well would be over before it can be deleted.
                const count = encoding === 'gzip' ? 60_000 : COUNT;
                await addMessages(app, ada, thread, count, { length: encoding === 'gzip' ? 20 : LENGTH });
                const response = await open({ 'accept-encoding': encoding });
                expect(response.statusCode).to.equal(200);
                expect((await ada.call('DELETE', `/api/threads/${thread}`)).status).to.equal(200);
                response.resume();
                const ended = await Promise.race([
                    once(response, 'end').then(() => 'whole'),
                    once(response, 'error').then(() => 'cut'),
                ]).catch(() => 'cut');
                expect(ended).to.equal('cut');
            });
        }

        it('is given in pieces that are made when they are asked for', async () => {
            await addMessages(app, ada, thread, 500);
            const { store } = storesOf(app, ada);
            const actor = { tenantId: ada.tenantId, userId: ada.userId } as Actor;
            const pieces = await new ExportService(store).export(actor, thread, 'json');
            const iterator = pieces[Symbol.asyncIterator]();
            const commands = await countCommands(app.redis, async () => {
                for (let n = 0; n < 3; n++) await iterator.next();
            });
            expect(commands).to.have.length(2);
            await ada.call('DELETE', `/api/threads/${thread}`);
            expect(await codeOf(Promise.resolve(iterator.next()))).to.equal('THREAD_NOT_FOUND');
        });
    });
});

/** Waits until Redis is asked nothing more. */
async function untilQuiet(app: TestApp): Promise<void> {
    const count = async () => Number(/total_commands_processed:(\d+)/.exec(await app.redis.info('stats'))?.[1]);
    for (let quiet = 0, before = await count(); quiet < 5;) {
        await sleep(50);
        const now = await count();
        // The question itself is one.
        quiet = now - before <= 1 ? quiet + 1 : 0;
        before = now;
    }
}
