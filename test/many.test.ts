import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from './helpers/app.ts';
import { countCommands } from './helpers/count-commands.ts';
import { addFigures, addManyTenants, isMany, type ManyTenants } from './helpers/many-tenants.ts';
import { startRedis, type TestRedis } from './helpers/redis.ts';
import { readReport, rollUp } from './helpers/reports.ts';
import { platformToken } from './helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

/** A few and many; with MANY=1 as many as there should be room for. */
const SIZES = isMany
    ? { few: 20, many: 1_980, users: 50, days: 31, bulks: 200 }
    : { few: 20, many: 100, users: 3, days: 3, bulks: 8 };
/** Scripts that let others wait for longer are named at full size. */
const SLOW_US = 10_000;
const LISTS = [
    'tenants?limit=10',
    'tenants?limit=10&order=asc',
    'tenants?limit=10&q=tenant',
    'tenants?limit=3&plan=free&status=active',
    'tenants?limit=3&q=tenant&plan=premium',
    'users?limit=10',
    'users?limit=10&q=user',
    'users?limit=2&q=user1',
    'bulk?limit=2',
    'jobs?state=waiting&limit=2',
];
const ANSWERS = [
    'dashboard',
    'reports/revenue',
    'reports/revenue?unit=month',
    'reports/revenue?format=csv',
    'reports/usage',
    'reports/backups',
    'reports/errors',
    'rate-limits/violations',
    'breakers',
    'config',
];

describe('what platform admins are shown of all tenants', () => {
    let redis: TestRedis;
    let app: TestApp;
    let token: string;

    before(async () => {
        redis = await startRedis(
            isMany ? ['--slowlog-log-slower-than', String(SLOW_US), '--slowlog-max-len', '500'] : [],
        );
        app = await startApp({ redisPath: redis.path });
        token = await platformToken(app);
    });

    after(async () => {
        await app.stop();
        await redis.stop();
    });

    const get = async (path: string) => {
        const { status, body, text } = await app.call('GET', `/api/admin/${path}`, { token });
        expect(status, `${path}: ${text}`).to.equal(200);
        return body;
    };

    /** The commands of a page, and of the one after it. */
    const commandsOf = async (path: string): Promise<string[]> => {
        if (ANSWERS.includes(path)) return countCommands(app.redis, () => get(path));
        let cursor = '';
        const first = await countCommands(app.redis, async () => {
            ({ cursor } = (await get(path)).pagination);
        });
        expect(cursor, path).to.be.a.string();
        return [...first, ...(await countCommands(app.redis, () => get(`${path}&cursor=${cursor}`)))];
    };

    /** Bulk changes that nobody does yet: their jobs wait. */
    const addBulks = async ({ tenantIds: [tenantId] }: ManyTenants) => {
        for (let n = 0; n < SIZES.bulks; n++) {
            const payload = { action: 'activate', users: [{ tenantId, userId: `user_${'0'.repeat(26)}` }] };
            const { status, text } = await app.call('POST', '/api/admin/users/bulk', { token, payload });
            expect(status, text).to.equal(202);
        }
    };

    /** How long something takes, and what Redis did meanwhile that let others wait. */
    const timed = async (what: string, work: () => Promise<unknown>): Promise<void> => {
        await app.redis.slowlog('RESET');
        const began = performance.now();
        await work();
        if (!isMany) return;
        const slow = (await app.redis.slowlog('GET', 500)) as [number, number, number, string[]][];
        const longest = Math.max(0, ...slow.map(([, , micros]) => micros)) / 1_000;
        const took = Math.round(performance.now() - began);
        const first = slow
            .toSorted((a, b) => b[2] - a[2])
            .slice(0, 2)
            .map(([, , micros, args]) => `${micros} µs ${args.slice(0, 4).join(' ').slice(0, 160)}`);
        // oxlint-disable-next-line no-console -- the figures are what this is run for by hand
        console.log(`${what}: ${took} ms, ${slow.length} slow commands, ${longest} ms the longest`, first);
    };

    /** Makes so many more, and gives the commands that each answer takes then. */
    const commandsAfter = async (size: number): Promise<Record<string, string[]>> => {
        const { reports, directory } = app.server.plugins;
        let made: ManyTenants = { tenantIds: [], run: '' };
        await timed(`${size} made`, async () => (made = await addManyTenants(app, size, SIZES.users)));
        await addFigures(app, made.tenantIds, SIZES.days);
        await addBulks(made);
        await timed('first round of the directory', () => directory.keep());
        await timed('idle round of the directory', () => directory.keep());
        await timed('first roll-up', () => rollUp(app));
        await timed('second roll-up', () => rollUp(app));
        await timed('roll-up of nothing', () => reports.rollUp());
        await timed('step of the sweep', () => reports.sweep());
        const found: Record<string, string[]> = {};
        for (const path of [...LISTS, ...ANSWERS]) {
            // The first time a script is sent with its text.
            await get(path);
            await timed(path, async () => (found[path] = await commandsOf(path)));
        }
        return found;
    };

    it('takes as many commands however many there are', { timeout: 600_000 }, async () => {
        const few = await commandsAfter(SIZES.few);
        const many = await commandsAfter(SIZES.many);
        expect(many).to.equal(few);
        const most = Math.max(...Object.values(many).map(({ length }) => length));
        expect(most).to.be.below(60);
        const { users, tenants, revenueMicros } = await readReport(app, token, 'dashboard');
        const size = SIZES.few + SIZES.many;
        expect([tenants.total, users.total]).to.equal([size, size * SIZES.users]);
        expect(revenueMicros.today).to.equal(size * 1_000);
        expect((await get('users?limit=1')).pagination.totalCount).to.equal(size * SIZES.users);
    });

    it('ends a search within bounded steps', { timeout: 600_000 }, async () => {
        const ids = new Set<string>();
        let cursor = '';
        await timed('a search from end to end', async () => {
            do {
                const { data, pagination } = await get(`users?limit=100&q=user${cursor && `&cursor=${cursor}`}`);
                for (const { id } of data.users) ids.add(id);
                cursor = pagination.cursor ?? '';
            } while (cursor !== '');
        });
        expect(ids.size).to.equal((SIZES.few + SIZES.many) * SIZES.users);
    });

    it('stands in keys of bounded size', { skip: !isMany, timeout: 600_000 }, async () => {
        const sizes: Record<string, number> = {};
        const prefix = 'tenant:{platform}:';
        for await (const keys of app.redis.scanStream({ match: `${prefix}*`, count: 1_000 })) {
            for (const key of keys as string[]) {
                const bytes = Number(await app.redis.call('MEMORY', 'USAGE', key, 'SAMPLES', '50'));
                const name = key.slice(prefix.length).replaceAll(/tenant_\w+|bulk_\w+|\d{6,}/g, '*');
                sizes[name] = (sizes[name] ?? 0) + bytes;
            }
        }
        const top = Object.entries(sizes).toSorted(([, a], [, b]) => b - a);
        const info = /used_memory_human:(\S+)/.exec(await app.redis.info('memory'))?.[1];
        // oxlint-disable-next-line no-console -- the figures are what this is run for by hand
        console.log(
            info,
            top.slice(0, 25),
            top.reduce((all, [, bytes]) => all + bytes, 0),
        );
    });
});
