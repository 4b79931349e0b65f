import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { AuditStore } from '../../../plugins/audit/store.ts';
import { VerifyService } from '../../../plugins/audit/verify-service.ts';
import { appendOutbox } from '../../../src/redis/append-outbox.ts';
import { Keyring } from '../../../src/security/keyring.ts';
import { Vault } from '../../../src/security/vault.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import {
    auditKeys,
    chainParts,
    changing,
    rewrite,
    sealAudit,
    verifyAudit,
    without,
    writeAudit,
    type StreamEntry,
} from '../../helpers/audit-chain.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';

import type { Actor } from '../../../src/types/actor.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const PATH = '/api/audit/verify';
/** Three batches; the last has two entries. */
const COUNT = 1_002;

describe('GET /api/audit/verify', () => {
    let app: TestApp;
    let ada: TestTenant;
    let ids: string[];
    let keys: ReturnType<typeof auditKeys>;

    before(async () => {
        app = await startApp();
    });

    beforeEach(async () => {
        ada = await newTenant(app);
        keys = auditKeys(ada.tenantId);
        ids = await writeAudit(app, ada.tenantId, COUNT);
        expect(await sealAudit(app, ada.tenantId)).to.be.true();
    });

    after(() => app.stop());

    const bad = async () => {
        const { valid, firstBad } = await verifyAudit(ada);
        expect(valid).to.be.false();
        return firstBad;
    };
    const lastHex = (was: string) => was.slice(0, -1) + (was.endsWith('0') ? '1' : '0');

    it('is content with what was sealed, and counts what is not yet', async () => {
        expect(await verifyAudit(ada)).to.equal({ valid: true, checked: COUNT, unsealed: 0, cursor: null });
        await ada.call('POST', '/api/threads', { payload: {} });
        // The verification before has told of itself too.
        expect(await verifyAudit(ada)).to.equal({ valid: true, checked: COUNT, unsealed: 2, cursor: null });
        await sealAudit(app, ada.tenantId);
        expect(await verifyAudit(ada)).to.equal({ valid: true, checked: COUNT + 3, unsealed: 0, cursor: null });
    });

    it('has nothing to check where nothing was sealed', async () => {
        const eve = await newTenant(app);
        const { length } = await readAudit(app, eve.tenantId);
        expect(await verifyAudit(eve)).to.equal({ valid: true, checked: 0, unsealed: length, cursor: null });
    });

    it('is told in the audit, with what was found', async () => {
        await verifyAudit(ada);
        await rewrite(
            app,
            keys.audit,
            changing(4, 'result', () => 'failure'),
        );
        await verifyAudit(ada);
        const [sound, unsound] = (await readAudit(app, ada.tenantId)).slice(-2);
        expect(sound).to.include({ action: 'audit.verify', resource: 'audit', result: 'success', userId: ada.userId });
        expect(JSON.parse(sound?.details ?? '')).to.equal({ valid: true, checked: COUNT });
        const firstBad = { id: ids[4], reason: 'changed' };
        expect(JSON.parse(unsound?.details ?? '')).to.equal({ valid: false, checked: 4, firstBad });
        expect(app.logs.at(-1)).to.exist();
        expect(app.logs.some(({ tenantId, level }) => tenantId === ada.tenantId && level === 50)).to.be.true();
    });

    for (const at of [0, 499, 500, 700, COUNT - 1]) {
        it(`finds a byte that was changed in entry ${at}`, async () => {
            await rewrite(
                app,
                keys.audit,
                changing(at, 'resourceId', (was) => `${was.slice(0, -1)}x`),
            );
            expect(await bad()).to.equal({ id: ids[at], reason: 'changed' });
        });

        it(`finds a byte that was changed in the hash of entry ${at}`, async () => {
            await rewrite(app, keys.seals, changing(at, 'hash', lastHex));
            expect(await bad()).to.equal({ id: ids[at], reason: 'changed' });
        });

        it(`finds that entry ${at} is missing, with its seal or without`, async () => {
            await app.redis.xdel(keys.audit, ids[at] ?? '');
            expect(await bad()).to.equal({ id: ids[at], reason: 'missing' });
            await app.redis.xdel(keys.seals, ids[at] ?? '');
            const isLast = at === COUNT - 1;
            // Nothing is left that would name it: the chain does not go on with the next one.
            expect(await bad()).to.equal({ id: ids[isLast ? at : at + 1], reason: isLast ? 'missing' : 'changed' });
        });
    }

    it('finds bytes that are no text', async () => {
        const byte = (value: number) => Buffer.from([value]);
        const write = async (value: number) => {
            await app.redis.del(keys.audit);
            await app.redis.xadd(keys.audit, '*', 'action', 'a.b', 'userAgent', byte(value));
        };
        await app.redis.del(keys.seals, keys.head);
        await write(0xff);
        await sealAudit(app, ada.tenantId);
        const [[id] = ['']] = await app.redis.xrange(keys.audit, '-', '+');
        await app.redis.del(keys.audit);
        await app.redis.xadd(keys.audit, id, 'action', 'a.b', 'userAgent', byte(0xfe));
        expect(await bad()).to.equal({ id, reason: 'changed' });
    });

    it('finds an entry that was put between others, before them, or given a seal', async () => {
        const stranger = `${ids[600]}`.replace('-0', '-1');
        const insert = (flat: string[]) => (entries: StreamEntry[]) => entries.toSpliced(601, 0, [stranger, flat]);
        await rewrite(app, keys.audit, insert(['action', 'auth.login', 'result', 'success']));
        expect(await bad()).to.equal({ id: stranger, reason: 'inserted' });
        await rewrite(app, keys.seals, insert(['hash', '0'.repeat(64)]));
        expect(await bad()).to.equal({ id: stranger, reason: 'changed' });
        await rewrite(app, keys.audit, without(601));
        expect(await bad()).to.equal({ id: stranger, reason: 'missing' });
        await rewrite(app, keys.seals, without(601));
        expect((await verifyAudit(ada)).valid).to.be.true();
        await rewrite(app, keys.audit, (entries) => [['1-1', ['action', 'auth.login']], ...entries]);
        expect(await bad()).to.equal({ id: '1-1', reason: 'inserted' });
    });

    it('finds entries that were swapped, and fields that were', async () => {
        const swap = (entries: StreamEntry[]) => {
            const [ten, eleven] = [entries[10]?.[1] ?? [], entries[11]?.[1] ?? []];
            return entries.map(([id, flat], n): StreamEntry => [id, n === 10 ? eleven : n === 11 ? ten : flat]);
        };
        await rewrite(app, keys.audit, swap);
        expect(await bad()).to.equal({ id: ids[10], reason: 'changed' });
        await rewrite(app, keys.audit, swap);
        await rewrite(app, keys.audit, (entries) =>
            entries.map(([id, flat], n): StreamEntry => [
                id,
                n === 20 ? [...flat.slice(2), ...flat.slice(0, 2)] : flat,
            ]),
        );
        expect(await bad()).to.equal({ id: ids[20], reason: 'changed' });
    });

    it('finds a byte that was changed in the end of a batch', async () => {
        for (const [field, value] of [
            ['mac', lastHex],
            ['count', (was: string) => `${Number(was) + 1}`],
        ] as const) {
            for (const at of [499, COUNT - 1]) {
                const seals = await app.redis.xrange(keys.seals, '-', '+');
                await rewrite(app, keys.seals, changing(at, field, value));
                expect(await bad(), field).to.equal({ id: ids[at], reason: 'changed' });
                await rewrite(app, keys.seals, () => seals);
            }
        }
        expect((await verifyAudit(ada)).valid).to.be.true();
    });

    it('finds a byte that was changed in the head', async () => {
        const head = await app.redis.hgetall(keys.head);
        for (const field of Object.keys(head)) {
            await app.redis.hset(keys.head, field, lastHex(head[field] ?? ''));
            const { id } = await bad();
            expect([ids.at(-1), lastHex(ids.at(-1) ?? '')], field).to.include(id);
            await app.redis.hset(keys.head, head);
        }
        expect((await verifyAudit(ada)).valid).to.be.true();
    });

    it('finds that the head, the seals, or the last of them are gone', async () => {
        const head = await app.redis.hgetall(keys.head);
        await app.redis.del(keys.head);
        expect(await bad()).to.equal({ id: ids.at(-1), reason: 'missing' });
        await app.redis.hset(keys.head, head);
        const seals = await app.redis.xrange(keys.seals, '-', '+');
        for (const kept of [0, 500, COUNT - 1]) {
            await rewrite(app, keys.seals, () => seals.slice(0, kept));
            expect(await bad(), String(kept)).to.equal({ id: ids.at(-1), reason: 'missing' });
        }
    });

    it('finds a chain that was computed anew by who has no keys', async () => {
        await rewrite(
            app,
            keys.audit,
            changing(700, 'result', () => 'failure'),
        );
        await app.redis.del(keys.seals, keys.head);
        const { id, secret } = app.config.VAULT_KEYS.newest;
        const forged = Buffer.from(secret).fill(0);
        for (const name of [id, 'unknown']) {
            await app.redis.del(keys.seals, keys.head);
            await chainParts(app, new Keyring([{ id: name, secret: forged }])).sealer.seal(ada.tenantId);
            const { reason } = await bad();
            expect(reason, name).to.equal('changed');
        }
    });

    it('finds the chain of another tenant in the place of its own', async () => {
        const eve = await newTenant(app);
        await sealAudit(app, eve.tenantId);
        for (const [name, key] of Object.entries(auditKeys(eve.tenantId))) {
            // Not COPY: it is in another slot of a cluster.
            const copied = await app.redis.dumpBuffer(key);
            if (copied) await app.redis.restore(keys[name as keyof typeof keys], 0, copied, 'REPLACE');
        }
        expect((await bad()).reason).to.equal('changed');
    });

    it('goes on where it stopped, by a cursor that is good here only', async () => {
        const { chain, verifier, logger } = chainParts(app);
        const store = new AuditStore(app.store, new Vault(app.config.VAULT_KEYS));
        const parts = { store, chain, verifier, logger, append: appendOutbox(app.store), most: 400 };
        const service = new VerifyService(parts);
        const actor = { tenantId: ada.tenantId, userId: ada.userId } as Actor;
        const first = await service.verify(actor);
        expect(first).to.include({ valid: true, checked: 500 });
        const second = await service.verify(actor, first.cursor ?? '');
        expect(second).to.include({ valid: true, checked: 500 });
        await rewrite(
            app,
            keys.audit,
            changing(1_001, 'resource', () => 'user'),
        );
        const third = await verifyAudit(ada, second.cursor ?? '');
        expect(third).to.include({ valid: false, checked: 1, firstBad: { id: ids[1_001], reason: 'changed' } });
        // What was checked before is not checked again.
        await rewrite(
            app,
            keys.audit,
            changing(3, 'resource', () => 'user'),
        );
        expect((await verifyAudit(ada, second.cursor ?? '')).firstBad.id).to.equal(ids[1_001]);
        const eve = await newTenant(app);
        for (const cursor of [`${second.cursor}x`, 'foreign']) {
            expectError(await ada.call('GET', `${PATH}?cursor=${cursor}`), 'INVALID_CURSOR');
        }
        expectError(await eve.call('GET', `${PATH}?cursor=${second.cursor}`), 'INVALID_CURSOR');
    });

    it('is limited to ten a minute and user', () =>
        app.inNoTime(async () => {
            for (let n = 0; n < 10; n++) expect((await ada.call('GET', PATH)).status).to.equal(200);
            expectError(await ada.call('GET', PATH), 'RATE_LIMITED');
        }));
});
