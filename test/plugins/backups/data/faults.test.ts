import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { newKey } from '../../../helpers/api-key.ts';
import { startApp, startReplicas, type TestApp } from '../../../helpers/app.ts';
import { kindsOf, newRestoreId, readAll, tenantData, told } from '../../../helpers/tenant-data.ts';
import { newTenant, type TestTenant } from '../../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../../helpers/thread.ts';
import { newEndpoint, newTunnel } from '../../../helpers/tunnel.ts';
import { newUser } from '../../../helpers/user.ts';

import type { Aggregate, Component } from '../../../../src/redis/aggregate.ts';
import type { Datastore, RunScript } from '../../../../src/redis/datastore.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const COMPONENTS: Component[] = ['database', 'config'];

class Killed extends Error {}

/** A datastore whose process dies at its n-th call: before it, or when it was done and nobody learnt of it. */
function mortal(real: Datastore, dies: { at: number; isDone: boolean }) {
    let calls = 0;
    const pass = async <T>(call: () => Promise<T>): Promise<T> => {
        const isLast = calls === dies.at;
        if (calls > dies.at) throw new Killed('It is dead');
        calls++;
        if (isLast && !dies.isDone) throw new Killed('It dies before');
        const result = await call();
        if (isLast) throw new Killed('It dies afterwards');
        return result;
    };
    const wrap =
        (run: RunScript): RunScript =>
        (keys, args) =>
            pass(() => run(keys, args));
    const store: Datastore = {
        redis: new Proxy(real.redis, {
            get: (target, name) => {
                const command: unknown = Reflect.get(target, name);
                if (typeof command !== 'function') return command;
                return (...args: unknown[]) => pass(() => Reflect.apply(command, target, args) as Promise<unknown>);
            },
        }),
        script: (file) => wrap(real.script(file)),
        rawScript: (file) => wrap(real.rawScript(file)),
    };
    return { store, count: () => calls };
}

describe('a restore that is killed', () => {
    let app: TestApp;
    before(async () => {
        app = await startApp();
    });
    after(() => app.stop());

    /** A tenant, what it was, and what it is now: something came, something went, something is another. */
    async function changedTenant() {
        const tenant = await newTenant(app);
        const kept = await newThread(tenant, 'Kept');
        const lost = await newThread(tenant, 'Lost');
        await tenant.call('POST', messagesPath(kept), { payload: { content: 'Before' } });
        await newEndpoint(tenant, await newTunnel(tenant));
        const { tenantId } = tenant;
        const data = tenantData(app);
        const was = await readAll(data, tenantId, COMPONENTS);
        await tenant.call('POST', messagesPath(kept), { payload: { content: 'After' } });
        await tenant.call('DELETE', `/api/threads/${lost}`);
        await newKey(await newUser(app, tenantId, 'user'));
        return { tenant, tenantId, was, is: await readAll(data, tenantId, COMPONENTS) };
    }

    /** A change that no limit counts. */
    const retitle = (tenantId: string, was: Aggregate[]) => {
        const id = was.find(({ kind }) => kind === 'thread')?.id ?? '';
        return app.redis.hset(`tenant:{${tenantId}}:thread:${id}`, 'title', `Later ${Math.random()}`);
    };

    /** One restore that dies at that call, or null when it came to its end before. */
    async function dying(tenantId: string, was: Aggregate[], dies: { at: number; isDone: boolean }) {
        const { store, count } = mortal(app.store, dies);
        const data = tenantData(app, { store, step: 4 });
        const restoreId = newRestoreId();
        const error = await data
            .stage(tenantId, restoreId, told(was))
            .then(() => data.swap(tenantId, restoreId, COMPONENTS))
            .catch((reason: unknown) => reason);
        if (error !== undefined && !(error instanceof Killed)) throw error;
        return { restoreId, isDead: error instanceof Killed, calls: count() };
    }

    const isLocked = async (tenant: TestTenant) => (await tenant.call('GET', '/api/threads')).status === 503;
    const leftOf = async (tenantId: string, restoreId: string) =>
        (await app.redis.keys(`tenant:{${tenantId}}:restore:${restoreId}:*`)).length;

    for (const isDone of [false, true]) {
        const when = isDone ? 'after' : 'before';
        it(
            `is as it was when it is given up, or as in the backup when it goes on: ${when} every call`,
            { timeout: 240_000 },
            async () => {
                const { tenant, tenantId, was, is } = await changedTenant();
                const data = tenantData(app);
                let given = 0;
                let ended = 0;
                for (let at = 0; ; at++) {
                    const { restoreId, isDead } = await dying(tenantId, was, { at, isDone });
                    if (!isDead) break;
                    await data.discard(tenantId, restoreId);
                    if (await isLocked(tenant)) {
                        await data.swap(tenantId, restoreId, COMPONENTS);
                        ended++;
                    }
                    const now = await readAll(data, tenantId, COMPONENTS);
                    const isBack = JSON.stringify(now) === JSON.stringify(was);
                    expect(isBack || JSON.stringify(now) === JSON.stringify(is), `call ${at}`).to.be.true();
                    if (!isBack) given++;
                    expect(await isLocked(tenant)).to.be.false();
                    expect(await leftOf(tenantId, restoreId), `call ${at}`).to.equal(0);
                    if (!isBack) continue;
                    // From here on it would restore what is there already.
                    await retitle(tenantId, was);
                    await newKey(await newUser(app, tenantId, 'user'));
                    is.splice(0, is.length, ...(await readAll(data, tenantId, COMPONENTS)));
                }
                expect(given).to.be.above(20);
                expect(ended).to.be.above(3);
                expect(await readAll(data, tenantId, COMPONENTS)).to.equal(was);
            },
        );
    }

    it('goes on from wherever it was killed', { timeout: 240_000 }, async () => {
        const { tenant, tenantId, was } = await changedTenant();
        const data = tenantData(app);
        for (let at = 0; ; at += 3) {
            const { restoreId, isDead } = await dying(tenantId, was, { at, isDone: true });
            if (!isDead) break;
            const isSwapping = await data
                .stage(tenantId, restoreId, told(was))
                .then(() => false)
                .catch(() => true);
            await data.swap(tenantId, restoreId, COMPONENTS);
            expect(await readAll(data, tenantId, COMPONENTS), `call ${at} ${isSwapping}`).to.equal(was);
            expect(await isLocked(tenant)).to.be.false();
            await retitle(tenantId, was);
            await newUser(app, tenantId, 'user');
        }
    });
});

describe('a restore by two replicas', () => {
    it('is done once, whichever does it', async () => {
        const replicas = await startReplicas();
        const [first] = replicas;
        const tenant = await newTenant(first);
        const { tenantId } = tenant;
        for (let n = 0; n < 5; n++) await newThread(tenant, `Thread ${n}`);
        const datas = replicas.map((app) => tenantData(app));
        const was = await readAll(tenantData(first), tenantId);
        for (let round = 0; round < 5; round++) {
            await newThread(tenant, 'Later');
            const restoreId = newRestoreId();
            await datas[0]?.stage(tenantId, restoreId, told(was));
            const outbox = { events: [{ type: 'test.restored', data: { round } }] };
            await Promise.all(datas.map((data) => data.swap(tenantId, restoreId, COMPONENTS, outbox)));
            expect(await readAll(tenantData(first), tenantId)).to.equal(was);
        }
        const events = JSON.stringify(await first.redis.xrange(`tenant:{${tenantId}}:events`, '-', '+'));
        expect(events.split('test.restored').length - 1).to.equal(5);
        await Promise.all(replicas.map((app) => app.stop()));
    });
});

describe('a restore that another replica does meanwhile', () => {
    it('is done, for both', async () => {
        const app = await startApp();
        const tenant = await newTenant(app);
        const { tenantId } = tenant;
        expect((await tenant.call('POST', '/api/projects', { payload: { name: 'mine' } })).status).to.equal(201);
        const quick = tenantData(app);
        const was = await readAll(quick, tenantId);
        const restoreId = newRestoreId();
        await quick.stage(tenantId, restoreId, told(was));
        let waits = 0;
        const wait = async () => {
            waits++;
            await quick.swap(tenantId, restoreId, COMPONENTS);
            await newThread(tenant, 'Afterwards');
        };
        await tenantData(app, { graceMs: 30_000, wait }).swap(tenantId, restoreId, COMPONENTS);
        expect(waits).to.equal(1);
        const now = await readAll(quick, tenantId);
        expect(now.filter(({ kind }) => kind !== 'thread')).to.equal(was);
        expect(now.length).to.equal(was.length + 1);
        await app.stop();
    });
});

describe('TenantData.swap', () => {
    let app: TestApp;
    before(async () => {
        app = await startApp();
    });
    after(() => app.stop());

    const refusal = async (tenantId: string, was: Aggregate[], kinds = kindsOf(app)) => {
        const data = tenantData(app, { kinds });
        const restoreId = newRestoreId();
        await data.stage(tenantId, restoreId, told(was));
        const error = await data.swap(tenantId, restoreId, COMPONENTS).catch((reason: unknown) => reason);
        await data.discard(tenantId, restoreId);
        return (error as { data?: unknown } | undefined)?.data;
    };

    it('refuses to leave projects without their owner', async () => {
        const tenant = await newTenant(app);
        const { tenantId } = tenant;
        const was = await readAll(tenantData(app), tenantId);
        const bob = await newUser(app, tenantId, 'admin');
        expect(await refusal(tenantId, was)).to.be.undefined();
        const eve = await newUser(app, tenantId, 'admin');
        expect((await eve.call('POST', '/api/projects', { payload: { name: 'hers' } })).status).to.equal(201);
        const before = await readAll(tenantData(app), tenantId);
        expect(await refusal(tenantId, was)).to.equal({
            code: 'RESTORE_WOULD_ORPHAN',
            details: { userIds: [eve.userId] },
        });
        expect(await readAll(tenantData(app), tenantId)).to.equal(before);
        expect((await bob.call('GET', '/api/threads')).status).to.be.within(401, 403);
        expect((await tenant.call('GET', '/api/threads')).status).to.equal(200);
    });

    it('refuses to leave nobody who could administer the tenant', async () => {
        const tenant = await newTenant(app);
        const { tenantId } = tenant;
        await newUser(app, tenantId, 'user');
        const all = await readAll(tenantData(app), tenantId);
        const was = all.filter(({ id }) => id !== tenant.userId);
        expect(was.length).to.equal(all.length - 1);
        expect(await refusal(tenantId, was)).to.equal({ code: 'RESTORE_WITHOUT_ADMIN' });
        expect(await readAll(tenantData(app), tenantId)).to.equal(all);
    });

    it('refuses what is not staged, or not whole', async () => {
        const { tenantId } = await newTenant(app);
        const data = tenantData(app);
        const code = (promise: Promise<void>) =>
            promise.then(
                () => null,
                (error: { data: { code: string } }) => error.data.code,
            );
        const restoreId = newRestoreId();
        expect(await code(data.swap(tenantId, restoreId, COMPONENTS))).to.equal('INVALID_STATE');
        const broken = async function* () {
            yield* await readAll(data, tenantId);
            throw Object.assign(new Error('The archive ends'), { data: { code: 'broken' } });
        };
        expect(await code(data.stage(tenantId, restoreId, broken()))).to.equal('broken');
        expect(await code(data.swap(tenantId, restoreId, COMPONENTS))).to.equal('INVALID_STATE');
        await data.discard(tenantId, restoreId);
        expect(await code(data.swap(tenantId, restoreId, COMPONENTS))).to.equal('INVALID_STATE');
    });
});
