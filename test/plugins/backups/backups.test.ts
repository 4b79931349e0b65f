import { createHash } from 'node:crypto';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { newKey } from '../../helpers/api-key.ts';
import { readAudit } from '../../helpers/audit.ts';
import { backupEvents, begunBackup, newBackup, NOBODYS_BACKUP, readBackup } from '../../helpers/backups.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newThread } from '../../helpers/thread.ts';
import { newUser } from '../../helpers/user.ts';
import { startWithWorker, type AppWithWorker } from '../../helpers/with-worker.ts';

import type { TestApp } from '../../helpers/app.ts';

export const lab = Lab.script();
const { describe, it, before, after, beforeEach } = lab;

const CREATE = '/api/backups/create';
const ID = /^backup_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d(-\d+)?$/;

describe('/api/backups', () => {
    let program: AppWithWorker;
    let app: TestApp;
    let tenant: TestTenant;

    before(async () => {
        program = await startWithWorker();
        app = program.app;
    });

    after(() => program.stop());

    beforeEach(async () => {
        tenant = await newTenant(app);
    });

    const verified = async (id: string) => {
        await tenant.call('POST', `/api/backups/${id}/verify`);
        await program.jobs.settled();
        return readBackup(tenant, id);
    };

    describe('POST /api/backups/create', () => {
        it('begins a backup that a worker makes', async () => {
            await newThread(tenant);
            const payload = { type: 'full', description: 'Before the clean-up' };
            const answer = await tenant.call('POST', CREATE, { payload });
            expect(answer.status).to.equal(202);
            const { backup } = answer.body.data;
            expect(backup.id).to.match(ID);
            expect(backup).to.include({
                ...payload,
                state: 'in_progress',
                trigger: 'manual',
                createdBy: tenant.userId,
            });
            expect(backup.components).to.equal(['database', 'config', 'deployment']);
            await program.jobs.settled();
            const made = await readBackup(tenant, backup.id);
            expect(made).to.include({ state: 'completed', error: null, verification: null });
            expect(made.counts).to.include({ thread: 1, user: 1 });
            expect(Number(made.bytes)).to.be.above(0);
            expect(made.durationMs).to.be.a.number();
            const days = (Date.parse(made.expiresAt) - Date.parse(made.createdAt)) / 86_400_000;
            expect(Math.round(days)).to.equal(30);
        });

        it('tells of beginning and end in events and audit', async () => {
            const { id } = await newBackup(app, tenant, 'database');
            const events = await backupEvents(app, tenant.tenantId);
            expect(events.map(({ type }) => type)).to.equal(['backup.started', 'backup.completed']);
            expect(events.every(({ data }) => data['backupId'] === id)).to.be.true();
            const entries = (await readAudit(app, tenant.tenantId)).filter(({ resource }) => resource === 'backup');
            expect(entries.map(({ action, resourceId, result }) => [action, resourceId, result])).to.equal([
                ['backup.create', id, 'success'],
                ['backup.complete', id, 'success'],
            ]);
            expect(entries[0]?.['userId']).to.equal(tenant.userId);
        });

        it('lets one of three at once win', async () => {
            const answers = await Promise.all(
                Array.from({ length: 3 }, () => tenant.call('POST', CREATE, { payload: { type: 'config' } })),
            );
            const [won, ...lost] = answers.toSorted((one, other) => one.status - other.status);
            expect(won?.status).to.equal(202);
            for (const answer of lost) expectError(answer, 'BACKUP_IN_PROGRESS');
            await program.jobs.settled();
        });

        it('numbers the backups of one second', async () => {
            const { operator } = app.server.plugins.backups;
            const ids: string[] = [];
            while (new Set(ids.map((id) => id.slice(0, 26))).size === ids.length) {
                ids.push((await operator.backup(tenant.tenantId, 'config')).id);
            }
            const [last = ''] = ids.slice(-1);
            expect(last).to.match(/-2$/);
        });

        it('makes one backup of an Idempotency-Key', async () => {
            const ask = () =>
                tenant.call('POST', CREATE, { payload: { type: 'full' }, headers: { 'idempotency-key': 'one' } });
            const first = await ask();
            await program.jobs.settled();
            expect((await ask()).body.data.backup.id).to.equal(first.body.data.backup.id);
        });

        it('refuses what is no backup', async () => {
            expectFaults(await tenant.call('POST', CREATE, { payload: {} }), ['type']);
            const payload = { type: 'all', description: 'x'.repeat(501), components: ['database'] };
            expectFaults(await tenant.call('POST', CREATE, { payload }), ['type', 'description', 'components']);
        });

        it('asks for a credential and the permission', async () => {
            expectError(await app.call('POST', CREATE, { payload: { type: 'full' } }), 'UNAUTHENTICATED');
            const user = await newUser(app, tenant.tenantId, 'user');
            expectError(await user.call('POST', CREATE, { payload: { type: 'full' } }), 'FORBIDDEN');
            const { secret } = await newKey(tenant, { scopes: ['backup:read'] });
            expectError(await app.call('POST', CREATE, { payload: { type: 'full' }, token: secret }), 'FORBIDDEN');
        });

        it('takes three in a minute', () =>
            app.inNoTime(async () => {
                const statuses: number[] = [];
                for (let n = 0; n < 4; n++) {
                    statuses.push((await tenant.call('POST', CREATE, { payload: { type: 'config' } })).status);
                    await program.jobs.settled();
                }
                expect(statuses).to.equal([202, 202, 202, 429]);
            }));
    });

    describe('GET /api/backups/list', () => {
        it('gives pages and filters', async () => {
            const made = [];
            for (const type of ['full', 'config', 'database'] as const) made.push(await newBackup(app, tenant, type));
            const [full, config, database] = made.map(({ id }) => id);
            const list = async (query: string) => {
                const { body } = await tenant.call('GET', `/api/backups/list${query}`);
                return { ids: body.data.backups.map(({ id }: { id: string }) => id), pagination: body.pagination };
            };
            const { ids, pagination } = await list('');
            expect(ids).to.equal([database, config, full]);
            expect(pagination).to.include({ totalCount: 3, hasMore: false, cursor: null });
            expect((await list('?type=config')).ids).to.equal([config]);
            expect((await list('?state=failed')).ids).to.equal([]);
            expect((await list('?type=full&state=completed')).pagination.totalCount).to.be.undefined();
            const first = await list('?limit=2&order=asc');
            expect(first.ids).to.equal([full, config]);
            const rest = await list(`?limit=2&order=asc&cursor=${first.pagination.cursor}`);
            expect(rest.ids).to.equal([database]);
            const foreign = await tenant.call('GET', `/api/backups/list?type=full&cursor=${first.pagination.cursor}`);
            expectError(foreign, 'INVALID_CURSOR');
            expectFaults(await tenant.call('GET', '/api/backups/list?state=gone'), ['state']);
        });
    });

    describe('one backup', () => {
        it('is another tenant’s secret', async () => {
            const { id } = await newBackup(app, tenant, 'config');
            const other = await newTenant(app);
            for (const path of ['details', 'download', `compare/${id}`]) {
                expectError(await other.call('GET', `/api/backups/${id}/${path}`), 'BACKUP_NOT_FOUND');
            }
            expectError(await other.call('POST', `/api/backups/${id}/verify`), 'BACKUP_NOT_FOUND');
            expectError(await other.call('DELETE', `/api/backups/${id}`), 'BACKUP_NOT_FOUND');
        });

        it('has an id that leads nowhere else', async () => {
            for (const id of ['..%2f..%2fetc', 'backup_2026', `${NOBODYS_BACKUP}%2f..`, `${NOBODYS_BACKUP}-0`]) {
                expectFaults(await tenant.call('GET', `/api/backups/${id}/details`), ['backupId']);
            }
            expectError(await tenant.call('GET', `/api/backups/${NOBODYS_BACKUP}/details`), 'BACKUP_NOT_FOUND');
        });

        it('is verified by reading its archive', async () => {
            const { id } = await newBackup(app, tenant);
            const made = await verified(id);
            expect(made.state).to.equal('verified');
            expect(made.verification).to.include({ result: 'passed', error: null });
            const events = await backupEvents(app, tenant.tenantId);
            expect(events.at(-1)).to.equal({ type: 'backup.verified', data: { backupId: id } });
        });

        it('is downloaded as the sealed archive that was written', async () => {
            await newThread(tenant, 'A secret plan');
            const { id, sha256, bytes } = await newBackup(app, tenant);
            const { statusCode, headers, rawPayload } = await app.server.inject({
                url: `/api/backups/${id}/download`,
                headers: { authorization: `Bearer ${tenant.accessToken}` },
            });
            expect(statusCode).to.equal(200);
            expect(Number(headers['content-length'])).to.equal(Number(bytes));
            expect(headers.etag).to.equal(`"${sha256}"`);
            expect(headers['content-type']).to.equal('application/octet-stream');
            expect(createHash('sha256').update(rawPayload).digest('hex')).to.equal(String(sha256));
            expect(rawPayload.includes('A secret plan')).to.be.false();
        });

        it('is compared with another', async () => {
            const first = await newBackup(app, tenant);
            const same = await newBackup(app, tenant);
            await newThread(tenant);
            const later = await newBackup(app, tenant);
            const compare = async (id: string, query = '') =>
                (await tenant.call('GET', `/api/backups/${first.id}/compare/${id}${query}`)).body.data.comparison;
            expect(await compare(same.id)).to.include({ isIdentical: true, contents: null });
            const { isIdentical, counts, contents } = await compare(later.id, '?contents=true');
            expect(isIdentical).to.be.false();
            expect(counts).to.include({ kind: 'thread', first: 0, second: 1, difference: 1 });
            expect(contents.added).to.equal({ thread: 1 });
        });

        it('is deleted with its archive', async () => {
            const backup = await newBackup(app, tenant);
            const url = `/api/backups/${backup.id}`;
            const stale = await tenant.call('DELETE', url, { headers: { 'if-match': '"99"' } });
            expectError(stale, 'REVISION_MISMATCH');
            expect((await tenant.call('DELETE', url)).body.data.backup).to.equal({ id: backup.id, deleted: true });
            expectError(await tenant.call('DELETE', url), 'BACKUP_NOT_FOUND');
            expectError(await tenant.call('GET', `${url}/details`), 'BACKUP_NOT_FOUND');
            expect((await tenant.call('GET', '/api/backups/list')).body.data.backups).to.equal([]);
            const left = await app.redis.keys(`tenant:{${tenant.tenantId}}:backup:*`);
            expect(left).to.equal([]);
            const events = await backupEvents(app, tenant.tenantId);
            expect(events.at(-1)?.type).to.equal('backup.deleted');
        });

        it('cannot be deleted, downloaded or verified while it is made', async () => {
            const { id } = await newBackup(app, tenant, 'config');
            await app.redis.hset(`tenant:{${tenant.tenantId}}:backup:${id}`, 'state', 'in_progress');
            expectError(await tenant.call('DELETE', `/api/backups/${id}`), 'BACKUP_IN_PROGRESS');
            expectError(await tenant.call('GET', `/api/backups/${id}/download`), 'INVALID_STATE');
            expectError(await tenant.call('POST', `/api/backups/${id}/verify`), 'INVALID_STATE');
        });
    });

    describe('GET /api/backups/stats', () => {
        it('counts what is there and what has been', async () => {
            const stats = async () => (await tenant.call('GET', '/api/backups/stats')).body.data.stats;
            expect(await stats()).to.include({
                total: 0,
                totalBytes: 0,
                oldest: null,
                newest: null,
                successRate: null,
            });
            const first = await newBackup(app, tenant, 'config');
            const second = await newBackup(app, tenant);
            const bytes = (first.bytes ?? 0) + (second.bytes ?? 0);
            const both = await stats();
            expect(both).to.include({ total: 2, totalBytes: bytes, oldest: first.id, newest: second.id });
            expect(both).to.include({ completed: 2, failed: 0, successRate: 1 });
            expect(both.bySize[0]).to.equal({ size: '1MiB', upToBytes: 1_048_576, count: 2 });
            expect(both.byDay.map(({ count }: { count: number }) => count)).to.equal([2]);
            for (const { id } of [first, second]) await tenant.call('DELETE', `/api/backups/${id}`);
            expect(await stats()).to.include({ total: 0, totalBytes: 0, completed: 2, byDay: [] });
        });
    });

    it('has backups of a tenant that is written to meanwhile', async () => {
        const { id } = await begunBackup(app, tenant);
        const writing = Array.from({ length: 10 }, (_, n) => newThread(tenant, `Thread ${n}`));
        await Promise.all(writing);
        await program.jobs.settled();
        expect((await verified(id)).state).to.equal('verified');
    });
});
