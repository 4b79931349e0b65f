import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { FigureStore } from '../../../plugins/reports/figure-store.ts';
import { TenantStore } from '../../../plugins/reports/tenant-store.ts';
import { newId } from '../../../src/ids.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { charge } from '../../helpers/billing.ts';
import { setCredit } from '../../helpers/credit.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { ledgerSum, readReport, rollUp, sumsOf } from '../../helpers/reports.ts';
import { newTenant, platformToken, type TestTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

const DAY_MS = 86_400_000;
const DUE = tenantKey('platform', 'report-tenants');

describe('the roll-up of what tenants have come to', () => {
    let redis: TestRedis;
    let app: TestApp;
    let token: string;

    beforeEach(async () => {
        redis = await startRedis();
        app = await startApp({ redisPath: redis.path, config: { ACCESS_TOKEN_TTL: (500 * DAY_MS) / 1_000 } });
        token = await platformToken(app);
    });

    afterEach(async () => {
        await app.stop();
        await redis.stop();
    });

    const newPayer = async (): Promise<TestTenant> => {
        const tenant = await newTenant(app);
        await setCredit(app, tenant.tenantId, 10_000_000n);
        return tenant;
    };
    const revenue = (query = '') => readReport(app, token, `reports/revenue${query}`);
    const stores = () => ({
        tenants: new TenantStore(app.store, (id) => app.server.plugins.tenants.key(id)),
        figures: new FigureStore(app.store),
    });
    const purge = async ({ tenantId }: TestTenant) => {
        await app.call('DELETE', `/api/admin/tenants/${tenantId}`, { token });
        await app.advance(31 * DAY_MS);
        await app.server.plugins.tenants.purge(tenantId);
    };

    it('comes to the sum of all ledgers, whoever charges and rolls up at the same time', async () => {
        const other = await startApp({ redisPath: redis.path });
        const tenants = await Promise.all(Array.from({ length: 5 }, newPayer));
        const charging = tenants.map(async (tenant, n) => {
            for (let times = 0; times < 10; times++) await charge(app, tenant, BigInt(1_000 + n));
        });
        const rolling = [app, other].map(async (one) => {
            for (let times = 0; times < 8; times++) await rollUp(one);
        });
        await Promise.all([...charging, ...rolling]);
        await Promise.all([rollUp(app), rollUp(other)]);
        await other.stop();
        const sums = await Promise.all(tenants.map(({ tenantId }) => ledgerSum(app, tenantId)));
        const { totalMicros, periods, tenants: named, asOf } = await revenue();
        expect(totalMicros).to.equal(sums.reduce((all, sum) => all + sum, 0));
        expect(totalMicros).to.equal(10 * (5_000 + 10));
        expect(periods.at(-1)).to.include({ revenueMicros: totalMicros, refundedMicros: 0 });
        expect(periods.at(-1).byType).to.equal({ model_usage: totalMicros });
        expect(named.map(({ revenueMicros }: { revenueMicros: number }) => revenueMicros)).to.equal(
            sums.toSorted((a, b) => b - a),
        );
        expect(Date.parse(asOf)).to.be.within(Date.now() - 60_000, Date.now());
    });

    it('counts nothing twice and loses nothing when it is killed between its steps', async () => {
        const ada = await newPayer();
        const { tenants, figures } = stores();
        await charge(app, ada, 5_000n);
        // Killed after it has read.
        expect(await tenants.read(ada.tenantId)).to.include({ since: -1 });
        const read = await tenants.read(ada.tenantId);
        if (!read) throw new Error('No tenant');
        // Killed after it has told, and before it is noted: told again, as often as it likes.
        for (let times = 0; times < 3; times++) await figures.set([read]);
        expect((await revenue()).totalMicros).to.equal(5_000);
        await charge(app, ada, 700n);
        await rollUp(app);
        expect((await revenue()).totalMicros).to.equal(5_700);
        // From now on today is read and no day before.
        const next = await tenants.read(ada.tenantId);
        expect(next?.since).to.equal(next?.today);
        await rollUp(app);
        expect((await revenue('?unit=month')).totalMicros).to.equal(5_700);
    });

    it('knows an older read that comes late', async () => {
        const ada = await newPayer();
        const { tenants, figures } = stores();
        await charge(app, ada, 5_000n);
        const early = await tenants.read(ada.tenantId);
        await charge(app, ada, 700n);
        await rollUp(app);
        if (early) await figures.set([early]);
        expect((await revenue()).totalMicros).to.equal(5_700);
    });

    it('finds what was charged while nobody rolled up for days, over the turn of a month', async () => {
        const now = Date.now();
        const date = new Date(now);
        const turn = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
        await app.advance(turn - 3_600_000 - now);
        const ada = await newPayer();
        await rollUp(app);
        await charge(app, ada, 1_000n);
        await app.advance(2 * 3_600_000);
        await charge(app, ada, 20n);
        await app.advance(3 * DAY_MS);
        await charge(app, ada, 3n);
        await rollUp(app);
        const { periods } = await revenue('?count=5');
        const amounts = (found: { revenueMicros: number }[]) => found.map(({ revenueMicros }) => revenueMicros);
        expect(amounts(periods)).to.equal([1_000, 20, 0, 0, 3]);
        expect(amounts((await revenue('?unit=month&count=2')).periods)).to.equal([1_000, 23]);
        expect((await readReport(app, token, 'dashboard')).revenueMicros).to.equal({
            today: 3,
            month: 23,
            lastMonth: 1_000,
        });
    });

    it('finds by and by what nobody has noted', async () => {
        const ada = await newPayer();
        await charge(app, ada, 5_000n);
        await app.redis.del(DUE);
        await rollUp(app);
        expect((await revenue()).totalMicros).to.equal(0);
        await app.server.plugins.reports.sweep();
        expect((await revenue()).totalMicros).to.equal(5_000);
        // From the first again.
        await charge(app, ada, 1n);
        await app.server.plugins.reports.sweep();
        expect((await revenue()).totalMicros).to.equal(5_001);
    });

    it('does not tell of a time up to which it has come while it cannot write', async () => {
        const ada = await newPayer();
        await charge(app, ada, 5_000n);
        const names = tenantKey('platform', 'reports', 'names');
        await app.redis.set(names, 'no hash');
        await rollUp(app);
        expect((await readReport(app, token, 'dashboard')).asOf).to.be.null();
        expect(app.logs.some(({ msg }) => msg === 'Sums of tenants could not be rolled up')).to.be.true();
        await app.redis.del(names);
        await rollUp(app);
        expect((await readReport(app, token, 'dashboard')).asOf).to.be.a.string();
        expect((await revenue()).totalMicros).to.equal(5_000);
    });

    it('goes on with a tenant while something runs there, and leaves one that is at rest', async () => {
        const [busy, quiet] = [await newPayer(), await newPayer()];
        await app.redis.zadd(tenantKey(busy.tenantId, 'vms', 'running'), 1, 'vm');
        await app.advance(200_000);
        await app.server.plugins.reports.rollUp();
        expect(await app.redis.zscore(DUE, busy.tenantId)).to.not.be.null();
        expect(await app.redis.zscore(DUE, quiet.tenantId)).to.be.null();
        // A request has it looked at again.
        await quiet.call('GET', '/api/auth/me');
        await app.server.plugins.reports.flush();
        expect(await app.redis.zscore(DUE, quiet.tenantId)).to.not.be.null();
    });

    it('looks at another tenant that a request names only when the platform asks', async () => {
        const ada = await newPayer();
        const tenantId = newId('tenant');
        const name = async (who: string) => {
            await app.call('POST', '/api/threads', { token: who, payload: { tenantId } });
            await app.server.plugins.reports.flush();
            return app.redis.zscore(DUE, tenantId);
        };
        expect(await name(ada.accessToken)).to.be.null();
        expect(await name(token)).to.not.be.null();
    });

    it('takes a purged tenant out of what there is, and leaves what it has paid', async () => {
        const [ada, bob] = [await newPayer(), await newPayer()];
        await charge(app, ada, 5_000n);
        await charge(app, bob, 300n);
        await rollUp(app);
        const before = await stores().tenants.read(ada.tenantId);
        await app.call('POST', `/api/admin/tenants/${bob.tenantId}/suspend`, { token, payload: { reason: 'Overdue' } });
        await app.call('DELETE', `/api/admin/tenants/${ada.tenantId}`, { token });
        await rollUp(app);
        const counts = async () => (await readReport(app, token, 'dashboard')).tenants;
        expect(await counts()).to.equal({ total: 2, active: 0, suspended: 1, deleted: 1 });

        // Charged after the last roll-up.
        await charge(app, ada, 40n);
        await purge(ada);
        expect(await counts()).to.equal({ total: 1, active: 0, suspended: 1, deleted: 0 });
        // Who has read it before comes too late, and nobody finds it any more.
        if (before) await stores().figures.set([{ ...before, read: 1_000_000 }]);
        await app.server.plugins.reports.sweep();
        await rollUp(app);
        const { tenants, users } = await readReport(app, token, 'dashboard');
        expect([tenants.total, users.total]).to.equal([1, 1]);
        const { totalMicros, tenants: named } = await revenue('?count=40');
        expect(totalMicros).to.equal(5_340);
        expect(named[0]).to.equal({ tenantId: ada.tenantId, tenantName: null, revenueMicros: 5_040 });
        expect(await app.redis.hexists(tenantKey('platform', 'reports', 'now', 'of'), ada.tenantId)).to.equal(0);
        await app.advance(200_000);
        await rollUp(app);
        expect(await app.redis.zscore(DUE, ada.tenantId)).to.be.null();
    });

    it('does not begin anew when a purge is done again whose process has died', async () => {
        const ada = await newPayer();
        await charge(app, ada, 5_000n);
        const record = await app.redis.hgetall(app.server.plugins.tenants.key(ada.tenantId));
        await purge(ada);
        // As if the record had not gone yet, though the ledger has.
        const deleted = { ...record, status: 'deleted', deletedAt: String(Date.now()) };
        await app.redis.hset(app.server.plugins.tenants.key(ada.tenantId), deleted);
        await app.server.plugins.tenants.purge(ada.tenantId);
        await app.redis.zadd(tenantKey('platform', 'tenants'), 1, ada.tenantId);
        await app.server.plugins.reports.sweep();
        expect((await revenue('?count=40')).totalMicros).to.equal(5_000);
        expect((await readReport(app, token, 'dashboard')).tenants.total).to.equal(0);
    });

    it('has nothing to tell of an empty platform', async () => {
        const { totalMicros, periods, tenants, asOf } = await revenue();
        expect([totalMicros, periods.length, tenants, asOf]).to.equal([0, 30, [], null]);
        await rollUp(app);
        await app.server.plugins.reports.sweep();
        expect((await revenue()).totalMicros).to.equal(0);
        expect(await sumsOf(app, 'now')).to.equal({});
        expect((await revenue()).asOf).to.be.a.string();
    });
});
