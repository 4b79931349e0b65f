import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { ExportService } from '../../../plugins/audit/export-service.ts';
import { AuditStore } from '../../../plugins/audit/store.ts';
import { Vault } from '../../../src/security/vault.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { auditKeys, sealAudit, writeAudit } from '../../helpers/audit-chain.ts';
import { readAudit } from '../../helpers/audit.ts';
import { watchCommands } from '../../helpers/count-commands.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';

import type { Actor } from '../../../src/types/actor.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const PATH = '/api/audit/export';
const HEADER =
    'id,timestamp,tenantId,userId,actorType,actorId,action,resource,resourceId,result,details,ipAddress,userAgent,correlationId,hash';

describe('GET /api/audit/export', () => {
    let redis: TestRedis;
    let app: TestApp;
    let ada: TestTenant;

    before(async () => {
        redis = await startRedis();
        app = await startApp({ listen: true, redisPath: redis.path });
    });

    beforeEach(async () => {
        ada = await newTenant(app);
    });

    after(async () => {
        await app.stop();
        await redis.stop();
    });

    const lines = async (query: string) => {
        const { text } = await ada.call('GET', `${PATH}?format=ndjson&${query}`);
        return text
            .split('\n')
            .slice(0, -1)
            .map((line) => JSON.parse(line) as { id: string; action: string });
    };

    it('is a table of all entries, the newest first', async () => {
        await writeAudit(app, ada.tenantId, 2, {
            at: Date.parse('2026-11-20T10:00:00.000Z'),
            fields: (n): Record<string, string> =>
                n === 0
                    ? { userId: 'user_a', keyId: 'key_a', details: '{"a":"b,c"}', ipAddress: '192.0.2.1' }
                    : { resourceId: '=cmd()', userAgent: 'one "two"\nthree' },
        });
        await sealAudit(app, ada.tenantId);
        const { status, headers, text } = await ada.call('GET', PATH);
        expect(status).to.equal(200);
        expect(headers['content-type']).to.equal('text/csv; charset=utf-8');
        expect(headers['content-disposition']).to.equal('attachment; filename="audit.csv"');
        const [header, own, ...rest] = text.split('\r\n');
        expect(header).to.equal(HEADER);
        expect(own).to.contain('audit.export');
        const { tenantId } = ada;
        const [second = '', first = '', last] = rest;
        const created = 'thread.create,thread';
        expect(second).to.startWith(
            `1795168800001-0,2026-11-20T10:00:00.001Z,${tenantId},,system,,${created},'=cmd(),success,,,"one ""two""\nthree",,`,
        );
        expect(first).to.startWith(
            `1795168800000-0,2026-11-20T10:00:00.000Z,${tenantId},user_a,key,key_a,${created},,success,"{""a"":""b,c""}",192.0.2.1,,,`,
        );
        expect(first).to.match(/,[0-9a-f]{64}$/);
        expect(last).to.equal('');
    });

    it('is one entry a line, as the list has it, with the same filters', async () => {
        const ids = await writeAudit(app, ada.tenantId, 30, { fields: (n) => ({ resourceId: `r${n % 3}` }) });
        const { headers } = await ada.call('GET', `${PATH}?format=ndjson`);
        expect(headers['content-type']).to.equal('application/x-ndjson');
        expect(headers['content-disposition']).to.equal('attachment; filename="audit.ndjson"');
        const listed = await ada.call('GET', '/api/audit?resourceId=r1&limit=100');
        expect(listed.body.data.entries).to.have.length(10);
        expect(await lines('resourceId=r1')).to.equal(listed.body.data.entries);
        expect((await lines('order=asc&action=thread.*')).map(({ id }) => id)).to.equal(ids);
        expect(await lines('action=none')).to.equal([]);
    });

    it('is told in the audit before the first byte, with what was asked for, and ends with that entry', async () => {
        const from = '2026-01-01T00:00:00.000Z';
        const found = await lines(`order=asc&from=${from}`);
        const entry = (await readAudit(app, ada.tenantId)).at(-1);
        expect(entry).to.include({ action: 'audit.export', resource: 'audit', result: 'success', userId: ada.userId });
        expect(JSON.parse(entry?.details ?? '')).to.equal({ format: 'ndjson', from });
        expect(found.at(-1)?.action).to.equal('audit.export');
    });

    it('ends there whatever is written meanwhile, also with a time to come', async () => {
        const ids = await writeAudit(app, ada.tenantId, 600);
        const exports = new ExportService(new AuditStore(app.store, new Vault(app.config.VAULT_KEYS)), async () => {});
        const actor = { tenantId: ada.tenantId, userId: ada.userId } as Actor;
        for (const to of [undefined, new Date(Date.now() + 3_600_000)]) {
            const query = { format: 'ndjson', order: 'asc', action: 'thread.*', ...(to && { to }) } as const;
            let found = '';
            for await (const piece of await exports.export(actor, query)) {
                found += piece;
                await app.redis.xadd(auditKeys(ada.tenantId).audit, '*', 'action', 'thread.late');
            }
            expect(found.match(/thread.create/g)).to.have.length(ids.length);
            expect(found.match(/thread.late/g)?.length ?? 0).to.equal(to ? 3 : 0);
        }
        const early = new Date(Number.parseInt(ids[100] ?? ''));
        const text: string[] = [];
        const query = { format: 'ndjson', order: 'desc', to: early } as const;
        for await (const piece of await exports.export(actor, query)) text.push(piece);
        expect(text.join('').split('\n')).to.have.length(101);
    });

    it('refuses another format, or what it does not know', async () => {
        const before = (await readAudit(app, ada.tenantId)).length;
        for (const query of ['format=pdf', 'limit=10', 'cursor=x', 'order=up']) {
            expectError(await ada.call('GET', `${PATH}?${query}`), 'VALIDATION_ERROR');
        }
        expect(await readAudit(app, ada.tenantId)).to.have.length(before);
    });

    it('is limited to ten a minute and user', () =>
        app.inNoTime(async () => {
            for (let n = 0; n < 10; n++) expect((await ada.call('GET', PATH)).status).to.equal(200);
            expectError(await ada.call('GET', PATH), 'RATE_LIMITED');
        }));

    describe('of 10,000 entries', () => {
        const COUNT = 10_000;
        const LENGTH = 4_000;

        beforeEach(async () => {
            const details = JSON.stringify({ text: 'x'.repeat(LENGTH) });
            await writeAudit(app, ada.tenantId, COUNT, { fields: () => ({ details }) });
        });

        /** The answer on a real socket, of which nothing is read yet. */
        const open = async (query: string): Promise<IncomingMessage> => {
            const asked = request(`${app.server.info.uri}${PATH}?${query}`, {
                agent: false,
                headers: { authorization: `Bearer ${ada.accessToken}`, 'accept-encoding': 'identity' },
            });
            asked.on('error', () => undefined);
            asked.end();
            const [response] = (await once(asked, 'response')) as [IncomingMessage];
            return response.on('error', () => undefined);
        };

        for (const format of ['csv', 'ndjson']) {
            it(`is read from Redis as the client reads it, as ${format}`, async () => {
                let response: IncomingMessage | undefined;
                const commands = await watchCommands(app.redis, async () => {
                    response = await open(`format=${format}`);
                    await untilQuiet(app);
                });
                // 40 pages in all; what the sockets hold is a part of them. The wait asks for `info`.
                expect(commands.filter((name) => name !== 'info').length).to.be.between(3, 30);
                let rows = 0;
                for await (const chunk of response ?? []) rows += String(chunk).split('thread.create').length - 1;
                expect(rows).to.be.within(COUNT - 5, COUNT);
            });
        }

        it('ends when the client goes away, also while nothing is found that could be sent', async () => {
            await writeAudit(app, ada.tenantId, 100_000);
            const asked = request(`${app.server.info.uri}${PATH}?resourceId=none`, {
                agent: false,
                headers: { authorization: `Bearer ${ada.accessToken}` },
            });
            asked.on('error', () => undefined);
            asked.end();
            const [response] = (await once(asked, 'response')) as [IncomingMessage];
            response.on('error', () => undefined).destroy();
            const commands = await watchCommands(app.redis, () => untilQuiet(app));
            // 50 looks in all.
            expect(commands.filter((name) => name.startsWith('eval')).length).to.be.below(30);
        });
    });
});

/** Waits until Redis is asked nothing more. */
async function untilQuiet(app: TestApp): Promise<void> {
    const count = async () => Number(/total_commands_processed:(\d+)/.exec(await app.redis.info('stats'))?.[1]);
    for (let quiet = 0, before = await count(); quiet < 5;) {
        await sleep(50);
        const now = await count();
        // The question itself is one.
        quiet = now - before <= 1 ? quiet + 1 : 0;
        before = now;
    }
}
