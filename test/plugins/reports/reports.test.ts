import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { charge, newCashier } from '../../helpers/billing.ts';
import { setCredit } from '../../helpers/credit.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { readReport, rollUp } from '../../helpers/reports.ts';
import { newTenant, platformToken, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const PATHS = [
    'dashboard',
    'reports/revenue',
    'reports/usage',
    'reports/backups',
    'reports/errors',
    'rate-limits/violations',
].map((path) => `/api/admin/${path}`);
const DAY_MS = 86_400_000;
const TODAY = () => new Date().toISOString().slice(0, 10);

describe('the reports of the platform', () => {
    let redis: TestRedis;
    let app: TestApp;
    let ada: TestTenant;
    let token: string;
    const get = (path: string, query = '') => app.call('GET', `/api/admin/${path}${query}`, { token });

    before(async () => {
        redis = await startRedis();
        app = await startApp({ redisPath: redis.path });
        token = await platformToken(app);
        ada = await newTenant(app);
        await setCredit(app, ada.tenantId, 10_000_000n);
    });

    after(async () => {
        await app.stop();
        await redis.stop();
    });

    it('tell of revenue by type, refunds beside it, as JSON and as CSV', async () => {
        const recordId = await charge(app, ada, 50_000n);
        await charge(app, ada, 1_200n, { type: 'vm_running', vmId: 'vm_1' });
        await (await newCashier(app, token)).refund({ tenantId: ada.tenantId, recordId, amountMicros: 20_000 });
        await rollUp(app);
        const report = await readReport(app, token, 'reports/revenue?count=2');
        expect(report).to.include({ unit: 'day', to: TODAY(), totalMicros: 51_200 });
        expect(report.periods[1]).to.equal({
            period: TODAY(),
            revenueMicros: 51_200,
            refundedMicros: 20_000,
            byType: { model_usage: 50_000, vm_running: 1_200 },
        });
        expect(report.tenants).to.equal([{ tenantId: ada.tenantId, tenantName: 'Test', revenueMicros: 51_200 }]);

        const { text, headers } = await get('reports/revenue', '?count=1&format=csv');
        expect(text.split('\r\n')).to.equal([
            'period,revenueMicros,revenue,refundedMicros,model_usageMicros,vm_runningMicros',
            `${TODAY()},51200,0.051200,20000,50000,1200`,
            '',
        ]);
        expect(headers['content-type']).to.equal('text/csv; charset=utf-8');
        expect(headers['content-disposition']).to.equal(`attachment; filename="revenue-${TODAY()}-${TODAY()}.csv"`);
    });

    it('tell of calls and tokens by model and tenant, of paid models and others', async () => {
        const thread = await newThread(ada, 'A thread');
        for (let n = 0; n < 3; n++) await ada.call('POST', messagesPath(thread), { payload: { content: 'Hello' } });
        const relayed = `tun_${'0'.repeat(26)}/llama3:8b:calls`;
        const date = TODAY().replaceAll('-', '');
        await app.redis.hset(tenantKey(ada.tenantId, 'usage', date), relayed, 2);
        await rollUp(app);
        const { periods, models, tenants } = await readReport(app, token, 'reports/usage?count=1');
        const [{ modelCalls, tokens, requests }] = periods;
        expect([modelCalls, models.length]).to.equal([5, 2]);
        expect(models[0]).to.equal({ modelId: 'sandbox', calls: 3, tokens });
        expect(models[1]).to.equal({ modelId: 'relayed', calls: 2, tokens: 0 });
        expect(Number(tokens)).to.be.above(5);
        expect(Number(requests)).to.be.above(5);
        expect(tenants).to.equal([{ tenantId: ada.tenantId, tenantName: 'Test', modelCalls: 5, tokens }]);
        const { usage } = await readReport(app, token, 'dashboard');
        expect(usage).to.include({ modelCallsToday: 5, tokensToday: tokens });
        const { text } = await get('reports/usage', '?count=1&format=csv');
        expect(text).to.startWith('period,requests,errors,modelCalls,tokens\r\n').and.to.include(`,5,${tokens}\r\n`);
    });

    it('tell of backups, those that failed for a day', async () => {
        const { operator } = app.server.plugins.backups;
        // Nothing can be stored where a file is in the folder's place.
        const folder = join(app.config.BACKUP_DIR, ada.tenantId);
        mkdirSync(app.config.BACKUP_DIR, { recursive: true });
        writeFileSync(folder, 'in the way');
        expect((await operator.backup(ada.tenantId, 'full')).state).to.equal('failed');
        rmSync(folder);
        const { id, bytes } = await operator.backup(ada.tenantId, 'full');
        await rollUp(app);
        const { periods, byTenant, ...report } = await readReport(app, token, 'reports/backups?count=1');
        expect(report).to.include({ count: 1, bytes });
        expect(periods).to.equal([{ period: TODAY(), completed: 1, failed: 1 }]);
        expect(byTenant).to.equal([{ tenantId: ada.tenantId, tenantName: 'Test', count: 1, bytes }]);
        expect((await ada.call('DELETE', `/api/backups/${id}`)).status).to.equal(200);

        const failed = tenantKey(ada.tenantId, 'backups', 'stats', 'failed');
        expect(await app.redis.pttl(failed)).to.be.above(DAY_MS);
        await app.redis.zadd(failed, Date.now() - DAY_MS - 1_000, 'before');
        await rollUp(app);
        const { backups } = await readReport(app, token, 'dashboard');
        expect(backups).to.equal({ count: 0, bytes: 0, failed24h: 1 });
        expect((await readReport(app, token, 'reports/backups')).byTenant).to.equal([]);
    });

    it('name those with the most of many tenants', async () => {
        const { reports, tenants: service } = app.server.plugins;
        const record = await app.redis.hgetall(service.key(ada.tenantId));
        const date = TODAY().replaceAll('-', '');
        for (let n = 1; n <= 200; n++) {
            const id = `tenant_${String(n).padStart(26, '0')}`;
            await app.redis.hset(service.key(id), { ...record, id });
            await app.redis.zadd(tenantKey('platform', 'tenants'), n, id);
            await app.redis.hset(`${tenantKey(id, 'credits')}:day:${date}`, 'tenant', n);
            await app.redis.hset(tenantKey(id, 'usage', date), 'sandbox:calls', n);
        }
        await reports.rollUp();
        await reports.sweep();
        const { tenants, totalMicros } = await readReport(app, token, 'reports/revenue');
        expect(totalMicros).to.equal(51_200 + (200 * 201) / 2);
        expect(tenants.map(({ revenueMicros }: { revenueMicros: number }) => revenueMicros)).to.equal([
            51_200,
            ...Array.from({ length: 19 }, (_, n) => 200 - n),
        ]);
        expect((await readReport(app, token, 'dashboard')).tenants).to.include({ total: 201, active: 201 });
    });

    it('refuse a query that makes no sense', async () => {
        for (const [query, field] of [
            ['revenue?unit=hour', 'unit'],
            ['revenue?count=91', 'count'],
            ['revenue?format=pdf', 'format'],
            ['usage?count=0', 'count'],
            ['backups?format=csv', 'format'],
            ['errors?unit=month', 'unit'],
            ['errors?count=193', 'count'],
        ] as const) {
            expectFaults(await get(`reports/${query}`), [field]);
        }
    });

    it('are for all roles of the platform, and for nobody else', async () => {
        const [support, finance] = [
            await newUser(app, 'platform', 'support'),
            await newUser(app, 'platform', 'finance'),
        ];
        for (const path of PATHS) {
            for (const { call } of [support, finance]) expect((await call('GET', path)).status, path).to.equal(200);
            expectError(await ada.call('GET', path), 'FORBIDDEN');
            expectError(await app.call('GET', path), 'UNAUTHENTICATED');
        }
    });

    it('are told in the audit of the platform', async () => {
        const { length } = await readAudit(app, 'platform');
        for (const path of PATHS) await app.call('GET', path, { token });
        const told = (await readAudit(app, 'platform')).slice(length);
        expect(told.map(({ action, resourceId, result }) => [action, resourceId, result])).to.equal([
            ['dashboard.read', 'platform', 'success'],
            ['report.read', 'revenue', 'success'],
            ['report.read', 'usage', 'success'],
            ['report.read', 'backups', 'success'],
            ['report.read', 'errors', 'success'],
            ['limit.read', 'platform', 'success'],
        ]);
    });
});
