import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { BackupStore, type NewBackup, type Turn } from '../../../plugins/backups/backup-store.ts';
import { Vault } from '../../../src/security/vault.ts';
import { startReplicas, type TestApp } from '../../helpers/app.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';

import type { BackupSchedule } from '../../../plugins/backups/api.ts';

export const lab = Lab.script();
const { describe, it, before, after, beforeEach } = lab;

const DAY_MS = 86_400_000;

describe('BackupStore.begin', () => {
    let apps: [TestApp, TestApp];
    let stores: [BackupStore, BackupStore];
    let tenant: TestTenant;

    before(async () => {
        apps = await startReplicas();
        const open = ({ store, config }: TestApp) => new BackupStore(store, new Vault(config.VAULT_KEYS));
        stores = [open(apps[0]), open(apps[1])];
    });

    after(() => Promise.all(apps.map((app) => app.stop())));

    beforeEach(async () => {
        tenant = await newTenant(apps[0]);
    });

    const draft = (number: number): NewBackup => ({
        id: `backup_2026-11-21_02-00-00-${number + 2}`,
        type: 'config',
        components: ['config'],
        description: null,
        trigger: 'schedule',
        scheduleId: null,
        createdBy: 'schedule',
        expiresAt: new Date(Date.now() + DAY_MS).toISOString(),
    });
    const each = (turn: Turn, from = 0) => {
        const [one, other] = stores;
        const begins = Array.from({ length: 8 }, (_, n) => ({
            store: n % 2 === 0 ? one : other,
            backup: draft(from + n),
        }));
        return Promise.all(begins.map(({ store, backup }) => store.begin(tenant.tenantId, backup, turn, {})));
    };

    it('takes a run of a schedule once, however many sweep, and never again', async () => {
        const payload = { name: 'Nightly', cron: '0 2 * * *', type: 'config' };
        const { body } = await tenant.call('POST', '/api/backups/schedule', { payload });
        const { id, nextRunAt } = body.data.schedule as BackupSchedule;
        const expected = Date.parse(String(nextRunAt));
        const turn = { schedule: { id, expected, next: expected + DAY_MS } };
        const begun = await each(turn);
        expect(begun.filter((one) => typeof one === 'object')).to.have.length(1);
        expect(begun.filter((one) => one === 'moved')).to.have.length(7);
        // Also when nothing is in its way any more.
        await apps[0].redis.del(`tenant:{${tenant.tenantId}}:backups:running`);
        expect(new Set(await each(turn, 10))).to.equal(new Set(['moved']));
        const { body: after } = await tenant.call('GET', '/api/backups/list');
        expect(after.data.backups).to.have.length(1);
        const { body: schedules } = await tenant.call('GET', '/api/backups/schedule');
        const moved = schedules.data.schedules.find((schedule: BackupSchedule) => schedule.id === id);
        expect(Date.parse(moved.nextRunAt)).to.equal(expected + DAY_MS);
    });

    it('begins one of many, and none while a restore runs', async () => {
        const begun = await each({});
        expect(begun.filter((one) => typeof one === 'object')).to.have.length(1);
        expect(begun.filter((one) => one === 'running')).to.have.length(7);
        const [running, restoring] = ['running', 'restoring'].map(
            (name) => `tenant:{${tenant.tenantId}}:backups:${name}`,
        );
        await apps[0].redis.multi().del(String(running)).hset(String(restoring), 'id', 'restore_1').exec();
        expect(new Set(await each({}, 10))).to.equal(new Set(['restoring']));
    });

    it('refuses an id that is taken', async () => {
        await stores[0].begin(tenant.tenantId, draft(0), {}, {});
        await apps[0].redis.del(`tenant:{${tenant.tenantId}}:backups:running`);
        expect(await stores[1].begin(tenant.tenantId, draft(0), {}, {})).to.equal('taken');
    });
});
