import { expect } from '@hapi/code';
import { Queue } from 'bullmq';

import { well, type Guest, type Scene } from './scene.ts';
import { until } from './tunnel-agent.ts';
import { PREFIX, QUEUE } from '../../src/jobs/jobs.ts';
import { PLATFORM, tenantKey } from '../../src/redis/keys.ts';

import type { House } from './house.ts';

/** What those see and do who run it. */
export const platform = {
    'shows platform admins everything': views,
    'obeys platform admins on every replica': orders,
    'obeys commands': commands,
    'seals the audit of every tenant, and finds it whole': audit,
    'has restored what was in the backup': ({ untilRestored }: Scene) => untilRestored(),
    'purges a tenant that was deleted, and nobody else': purge,
};

const VIEWS = [
    'dashboard',
    'tenants?limit=100',
    'users?limit=100&q=test',
    'bulk',
    'jobs?state=completed',
    'reports/revenue',
    'reports/revenue?format=csv',
    'reports/usage',
    'reports/backups',
    'reports/errors',
    'rate-limits/violations',
    'breakers',
    'config',
];

async function views({ house: { apis, token }, tenants }: Scene): Promise<void> {
    for (const [n, view] of VIEWS.entries()) {
        const answer = await apis[n % 2]?.call('GET', `/api/admin/${view}`, { token });
        expect(answer?.status, `${view}: ${answer?.text}`).to.equal(200);
    }
    const listed = well(await apis[0].call('GET', '/api/admin/tenants?limit=100', { token })).tenants;
    const ids = listed.map(({ id }: { id: string }) => id);
    expect(ids).to.include(tenants.map(({ tenantId }) => tenantId));
    // A worker brings the directory up to date.
    await until(async () => {
        const { users } = well(await apis[1].call('GET', '/api/admin/users?limit=100', { token }));
        return tenants.every(({ userId }) => users.some(({ id }: { id: string }) => id === userId));
    });
    const { replicas } = well(await apis[0].call('GET', '/api/admin/replicas', { token }));
    expect(replicas.map(({ role }: { role: string }) => role).toSorted()).to.equal(['api', 'api', 'worker']);
    for (const { call } of apis) {
        const metrics = await call('GET', '/metrics', { from: '127.0.0.1' });
        expect(metrics.text).to.include('route="/api/threads/{threadId}/models/{modelId}/messages"');
        expect(well(await call('GET', '/api/health')).services.database.status).to.equal('healthy');
        expect((await call('GET', '/health/ready')).status).to.equal(200);
    }
}

async function orders({ house: { apis, token }, tenants, ada }: Scene): Promise<void> {
    const [one, two] = apis;
    const configure = async (isOn: boolean) =>
        well(await one.call('PATCH', '/api/admin/config', { token, payload: { maintenance: { isOn } } }));
    await configure(true);
    expect((await ada.other('GET', '/api/threads')).body.error.code).to.equal('MAINTENANCE');
    await configure(false);
    well(await ada.other('GET', '/api/threads'));

    const users = await Promise.all(tenants.map(addUser));
    const payload = { action: 'suspend', reason: 'A test', users };
    const { bulk } = well(await two.call('POST', '/api/admin/users/bulk', { token, payload }));
    await until(async () => {
        const seen = well(await one.call('GET', `/api/admin/bulk/${bulk.id}`, { token })).bulk;
        return seen.state === 'completed' && seen.done === users.length && seen.failed === 0;
    });
    for (const { tenantId } of tenants) {
        const url = `/api/admin/tenants/${tenantId}`;
        well(await one.call('POST', `${url}/suspend`, { token, payload: { reason: 'A test' } }));
        well(await two.call('POST', `${url}/activate`, { token }));
    }
}

async function addUser({ tenantId, domain, call }: Guest) {
    const payload = { email: `eve@${domain}`, displayName: 'Eve', role: 'user', password: 'a password for a test' };
    return { tenantId, userId: String(well(await call('POST', '/api/users', { payload })).user.id) };
}

/** Each visits the keys of all tenants, wherever they are. */
async function commands({ house, tenants, ada }: Scene): Promise<void> {
    const [listed, rotated, made] = await Promise.all([
        house.command('admin', 'tenant', 'list', '--json', '--limit', '100'),
        house.command('vault-rotate'),
        house.command('backup', '--tenant', ada.tenantId, '--type', 'config'),
    ]);
    expect([listed.code, listed.stderr]).to.equal([0, '']);
    for (const { tenantId } of tenants) expect(listed.stdout).to.include(tenantId);
    expect([rotated.code, rotated.stderr]).to.equal([0, '']);
    expect([made.code, made.stderr]).to.equal([0, '']);
}

async function audit({ house: { redisOf }, tenants }: Scene): Promise<void> {
    for (const { tenantId, call, other } of tenants) {
        const head = tenantKey(tenantId, 'audit', 'head');
        // Sealed every now and then.
        await until(async () => Number(await (await redisOf(head)).hget(head, 'count')) > 0, 60_000);
        const { verification } = well(await call('GET', '/api/audit/verify'));
        expect(verification).to.include({ valid: true });
        expect(Number(verification.checked)).to.be.above(3);
        const { entries } = well(await other('GET', '/api/audit?limit=100'));
        expect(Number(entries.length)).to.be.above(3);
    }
}

/** The last of the tenants, as if its thirty days were over. */
async function purge({ house, tenants }: Scene): Promise<void> {
    const { apis, token, redisOf } = house;
    const gone = tenants.at(-1) as Guest;
    const url = `/api/admin/tenants/${gone.tenantId}`;
    const status = async () => (await apis[1].call('GET', url, { token })).status;
    well(await apis[0].call('DELETE', url, { token }));
    const record = tenantKey(gone.tenantId, 'info');
    await (await redisOf(record)).hset(record, 'deletedAt', '1');
    await promoteJobs(house);
    await until(async () => (await status()) === 404);
    const keys = await (await redisOf(record)).keys(tenantKey(gone.tenantId, '*'));
    expect(keys).to.equal([]);
    for (const { tenantId, call } of tenants.slice(0, -1)) {
        expect(well(await call('GET', '/api/tenant')).tenant.id).to.equal(tenantId);
    }
}

/** Makes those due now that wait for their time. */
async function promoteJobs({ redisOf }: House): Promise<void> {
    const redis = await redisOf(tenantKey(PLATFORM, 'jobs'));
    const queue = new Queue(QUEUE, { connection: redis, prefix: PREFIX, skipVersionCheck: true });
    await queue.promoteJobs();
    await queue.close();
}
