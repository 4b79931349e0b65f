import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../helpers/app.ts';
import { countCommands } from '../../helpers/count-commands.ts';
import { addManyTenants, isMany } from '../../helpers/many-tenants.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { platformToken } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

/** A few and many; with MANY=1 as many as there should be room for. */
const SIZES = isMany ? { few: 20, many: 1_980, users: 50 } : { few: 20, many: 180, users: 3 };
const LISTS = [
    '/api/admin/tenants?limit=10',
    '/api/admin/tenants?limit=10&q=tenant',
    '/api/admin/tenants?limit=3&plan=free&status=active',
    '/api/admin/tenants?limit=3&q=tenant&plan=premium',
    '/api/admin/users?limit=10',
    '/api/admin/users?limit=10&q=user',
];

describe('lists and searches over all tenants', () => {
    let redis: TestRedis;
    let app: TestApp;
    let token: string;

    before(async () => {
        redis = await startRedis();
        app = await startApp({ redisPath: redis.path });
        token = await platformToken(app);
    });

    after(async () => {
        await app.stop();
        await redis.stop();
    });

    /** The commands of a page, and of the one after it. */
    const commandsOf = async (url: string): Promise<string[]> => {
        let cursor = '';
        const first = await countCommands(app.redis, async () => {
            const { body } = await app.call('GET', url, { token });
            ({ cursor } = body.pagination);
        });
        expect(cursor, url).to.be.a.string();
        const next = await countCommands(app.redis, () => app.call('GET', `${url}&cursor=${cursor}`, { token }));
        return [...first, ...next];
    };

    /** Makes so many more, and gives the number of commands that each list takes then. */
    const countsAfter = async (size: number): Promise<number[]> => {
        const began = performance.now();
        await addManyTenants(app, size, SIZES.users);
        const made = performance.now();
        await app.server.plugins.directory.keep();
        const figures: Record<string, number> = { made: made - began, indexed: performance.now() - made };
        const counts: number[] = [];
        for (const url of LISTS) {
            // The first time a script is sent with its text.
            await app.call('GET', url, { token });
            const asked = performance.now();
            counts.push((await commandsOf(url)).length);
            figures[url] = performance.now() - asked;
        }
        // oxlint-disable-next-line no-console -- the figures are what this is run for by hand
        if (isMany) console.log(size, figures);
        return counts;
    };

    it('take as many commands for a page however many tenants there are', { timeout: 600_000 }, async () => {
        const few = await countsAfter(SIZES.few);
        const many = await countsAfter(SIZES.many);
        const { body } = await app.call('GET', '/api/admin/users?limit=1', { token });
        expect(body.pagination.totalCount).to.equal((SIZES.few + SIZES.many) * SIZES.users);
        expect(many).to.equal(few);
        expect(Math.max(...many)).to.be.below(60);
    });
});
