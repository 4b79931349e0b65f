import { createHmac } from 'node:crypto';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, startReplicas, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { backupEvents } from '../../helpers/backups.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, after, beforeEach } = lab;

const PATH = '/api/webhooks/backup-complete';
const SECRET = 'a secret of more than thirty-two characters';
const ID = 'backup_2025-12-22_14-30-00';

describe('POST /api/webhooks/backup-complete', () => {
    let app: TestApp;
    let other: TestApp;
    let tenant: TestTenant;

    before(async () => {
        [app, other] = await startReplicas({ config: { BACKUP_WEBHOOK_SECRET: SECRET } });
    });

    after(async () => {
        await app.stop();
        await other.stop();
    });

    beforeEach(async () => {
        tenant = await newTenant(app);
    });

    const seconds = () => Math.floor(Date.now() / 1000);
    const noticeOf = (changes: object = {}) => ({
        tenantId: tenant.tenantId,
        backupId: ID,
        status: 'completed',
        metadata: { tables: 2, records: 1_247, duration: '15s' },
        ...changes,
    });
    const signed = (body: string, { secret = SECRET, at = String(seconds()) } = {}) => ({
        'content-type': 'application/json',
        'x-webhook-timestamp': at,
        'x-webhook-signature': `v1=${createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')}`,
    });
    const send = (body: string, headers: Record<string, string>, to = app) =>
        to.call('POST', PATH, { payload: body, headers });
    const tell = (notice: object, options = {}) => {
        const body = JSON.stringify(notice);
        return send(body, signed(body, options));
    };
    const stats = async () => (await tenant.call('GET', '/api/backups/stats')).body.data.stats;

    it('notes a backup that was made elsewhere', async () => {
        const { status, body } = await tell(noticeOf());
        expect(status).to.equal(200);
        expect(body.data.backup).to.equal({ id: ID, status: 'completed', external: true });
        const data = { backupId: ID, external: true, tables: 2, records: 1_247, duration: '15s' };
        expect(await backupEvents(app, tenant.tenantId)).to.equal([{ type: 'backup.completed', data }]);
        const audit = (await readAudit(app, tenant.tenantId)).at(-1);
        expect(audit).to.include({ action: 'backup.external', resource: 'backup', resourceId: ID, result: 'success' });
        expect(await stats()).to.include({ total: 0, external: { completed: 1, failed: 0 } });
        await tell(noticeOf({ status: 'failed' }));
        expect((await stats()).external).to.equal({ completed: 1, failed: 1 });
        expect((await backupEvents(app, tenant.tenantId)).at(-1)?.type).to.equal('backup.failed');
    });

    it('takes a notice once, of many at once and on another replica too', async () => {
        const body = JSON.stringify(noticeOf());
        const headers = signed(body);
        const answers = await Promise.all(
            Array.from({ length: 6 }, (_, n) => send(body, headers, n % 2 === 0 ? app : other)),
        );
        expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
        for (const answer of answers.filter(({ status }) => status !== 200)) expectError(answer, 'NOTICE_REFUSED');
        expect((await stats()).external.completed).to.equal(1);
    });

    it('refuses what is not signed, or by somebody else, or for another body or time', async () => {
        const body = JSON.stringify(noticeOf());
        const right = signed(body);
        const wrong: Record<string, string>[] = [
            { 'content-type': 'application/json' },
            { ...right, 'x-webhook-signature': 'v1=' },
            { ...right, 'x-webhook-signature': right['x-webhook-signature'].replace('v1=', '') },
            { ...right, 'x-webhook-signature': SECRET },
            { ...right, 'x-webhook-timestamp': String(seconds() - 1) },
            { ...right, 'x-webhook-timestamp': 'now' },
            signed(body, { secret: `${SECRET}.` }),
            signed(`${body} `),
        ];
        for (const headers of wrong) expectError(await send(body, headers), 'NOTICE_REFUSED');
        expect(await backupEvents(app, tenant.tenantId)).to.equal([]);
    });

    it('takes five minutes of difference and no more', async () => {
        for (const off of [-301, 301]) {
            expectError(await tell(noticeOf(), { at: String(seconds() + off) }), 'NOTICE_REFUSED');
        }
        for (const off of [-290, 290]) {
            expect((await tell(noticeOf(), { at: String(seconds() + off) })).status).to.equal(200);
        }
    });

    it('looks into the body only when it is signed', async () => {
        const faulty = noticeOf({ backupId: '../../etc/passwd', status: 'maybe', extra: 1 });
        expectFaults(await tell(faulty), ['backupId', 'status', 'extra']);
        expectFaults(await send('{', signed('{')), ['body']);
        expectError(await send('{', signed('{', { secret: 'another' })), 'NOTICE_REFUSED');
        const nobody = 'tenant_00000000000000000000000000';
        expectError(await tell(noticeOf({ tenantId: nobody })), 'TENANT_NOT_FOUND');
        expect(await app.redis.keys(`tenant:{${nobody}}:*`)).to.equal([]);
    });

    it('is switched off without a secret', async () => {
        const off = await startApp();
        const body = JSON.stringify(noticeOf());
        expectError(await send(body, signed(body), off), 'NOTICES_OFF');
        await off.stop();
    });

    it('takes sixty of an address in a minute', () =>
        app.inNoTime(async () => {
            const ask = () => app.call('POST', PATH, { payload: '{}', headers: signed('{}'), from: '198.51.100.7' });
            const codes: string[] = [];
            for (let n = 0; n < 61; n++) codes.push((await ask()).body.error.code);
            expect(codes.at(59)).to.equal('VALIDATION_ERROR');
            expect(codes.at(60)).to.equal('RATE_LIMITED');
        }));
});
