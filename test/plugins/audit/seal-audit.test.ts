import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { genesis, link } from '../../../plugins/audit/chain.ts';
import { appendOutbox } from '../../../src/redis/append-outbox.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { Keyring } from '../../../src/security/keyring.ts';
import { startApp, startReplicas, type TestApp } from '../../helpers/app.ts';
import {
    auditKeys,
    chainParts,
    changing,
    rewrite,
    sealAudit,
    verifyAudit,
    writeAudit,
} from '../../helpers/audit-chain.ts';
import { countCommands } from '../../helpers/count-commands.ts';
import { openQueue } from '../../helpers/jobs.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { newTenant, platformToken, type TestTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const DUE = tenantKey('platform', 'audit-tenants');

describe('seal-audit', () => {
    let redis: TestRedis;
    let app: TestApp;
    let other: TestApp;
    let ada: TestTenant;
    let keys: ReturnType<typeof auditKeys>;

    before(async () => {
        redis = await startRedis();
        [app, other] = await startReplicas({ redisPath: redis.path });
    });

    beforeEach(async () => {
        ada = await newTenant(app);
        keys = auditKeys(ada.tenantId);
    });

    after(async () => {
        await Promise.all([app.stop(), other.stop()]);
        await redis.stop();
    });

    const head = () => app.redis.hgetall(keys.head);
    const seals = () => app.redis.xrange(keys.seals, '-', '+');

    it('gives each entry the hash of the one before, its id and its fields', async () => {
        const ids = await writeAudit(app, ada.tenantId, 700);
        await sealAudit(app, ada.tenantId);
        const entries = await app.redis.xrange(keys.audit, '-', '+');
        let { hash } = genesis(ada.tenantId);
        const expected = entries.map(([id, flat]) => {
            hash = link(
                hash,
                id,
                flat.map((part) => Buffer.from(part)),
            );
            return [id, hash];
        });
        expect((await seals()).map(([id, flat]) => [id, flat[1]])).to.equal(expected);
        expect(await head()).to.include({ id: ids.at(-1) ?? '', hash, count: '700', segment: '' });
        // The ends of the two batches are signed.
        const signed = (await seals()).filter(([, flat]) => flat.includes('mac')).map(([id]) => id);
        expect(signed).to.equal([ids[499], ids[699]]);
    });

    it('seals each entry once, however many seal on two replicas while entries are written', async () => {
        await writeAudit(app, ada.tenantId, 2_600);
        const sealBoth = (n: number) => sealAudit(n % 2 === 0 ? app : other, ada.tenantId);
        const writing = async () => {
            const audit = [{ action: 'a.b', resource: 'a', resourceId: 'b', result: 'success' }];
            for (let n = 0; n < 40; n++) await appendOutbox(app.store)(ada.tenantId, { audit });
        };
        const sealing = Array.from({ length: 12 }, (_, n) => sealBoth(n));
        await Promise.all([writing(), ...sealing]);
        await Promise.all(Array.from({ length: 12 }, (_, n) => sealBoth(n)));
        expect((await head()).count).to.equal('2640');
        expect(await seals()).to.have.length(2_640);
        expect(await verifyAudit(ada)).to.equal({ valid: true, checked: 2_640, unsealed: 0, cursor: null });
    });

    it('has exactly one of many seal a batch', async () => {
        await writeAudit(app, ada.tenantId, 500);
        app.logs.length = 0;
        const all = Array.from({ length: 20 }, (_, n) => sealAudit(n % 2 === 0 ? app : other, ada.tenantId));
        expect(await Promise.all(all)).to.only.include(true);
        const told = [...app.logs, ...other.logs].filter(
            ({ msg, tenantId }) => msg === 'audit sealed' && tenantId === ada.tenantId,
        );
        expect(told).to.have.length(1);
        expect(told[0]).to.include({ count: 500, hash: (await head()).hash });
    });

    it('goes on after a sealer died between two batches, or before it wrote one', async () => {
        await writeAudit(app, ada.tenantId, 1_200);
        const { chain, notary } = chainParts(app);
        const dying = chainParts(other);
        let written = 0;
        dying.chain.seal = (...args) => {
            if (++written > 1) throw new Error('The process is gone');
            return chain.seal(...args);
        };
        await expect(dying.sealer.seal(ada.tenantId)).to.reject('The process is gone');
        expect((await head()).count).to.equal('500');
        expect((await verifyAudit(ada)).valid).to.be.true();
        // One that comes back late, with what it read before, changes nothing.
        const late = await chain.read(ada.tenantId);
        await sealAudit(app, ada.tenantId);
        const stale = { seals: [{ id: '9999999999999-0', seal: { hash: '00' } }] };
        const forked = notary.head(ada.tenantId, { ...genesis(ada.tenantId), segment: '', segmentsHash: '' });
        expect(await chain.seal(ada.tenantId, late.head, { ...stale, head: forked })).to.be.false();
        expect(await chain.seal(ada.tenantId, null, { ...stale, head: forked })).to.be.false();
        expect(await verifyAudit(ada)).to.include({ valid: true, checked: 1_201 });
    });

    it('seals nothing more where something was altered at the end, and says so', async () => {
        await sealAudit(app, ada.tenantId);
        const was = await head();
        await ada.call('POST', '/api/threads', { payload: {} });
        for (const field of ['hash', 'count', 'id', 'mac', 'key', 'segment']) {
            await app.redis.hset(keys.head, field, field === 'id' ? '1-1' : '7');
            const altered = await head();
            app.logs.length = 0;
            expect(await sealAudit(app, ada.tenantId), field).to.be.true();
            expect(await head(), field).to.equal(altered);
            expect(app.logs.map(({ level }) => level)).to.equal([50]);
            await app.redis.hset(keys.head, was);
        }
        await app.redis.del(keys.head);
        await sealAudit(app, ada.tenantId);
        expect(await app.redis.exists(keys.head)).to.equal(0);
        await app.redis.hset(keys.head, was);
        await rewrite(app, keys.seals, (entries) => entries.slice(0, -1));
        await sealAudit(app, ada.tenantId);
        expect(await head()).to.equal(was);
    });

    it('does not give an altered past the look of being whole', async () => {
        const ids = await writeAudit(app, ada.tenantId, 10);
        await sealAudit(app, ada.tenantId);
        await rewrite(
            app,
            keys.audit,
            changing(3, 'action', () => 'thread.delete'),
        );
        await ada.call('POST', '/api/threads', { payload: {} });
        await sealAudit(app, ada.tenantId);
        expect((await verifyAudit(ada)).firstBad).to.equal({ id: ids[3], reason: 'changed' });
    });

    it('leaves a deleted tenant alone until it is restored, and one that is purged', async () => {
        const token = await platformToken(app);
        const path = `/api/admin/tenants/${ada.tenantId}`;
        await app.call('DELETE', path, { token });
        expect(await sealAudit(app, ada.tenantId)).to.be.true();
        expect(await app.redis.exists(keys.head, keys.seals)).to.equal(0);
        await app.redis.del(tenantKey(ada.tenantId, 'info'));
        await sealAudit(app, ada.tenantId);
        expect(await app.redis.exists(keys.head, keys.seals)).to.equal(0);
    });

    it('has its end signed with the newest key, so that an older one can be taken out', async () => {
        await sealAudit(app, ada.tenantId);
        const old = app.config.VAULT_KEYS.newest;
        const fresh = { id: 'fresh', secret: Buffer.alloc(32, 7) };
        const both = chainParts(app, new Keyring([fresh, old]));
        const onlyFresh = chainParts(app, new Keyring([fresh]));
        const isWhole = async ({ chain, verifier }: typeof both) =>
            verifier.isWhole(ada.tenantId, await chain.read(ada.tenantId));
        expect(await isWhole(onlyFresh)).to.be.false();
        await Promise.all([both.sealer.renew(ada.tenantId), both.sealer.renew(ada.tenantId)]);
        expect((await head()).key).to.equal('fresh');
        expect(await isWhole(onlyFresh)).to.be.true();
        const before = await head();
        await onlyFresh.sealer.renew(ada.tenantId);
        expect(await head()).to.equal(before);
        // What the old key has signed below rests upon the head.
        const { end, fault } = await onlyFresh.verifier.walk(ada.tenantId, genesis(ada.tenantId), String(before.id));
        expect(fault).to.be.undefined();
        expect(before.hash).to.equal(end.hash);
    });

    describe('as a job', () => {
        it('seals what is new in tenants that had requests, and then lets go of them', async () => {
            const own = await startRedis();
            const worker = await startApp({ redisPath: own.path, worker: true });
            const queue = await openQueue(own.path);
            const eve = await newTenant(worker);
            await eve.call('GET', '/api/auth/me');
            // Requests leave their tenant in memory; it is noted when the process drains, if not before.
            await worker.drain.finish(AbortSignal.timeout(5_000));
            expect(await worker.redis.zscore(DUE, eve.tenantId)).to.not.be.null();
            await queue.queue.add('seal-audit', { tenantId: 'platform' });
            await queue.settled();
            const { count } = await worker.redis.hgetall(auditKeys(eve.tenantId).head);
            expect(Number(count)).to.equal(await worker.redis.xlen(auditKeys(eve.tenantId).audit));
            await worker.advance(130_000);
            await worker.server.plugins.audit.sealDue();
            expect(await worker.redis.zscore(DUE, eve.tenantId)).to.be.null();
            await queue.close();
            await worker.stop();
            await own.stop();
        });

        it('goes on with the others when one fails', async () => {
            const bob = await newTenant(app);
            await app.redis.del(DUE);
            await app.redis.zadd(DUE, 0, ada.tenantId, 1, bob.tenantId);
            await app.redis.set(keys.head, 'in the way');
            await app.server.plugins.audit.sealDue();
            expect(await app.redis.exists(auditKeys(bob.tenantId).head)).to.equal(1);
            expect(await app.redis.zscore(DUE, ada.tenantId)).to.not.be.null();
        });

        it('costs a request nothing, a tenant without news one command, and a batch two more', async () => {
            await app.redis.del(DUE);
            await ada.call('GET', '/api/auth/me');
            expect(await app.redis.exists(DUE)).to.equal(0);
            await sealAudit(app, ada.tenantId);
            const idle = await countCommands(app.redis, () => sealAudit(app, ada.tenantId));
            expect(idle).to.have.length(1);
            const current = await countCommands(app.redis, () => chainParts(app).sealer.renew(ada.tenantId));
            expect(current).to.have.length(1);
            await ada.call('POST', '/api/threads', { payload: {} });
            const news = await countCommands(app.redis, () => sealAudit(app, ada.tenantId));
            // And the look that finds nothing more.
            expect(news).to.have.length(4);
        });
    });
});
