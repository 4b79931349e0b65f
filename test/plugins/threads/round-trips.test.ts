import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../helpers/app.ts';
import { countCommands } from '../../helpers/count-commands.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

describe('the Redis round trips of a request', () => {
    let redis: TestRedis;
    let app: TestApp;
    let ada: TestTenant;
    let thread: string;

    before(async () => {
        redis = await startRedis();
        app = await startApp({ redisPath: redis.path });
        ada = await newTenant(app);
        thread = await newThread(ada);
        // Every script is known to Redis from here on.
        await ada.call('POST', messagesPath(thread), { payload: { content: 'Hello' } });
        await ada.call('GET', messagesPath(thread));
        await ada.call('GET', '/api/threads');
        await ada.call('PATCH', `/api/threads/${thread}/title`, { payload: { title: 'A title' } });
    });

    after(async () => {
        await app.stop();
        await redis.stop();
    });

    for (const [method, path, most] of [
        ['GET', '/api/threads/{id}', 2],
        ['GET', '/api/threads', 2],
        ['GET', '/api/threads/{id}/models/sandbox/messages', 2],
        ['POST', '/api/threads', 2],
        ['PATCH', '/api/threads/{id}/title', 2],
        ['GET', '/api/models', 1],
    ] as const) {
        it(`are at most ${most} for ${method} ${path}`, async () => {
            const payload = method === 'GET' ? undefined : { title: 'A title' };
            const commands = await countCommands(app.redis, async () => {
                const { status } = await ada.call(method, path.replace('{id}', thread), { payload });
                expect(status).to.be.below(300);
            });
            expect(commands).to.have.length(most);
        });
    }

    it('are six for a message and its answer: four before the model is called', async () => {
        const commands = await countCommands(app.redis, () =>
            ada.call('POST', messagesPath(thread), { payload: { content: 'Hello' } }),
        );
        expect(commands).to.equal([...Array<string>(5).fill('evalsha'), 'zrem']);
    });
});
