import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { genesis } from '../../../plugins/audit/chain.ts';
import { RoundStore } from '../../../plugins/audit/round-store.ts';
import { AuditRounds } from '../../../plugins/audit/rounds.ts';
import { AuditStore } from '../../../plugins/audit/store.ts';
import { VerifyService } from '../../../plugins/audit/verify-service.ts';
import { Vault } from '../../../src/security/vault.ts';
import { startReplicas, type TestApp } from '../../helpers/app.ts';
import {
    auditKeys,
    chainParts,
    changing,
    rewrite,
    sealAudit,
    verifyAudit,
    without,
    writeAudit,
} from '../../helpers/audit-chain.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { DAYS } from '../../helpers/jobs.ts';
import { setLimits, setPlan } from '../../helpers/limits.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';

import type { Actor } from '../../../src/types/actor.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const HOUR = DAYS / 24;

describe('keep-audit', () => {
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

    /** An entry an hour, from so many days ago until so many; a batch for each day, as they are sealed in life. */
    const writeDays = async (from: number, to: number): Promise<string[]> => {
        const at = Date.now() - from * DAYS;
        const ids: string[] = await writeAudit(app, ada.tenantId, 24 * (from - to), { at, everyMs: HOUR });
        const all = await app.redis.xrange(keys.audit, '-', '+');
        await app.redis.del(keys.audit);
        for (let day = 0; day < from - to; day++) {
            const pipeline = app.redis.pipeline();
            for (const [id, flat] of all.slice(24 * day, 24 * (day + 1))) pipeline.xadd(keys.audit, id, ...flat);
            await pipeline.exec();
            await sealAudit(app, ada.tenantId);
        }
        return ids;
    };
    const trim = (days = 90) => chainParts(app).trimmer.trim(ada.tenantId, days);
    const left = async (key = keys.audit) => (await app.redis.xrange(key, '-', '+')).map(([id]) => id);
    const segments = async () =>
        (await app.redis.xrange(keys.segments, '-', '+')).map(([id, flat]) => ({
            id,
            ...Object.fromEntries(flat.flatMap((part, n) => (n % 2 === 0 ? [[part, flat[n + 1]]] : []))),
        })) as Record<string, string>[];
    const bad = async () => {
        const { valid, firstBad } = await verifyAudit(ada);
        expect(valid).to.be.false();
        return firstBad;
    };

    it('removes whole batches of what is older, day by day, and leaves signed segments', async () => {
        const ids = await writeDays(95, 85);
        await trim();
        // Until the fifth day before 90 is wholly over.
        const kept = ids.slice(5 * 24);
        expect(await left()).to.equal(kept);
        expect(await left(keys.seals)).to.equal(kept);
        const found = await segments();
        expect(found.map(({ id }) => id)).to.equal([1, 2, 3, 4, 5].map((day) => ids[24 * day - 1]));
        expect(found.map(({ first }) => first)).to.equal([0, 1, 2, 3, 4].map((day) => ids[24 * day]));
        expect(found.map(({ after }) => after)).to.equal(['', ...found.slice(0, -1).map(({ id }) => id)]);
        expect(found.map(({ count }) => count)).to.equal(['24', '24', '24', '24', '24']);
        for (const { hash, key, mac } of found) {
            expect(`${hash} ${mac}`).to.match(/^[0-9a-f]{64} [0-9a-f]{64}$/);
            expect(key).to.equal(app.config.VAULT_KEYS.newest.id);
        }
        expect(await verifyAudit(ada)).to.equal({ valid: true, checked: 120, unsealed: 0, cursor: null });
        await trim();
        expect(await left()).to.include(kept);
        expect(await segments()).to.equal(found);
    });

    it('waits until a day’s worth may go, so that segments stay few', async () => {
        const ids = await writeDays(90, 88);
        await app.advance(DAYS - HOUR);
        await trim();
        expect(await left()).to.equal(ids);
        await app.advance(DAYS + 1000);
        await trim();
        expect(await left()).to.equal(ids.slice(24));
        await app.advance(HOUR - 2 * DAYS - 1000);
    });

    it('trims nothing that is not sealed, nor a part of a batch', async () => {
        const ids = await writeAudit(app, ada.tenantId, 48, { at: Date.now() - 100 * DAYS, everyMs: 6 * HOUR });
        await trim();
        expect(await left()).to.equal(ids);
        // In one batch, of which eight entries are too young to go.
        await sealAudit(app, ada.tenantId);
        await trim(90);
        expect(await left()).to.equal(ids);
        await trim(88);
        expect(await left()).to.equal([]);
        expect(await left(keys.seals)).to.equal([]);
        expect(await verifyAudit(ada)).to.include({ valid: true, checked: 0 });
    });

    it('goes on with the chain when all of it was trimmed', async () => {
        const ids = await writeDays(100, 98);
        await trim();
        expect(await left(keys.seals)).to.equal([]);
        await ada.call('POST', '/api/threads', { payload: {} });
        await sealAudit(app, ada.tenantId);
        expect(await verifyAudit(ada)).to.include({ valid: true, checked: 1, unsealed: 0 });
        expect((await app.redis.hgetall(keys.head)).count).to.equal(String(ids.length + 1));
    });

    it('is done once by many on two replicas, while others seal', async () => {
        await writeDays(100, 85);
        const trimBoth = (n: number) => chainParts(n % 2 === 0 ? app : other).trimmer.trim(ada.tenantId, 90);
        const trimming = Array.from({ length: 8 }, (_, n) => trimBoth(n));
        const sealing = async () => {
            for (let n = 0; n < 10; n++) {
                await ada.call('POST', '/api/threads', { payload: {} });
                await sealAudit(app, ada.tenantId);
            }
        };
        await Promise.all([...trimming, sealing()]);
        await trim();
        expect((await segments()).map(({ count }) => count)).to.equal(Array.from({ length: 10 }, () => '24'));
        expect(await verifyAudit(ada)).to.include({ valid: true, unsealed: 0 });
    });

    it('lets verify end well while entries are trimmed', async () => {
        await writeDays(130, 85);
        const all = await Promise.all([trim(), ...Array.from({ length: 8 }, () => verifyAudit(ada))]);
        for (const verification of all.slice(1)) expect(verification).to.include({ valid: true });
    });

    it('has verify begin anew when entries were trimmed since it began', async () => {
        await writeDays(95, 85);
        const { chain, verifier, logger } = chainParts(app);
        const read = chain.read.bind(chain);
        let reads = 0;
        chain.read = async (tenantId) => {
            const state = await read(tenantId);
            if (++reads === 1) await trim();
            return state;
        };
        const store = new AuditStore(app.store, new Vault(app.config.VAULT_KEYS));
        const service = new VerifyService({ store, chain, verifier, logger, append: async () => {} });
        const found = await service.verify({ tenantId: ada.tenantId, userId: ada.userId } as Actor);
        expect(found).to.equal({ valid: true, checked: 120, unsealed: 0, cursor: null });
        expect(reads).to.equal(3);
    });

    it('keeps what was altered, and says so', async () => {
        const ids = await writeDays(95, 85);
        await rewrite(
            app,
            keys.audit,
            changing(30, 'result', () => 'failure'),
        );
        await trim();
        expect((await segments()).map(({ id }) => id)).to.equal([ids[23]]);
        expect(await bad()).to.equal({ id: ids[30], reason: 'changed' });
        await app.redis.hset(keys.head, 'count', 7);
        await rewrite(
            app,
            keys.audit,
            changing(6, 'result', () => 'success'),
        );
        await trim();
        expect(await segments()).to.have.length(1);
    });

    it('has verify find segments that were altered', async () => {
        const ids = await writeDays(95, 85);
        await trim();
        const whole = await app.redis.xrange(keys.segments, '-', '+');
        const flip = (was: string) => was.slice(0, -1) + (was.endsWith('0') ? '1' : '0');
        for (const field of ['after', 'first', 'count', 'hash', 'mac']) {
            await rewrite(app, keys.segments, changing(2, field, flip));
            expect(await bad(), field).to.equal({ id: ids[71], reason: 'changed' });
            await rewrite(app, keys.segments, () => whole);
        }
        // Without a key that is known, the head says that it is not what it was.
        await rewrite(
            app,
            keys.segments,
            changing(2, 'key', () => 'unknown'),
        );
        expect(await bad()).to.equal({ id: ids[119], reason: 'changed' });
    });

    it('has verify find what was trimmed without a segment', async () => {
        const ids = await writeDays(95, 85);
        await trim();
        const whole = await app.redis.xrange(keys.segments, '-', '+');
        for (const [at, named] of [
            [0, 23],
            [2, 71],
            [4, 119],
        ] as const) {
            await rewrite(app, keys.segments, () => whole);
            await rewrite(app, keys.segments, without(at));
            expect(await bad()).to.equal({ id: ids[named], reason: 'missing' });
        }
        await rewrite(app, keys.segments, () => [...whole, [`${ids[130]}`, whole[0]?.[1] ?? []]]);
        expect((await bad()).id).to.equal(ids[130]);
        await rewrite(app, keys.segments, () => whole);
        expect(await verifyAudit(ada)).to.include({ valid: true, checked: 120 });
        await app.redis.xtrim(keys.audit, 'MINID', ids[200] ?? '');
        expect(await bad()).to.equal({ id: ids[120], reason: 'missing' });
        await app.redis.xtrim(keys.seals, 'MINID', ids[200] ?? '');
        expect(await bad()).to.equal({ id: ids[200], reason: 'changed' });
    });

    it('goes on after it died between two cuts, and refuses a cursor into what was trimmed', async () => {
        const ids = await writeDays(95, 85);
        const dying = chainParts(other);
        const cut = dying.chain.cut.bind(dying.chain);
        let cuts = 0;
        dying.chain.cut = (...args) => {
            if (++cuts > 2) throw new Error('The process is gone');
            return cut(...args);
        };
        await expect(dying.trimmer.trim(ada.tenantId, 90)).to.reject('The process is gone');
        expect(await left()).to.equal(ids.slice(48));
        const store = new AuditStore(app.store, new Vault(app.config.VAULT_KEYS));
        const cursor = store.sealPlace(ada.tenantId, { ...genesis(ada.tenantId), id: ids[50] ?? '' });
        await trim();
        expect(await verifyAudit(ada)).to.include({ valid: true, checked: 120 });
        expectError(await ada.call('GET', `/api/audit/verify?cursor=${cursor}`), 'INVALID_CURSOR');
    });

    describe('as a job', () => {
        /** Until the round has come to all tenants. */
        const round = () => app.server.plugins.audit.keep();

        it('keeps as long as the tenant’s tier says, or a figure of its own', async () => {
            const tenants = { free: 90, premium: 365, enterprise: 7 * 365 } as const;
            for (const [plan, days] of Object.entries(tenants)) {
                ada = await newTenant(app);
                keys = auditKeys(ada.tenantId);
                await setPlan(app, ada.tenantId, plan as keyof typeof tenants);
                const ids = await writeDays(days + 2, days - 1);
                await round();
                expect(await left(), plan).to.equal(ids.slice(48));
                await setLimits(app, ada.tenantId, { auditRetentionDays: 30 });
                await round();
                expect(await left(), plan).to.equal([]);
            }
        });

        it('seals what nobody had a request for, also in the platform’s own audit', async () => {
            await round();
            expect(await app.redis.exists(keys.head)).to.equal(1);
            expect(await app.redis.exists(auditKeys('platform').head)).to.equal(1);
        });

        it('goes through all tenants, a hundred at a time, and begins again', async () => {
            const tenants = app.server.plugins.tenants;
            const looked: (string | undefined)[] = [];
            const list = tenants.list.bind(tenants);
            const { sealer, trimmer, logger } = chainParts(app);
            const seen: string[] = [];
            const rounds = new AuditRounds({
                tenants: {
                    tiers: tenants.tiers,
                    get: (id) => tenants.get(id),
                    list: (query) => {
                        looked.push(query.cursor);
                        return list({ ...query, limit: 2 });
                    },
                },
                due: null as never,
                places: new RoundStore(app.store),
                sealer: { seal: async (id) => seen.push(id) > 0, renew: (id) => sealer.renew(id) },
                trimmer,
                logger,
            });
            const made = await Promise.all([newTenant(app), newTenant(app), newTenant(app)]);
            do await rounds.keep();
            while (await new RoundStore(app.store).place());
            for (const { tenantId } of made) expect(seen.filter((id) => id === tenantId)).to.equal([tenantId]);
            expect(new Set(looked).size).to.equal(looked.length);
            // A place that nobody can read any more is as good as none.
            await new RoundStore(app.store).setPlace('of another key');
            await rounds.keep();
            expect(looked.slice(-2)).to.equal(['of another key', undefined]);
        });
    });
});
