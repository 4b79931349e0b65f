import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { trendOf } from '../../../plugins/billing/summary-service.ts';
import { newKey } from '../../helpers/api-key.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { WITH_WELCOME, charge, newCashier } from '../../helpers/billing.ts';
import { countCommands } from '../../helpers/count-commands.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { startAt } from '../../helpers/moved-clock.ts';
import { startRedis } from '../../helpers/redis.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const SUMMARY = '/api/billing/usage-summary';
const ANALYSIS = '/api/billing/cost-analysis';

describe(`GET ${SUMMARY}`, () => {
    let app: TestApp;
    let to: (day: string) => Promise<void>;
    let ada: TestTenant;

    before(async () => {
        ({ app, to } = await startAt('2030-03-20T12:10:00Z'));
    });

    beforeEach(async () => {
        await to('2030-03-20T12:10:00Z');
        ada = await newTenant(app);
    });

    after(() => app.stop());

    const read = async (query = '') => {
        const { body, text } = await ada.call('GET', SUMMARY + query);
        if (!body?.data) throw new Error(text);
        return body.data.summary;
    };
    const spentBy = (list: { id: string; spentMicros: number }[]) =>
        list.map(({ id, spentMicros }) => [id, spentMicros]);

    it('adds up what was charged, by model, VM, user, key and type', async () => {
        const bob = await newUser(app, ada.tenantId, 'user');
        const key = await newKey(ada);
        const vmId = 'vm_01K9ZQ4V7N8M3T5R2W6X1Y0ABC';
        await charge(app, ada, 1_000n, { modelId: 'cheap' });
        await charge(app, { ...ada, keyId: key.id }, 2_000n, { modelId: 'gemma:2b' });
        await charge(app, { tenantId: ada.tenantId, userId: bob.userId }, 4_000n, { modelId: 'gemma:2b' });
        await charge(app, ada, 8_000n, { vmId, type: 'vm_running' });
        const recordId = await charge(app, ada, 16_000n, { modelId: 'cheap' });
        await (await newCashier(app)).refund({ tenantId: ada.tenantId, recordId });
        const summary = await read();
        expect(summary).to.include({ period: '30d', unit: 'day', spentMicros: 31_000, spent: '0.031000' });
        expect(spentBy(summary.models)).to.equal([
            ['cheap', 17_000],
            ['gemma:2b', 6_000],
        ]);
        expect(summary.models[1]).to.include({ calls: 2, inputTokens: 20, outputTokens: 0, spent: '0.006000' });
        expect(spentBy(summary.vms)).to.equal([[vmId, 8_000]]);
        expect(spentBy(summary.users)).to.equal([
            [ada.userId, 27_000],
            [bob.userId, 4_000],
        ]);
        expect(spentBy(summary.keys)).to.equal([[key.id, 2_000]]);
        expect(summary.tunnels).to.equal([]);
        const types = summary.types.map(({ type, amountMicros }: Record<string, unknown>) => [type, amountMicros]);
        expect(types).to.equal([
            ['vm_running', -8_000],
            ['model_usage', -23_000],
            ['credit_add', 5_000_000],
            ['refund', 16_000],
        ]);
    });

    it('is by hour for a day, and by day for more', async () => {
        await charge(app, ada, 1n);
        await to('2030-03-20T13:10:00Z');
        await charge(app, ada, 2n);
        const day = await read('?period=1d');
        expect([day.unit, day.spentMicros, day.series.length]).to.equal(['hour', 3, 24]);
        expect(day.series.slice(-2)).to.equal([
            { from: '2030-03-20T12:00:00.000Z', spentMicros: 1, spent: '0.000001' },
            { from: '2030-03-20T13:00:00.000Z', spentMicros: 2, spent: '0.000002' },
        ]);
        await to('2030-03-21T12:59:00Z');
        expect((await read('?period=1d')).spentMicros).to.equal(2);
        const week = await read('?period=7d');
        expect([week.unit, week.spentMicros, week.series.length]).to.equal(['day', 3, 7]);
        expect(
            week.series.slice(-2).map(({ from, spentMicros }: Record<string, unknown>) => [from, spentMicros]),
        ).to.equal([
            ['2030-03-20', 3],
            ['2030-03-21', 0],
        ]);
    });

    it('has the days of a period, neither one more nor one less', async () => {
        // A charge a day, of another amount each.
        const days = ['2029-12-20', '2029-12-21', '2030-01-31', '2030-02-01', '2030-03-13', '2030-03-14', '2030-03-20'];
        const at = async (day: string, amount: bigint) => {
            await to(`${day}T12:00:00Z`);
            await charge(app, ada, amount);
        };
        await to('2029-12-19T00:00:00Z');
        const early = await newTenant(app);
        ada = early;
        for (const [n, day] of days.entries()) await at(day, 10n ** BigInt(n));
        const totals: Record<string, unknown> = {};
        for (const period of ['7d', '30d', '90d', '365d']) {
            const { spentMicros, series, models } = await read(`?period=${period}`);
            const sum = series.reduce((all: number, one: { spentMicros: number }) => all + one.spentMicros, 0);
            expect([sum, models[0].spentMicros], period).to.equal([spentMicros, spentMicros]);
            totals[period] = spentMicros;
        }
        expect(totals).to.equal({ '7d': 1_100_000, '30d': 1_110_000, '90d': 1_111_110, '365d': 1_111_111 });
    });

    it('is empty where nothing was charged', async () => {
        const summary = await read('?period=365d');
        expect([summary.spentMicros, summary.models, summary.series.length]).to.equal([0, [], 365]);
    });

    it('refuses other periods', async () => {
        for (const query of ['?period=2d', '?period=', '?days=3']) {
            const fields = query.startsWith('?days') ? ['days'] : ['period'];
            expectFaults(await ada.call('GET', SUMMARY + query), fields);
        }
    });

    it('is for admins of the tenant, and shows nothing of another', async () => {
        await charge(app, ada, 1n);
        const bob = await newUser(app, ada.tenantId, 'user');
        for (const route of [SUMMARY, ANALYSIS]) {
            expectError(await bob.call('GET', route), 'FORBIDDEN');
            expectError(await app.call('GET', route), 'UNAUTHENTICATED');
            const eve = await newTenant(app);
            expect((await eve.call('GET', route)).text).to.not.contain(ada.userId);
        }
    });
});

describe(`GET ${ANALYSIS}`, () => {
    let app: TestApp;
    let to: (day: string) => Promise<void>;
    let ada: TestTenant;

    before(async () => {
        ({ app, to } = await startAt('2030-02-01T12:00:00Z'));
        ada = await newTenant(app);
        const day = async (name: string, amount: bigint, modelId = 'usual') => {
            await to(`${name}T12:00:00Z`);
            await charge(app, ada, amount, { modelId });
        };
        await day('2030-02-10', 3_000n);
        await day('2030-03-07', 1_000n, 'old');
        for (const name of ['13', '16', '19']) await day(`2030-03-${name}`, 1_000n);
        await day('2030-03-20', 5_000n, 'new');
        for (let n = 0; n < 6; n++) await charge(app, ada, BigInt(n + 1), { modelId: `small-${n}` });
    });

    after(() => app.stop());

    it('tells months, trends, the projection and what costs most', async () => {
        const { body } = await ada.call('GET', ANALYSIS);
        const { thisMonth, lastMonth, projection, trends, ...top } = body.data.analysis;
        // 1,000 + 3,000 + 5,000 + 1 + … + 6.
        expect(thisMonth).to.equal({ month: '2030-03', spentMicros: 9_021, spent: '0.009021' });
        expect(lastMonth).to.equal({ month: '2030-02', spentMicros: 3_000, spent: '0.003000' });
        // 13 to 19 March cost 3,000; 11 days are left after the 20th: 4,714 of 33,000 / 7.
        expect(projection).to.include({ daysLeft: 11, perDayMicros: 428, spentMicros: 9_021 + 4_714 });
        expect(projection.method).to.contain('7 whole days');
        expect(trends.sevenDays).to.include({
            spentMicros: 3_000,
            beforeMicros: 1_000,
            changePercent: 200,
            trend: 'up',
        });
        // 18 February to 19 March against the 30 days before.
        expect(trends.thirtyDays).to.include({
            spentMicros: 4_000,
            beforeMicros: 3_000,
            changePercent: 33,
            trend: 'up',
        });
        const models = top.topModels.map(({ id, spentMicros }: Record<string, unknown>) => [id, spentMicros]);
        expect(models).to.equal([
            ['new', 5_000],
            ['usual', 3_000],
            ['old', 1_000],
            ['small-5', 6],
            ['small-4', 5],
        ]);
        expect(top.topUsers).to.have.length(1);
        expect(top.topUsers[0]).to.include({ id: ada.userId, spentMicros: 9_021 });
        expect([top.topVms, top.topKeys]).to.equal([[], []]);
    });

    it('is whole for a tenant that was charged nothing', async () => {
        const eve = await newTenant(app);
        const { body } = await eve.call('GET', ANALYSIS);
        const { projection, trends, topModels } = body.data.analysis;
        expect([projection.spentMicros, topModels]).to.equal([0, []]);
        expect(trends.sevenDays).to.include({ spentMicros: 0, changePercent: null, trend: 'stable' });
    });

    for (const [now, earlier, trend, changePercent] of [
        [110n, 100n, 'stable', 10],
        [111n, 100n, 'up', 11],
        [90n, 100n, 'stable', -10],
        [89n, 100n, 'down', -11],
        [1n, 0n, 'up', null],
        [0n, 1n, 'down', -100],
        [0n, 0n, 'stable', null],
    ] as const) {
        it(`calls ${now} after ${earlier} ${trend}`, () => {
            expect(trendOf([earlier, now], 1)).to.include({ trend, changePercent });
        });
    }
});

describe('The reports of spending', () => {
    it('are one round trip after the admission', async () => {
        const redis = await startRedis();
        const app = await startApp({ ...WITH_WELCOME, redisPath: redis.path });
        const ada = await newTenant(app);
        for (const route of [`${SUMMARY}?period=365d`, ANALYSIS, '/api/billing/history', '/api/billing/credits']) {
            await ada.call('GET', route);
            const commands = await countCommands(app.redis, () => ada.call('GET', route));
            expect(commands, route).to.equal(['evalsha', 'evalsha']);
        }
        await app.stop();
        await redis.stop();
    });
});
