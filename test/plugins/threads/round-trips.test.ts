import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../helpers/app.ts';
import { countCommands } from '../../helpers/count-commands.ts';
import { startWithProvider } from '../../helpers/provider-keys.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

/**
 * Admission, lease and slot, context, beginning; one write of events, the end, and both leases given back. Where the
 * machine is slow, the events take a second write.
 */
function expectMessage(commands: string[], more = 0): void {
    expect(new Set(commands)).to.equal(new Set(['evalsha', 'zrem']));
    expect(commands.filter((command) => command === 'zrem')).to.have.length(2);
    expect(commands.length).to.be.within(9, 10 + more);
}

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
        await ada.call('GET', '/api/threads?q=thread');
        await ada.call('POST', `/api/threads/${thread}/fork`);
        await ada.call('GET', `/api/threads/${thread}`);
        await ada.call('GET', '/api/profile');
        await ada.call('GET', '/api/profile/activity');
        await ada.call('PATCH', `/api/threads/${thread}/title`, { payload: { title: 'A title' } });
    });

    after(async () => {
        await app.stop();
        await redis.stop();
    });

    for (const [method, path, most] of [
        ['GET', '/api/threads/{id}', 2],
        ['GET', '/api/threads', 2],
        ['GET', '/api/threads?q=thread', 2],
        ['POST', '/api/threads/{id}/fork', 3],
        // Two reads go together.
        ['GET', '/api/threads/{id}/models/sandbox/messages', 3],
        ['POST', '/api/threads', 2],
        ['PATCH', '/api/threads/{id}/title', 2],
        // Two lists of tunnels go together, and are then known for a while.
        ['GET', '/api/models', 4],
        ['GET', '/api/profile', 2],
        ['GET', '/api/profile/activity', 2],
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

    it('are nine for a message and its answer: four before the model is called, with two commands in one', async () => {
        const commands = await countCommands(app.redis, () =>
            ada.call('POST', messagesPath(thread), { payload: { content: 'Hello' } }),
        );
        expectMessage(commands);
    });

    it('are as many with a system prompt, a default temperature and an API key of the user', async () => {
        const { app: other, provider } = await startWithProvider({ redisPath: redis.path });
        const bob = await newTenant(other);
        await bob.call('POST', '/api/profile/api-keys', { payload: { openai: 'a-key-of-bob' } });
        const settings = { systemPrompt: 'Be brief', defaultTemperature: 0.5 };
        await bob.call('PATCH', '/api/profile', { payload: { settings } });
        const path = messagesPath(await newThread(bob), 'remote');
        await bob.call('POST', path, { payload: { content: 'Hello' } });
        const commands = await countCommands(other.redis, async () => {
            const { status } = await bob.call('POST', path, { payload: { content: 'Hello' } });
            expect(status).to.equal(200);
        });
        // The circuits are looked at once a second: not again after the message before, unless the machine is slow.
        expectMessage(commands, 1);
        await other.stop();
        await provider.stop();
    });
});
