import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../helpers/app.ts';
import { countCommands } from '../../helpers/count-commands.ts';
import { addThreads } from '../../helpers/many-threads.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const PAGE = 20;

/** Five threads have `needle`, and every second one `even`; all have `thread`. */
const titles = (count: number) =>
    Array.from({ length: count }, (_, n) => `Thread ${n % 2 ? 'odd' : 'even'} ${n < 5 ? 'needle' : ''}`);

describe('a page of 100 and of 10,000 threads', { timeout: 120_000 }, () => {
    let redis: TestRedis;
    let app: TestApp;
    let few: TestTenant;
    let many: TestTenant;

    before(async () => {
        redis = await startRedis();
        app = await startApp({ redisPath: redis.path });
        few = await newTenant(app);
        many = await newTenant(app);
        await addThreads(app, few, titles(100));
        await addThreads(app, many, titles(10_000));
    });

    after(async () => {
        await app.stop();
        await redis.stop();
    });

    /** How often each command ran, those of scripts too. */
    const calls = async (work: () => Promise<unknown>): Promise<number> => {
        await app.redis.config('RESETSTAT');
        await work();
        const stats = await app.redis.info('commandstats');
        const counts = [...stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)];
        return counts
            .filter(([, name = '']) => !/^(config|info)/.test(name))
            .reduce((sum, [, , count]) => sum + Number(count), 0);
    };

    for (const [what, url, found] of [
        ['the list', '/api/threads', PAGE],
        ['the list by creation', '/api/threads?orderBy=created_at&order=asc', PAGE],
        ['a search for a word of all', '/api/threads?q=thread', PAGE],
        ['a search for two words of many', '/api/threads?q=thread+even', PAGE],
        ['a search for a word of five', '/api/threads?q=needle', 5],
        ['a search for a rare and a frequent word', '/api/threads?q=thread+needle', 5],
        ['a search for a word that is not there', '/api/threads?q=thread+nowhere', 0],
    ] as const) {
        it(`takes two round trips, and commands in Redis by the size of the page: ${what}`, async () => {
            const ask = (tenant: TestTenant) => async () => {
                const { status, body } = await tenant.call('GET', url);
                expect(status).to.equal(200);
                expect(body.data.threads).to.have.length(found);
            };
            // Every script is known to Redis from here on.
            await ask(few)();
            expect(await countCommands(app.redis, ask(few))).to.have.length(2);
            expect(await countCommands(app.redis, ask(many))).to.have.length(2);
            const least = await calls(ask(few));
            // Two a thread of the page and two that are looked at in vain, besides admission and the like.
            const bound = 4 * PAGE + 40;
            expect(least).to.be.below(bound);
            expect(await calls(ask(many))).to.be.below(bound);
        });
    }

    it('looks at 2,000 threads at most for words that are frequent and never together', async () => {
        let hasMore = false;
        const work = async () => {
            const { body } = await many.call('GET', '/api/threads?q=odd+even');
            expect(body.data.threads).to.equal([]);
            ({ hasMore } = body.pagination);
        };
        expect(await calls(work)).to.be.within(2_000, 2_100);
        expect(hasMore).to.be.true();
    });

    it('leads through a search of 5,000 that match, each once', async () => {
        const seen = new Set<string>();
        let cursor: string | null = '';
        let pages = 0;
        while (cursor !== null) {
            const url: string = `/api/threads?q=even&limit=100${cursor && `&cursor=${cursor}`}`;
            const { body } = await app.call('GET', url, { token: many.accessToken });
            if (body.error) {
                expect(body.error.code).to.equal('RATE_LIMITED');
                await app.advance(60_000);
                continue;
            }
            for (const { id } of body.data.threads) seen.add(id);
            pages++;
            cursor = body.pagination.cursor;
        }
        expect(seen.size).to.equal(5_000);
        expect(pages).to.equal(50);
    });
});
