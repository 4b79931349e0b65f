import { createHash } from 'node:crypto';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { newKey } from '../../helpers/api-key.ts';
import { startApp, type Answer, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { setLimits } from '../../helpers/limits.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const PAYLOAD = { name: 'Reports', scopes: ['thread:read'] };
const statusesOf = (answers: Answer[]) => answers.map(({ status }) => status).toSorted((a, b) => a - b);

let app: TestApp;
let ada: TestTenant;

before(async () => {
    app = await startApp();
});

beforeEach(async () => {
    ada = await newTenant(app);
});

after(() => app.stop());

const threads = (token: string) => app.call('GET', '/api/threads', { token });

describe('POST /api/keys', () => {
    it('answers with the key and its secret, once', async () => {
        const { status, body, headers } = await ada.call('POST', '/api/keys', { payload: PAYLOAD });
        expect(status).to.equal(201);
        const { key, secret } = body.data;
        expect(key).to.include({ ...PAYLOAD, requestsPerMinute: null, expiresAt: null, lastUsedAt: null, revision: 1 });
        expect(headers.etag).to.equal('"1"');
        expect(secret).to.match(/^lal_[0-9A-Z]{52}_[\w-]{43}[0-9a-z]{7}$/);
        expect(secret).to.contain(key.id.slice('key_'.length));
        const shown = [await ada.call('GET', `/api/keys/${key.id}`), await ada.call('GET', '/api/keys')];
        for (const { status: read, text } of shown) {
            expect(read).to.equal(200);
            expect(text).to.contain(key.id).and.not.contain(secret.slice(57)).and.not.contain('hash');
        }
    });

    it('keeps nothing of the secret but its SHA-256', async () => {
        const { id, secret } = await newKey(ada);
        const record = await app.redis.hgetall(tenantKey(ada.tenantId, 'key', id));
        expect(record.hash).to.equal(createHash('sha256').update(secret).digest('base64url'));
        const names = await app.redis.keys(`tenant:{${ada.tenantId}}:*`);
        const values = await Promise.all(names.map((name) => app.redis.dumpBuffer(name)));
        for (const value of values) expect(value.includes(secret.slice(57))).to.be.false();
        expect(JSON.stringify(app.logs)).to.not.contain(secret.slice(57));
    });

    it('refuses a scope that its maker has not', async () => {
        const payload = { name: 'Too much', scopes: ['thread:read', 'tenant:suspend'] };
        const error = expectError(await ada.call('POST', '/api/keys', { payload }), 'FORBIDDEN');
        expect(error.details.permission).to.equal('tenant:suspend');
    });

    for (const [what, payload, fields] of [
        ['no fields', {}, ['name', 'scopes']],
        ['a scope of another form', { ...PAYLOAD, scopes: ['everything'] }, ['scopes.0']],
        ['no scopes', { ...PAYLOAD, scopes: [] }, ['scopes']],
        ['a rate of none', { ...PAYLOAD, requestsPerMinute: 0 }, ['requestsPerMinute']],
        ['a time that is none', { ...PAYLOAD, expiresAt: 'tomorrow' }, ['expiresAt']],
        ['a week as the time', { ...PAYLOAD, expiresAt: '2027-W01' }, ['expiresAt']],
        ['an unknown field', { ...PAYLOAD, hash: 'x' }, ['hash']],
    ] as const) {
        it(`refuses ${what}`, async () => {
            expectFaults(await ada.call('POST', '/api/keys', { payload }), [...fields]);
        });
    }

    it('makes no more keys than the tier allows, also when they are asked for at once', async () => {
        await setLimits(app, ada.tenantId, { apiKeys: 3 });
        const make = () => ada.call('POST', '/api/keys', { payload: PAYLOAD });
        const answers = await Promise.all(Array.from({ length: 10 }, make));
        expect(statusesOf(answers)).to.equal([201, 201, 201, ...Array<number>(7).fill(429)]);
        const error = expectError(await make(), 'QUOTA_EXCEEDED');
        expect(error.details).to.equal({ quota: 'apiKeys', used: 3, limit: 3, resetsAt: null });
    });
});

describe('GET /api/keys', () => {
    it('lists the user’s own keys, newest first, page by page', async () => {
        const ids = [(await newKey(ada)).id, (await newKey(ada)).id, (await newKey(ada)).id];
        const colleague = await newUser(app, ada.tenantId, 'user');
        await newKey(colleague);
        const first = await ada.call('GET', '/api/keys?limit=2');
        const { cursor, ...rest } = first.body.pagination;
        expect(rest).to.equal({ limit: 2, hasMore: true, totalCount: 3 });
        const second = await ada.call('GET', `/api/keys?limit=2&cursor=${encodeURIComponent(cursor)}`);
        const listed = [...first.body.data.keys, ...second.body.data.keys].map(({ id }) => id);
        expect(listed).to.equal(ids.toReversed());
    });
});

describe('PATCH /api/keys/{keyId}', () => {
    it('changes what the key may do, on its next request', async () => {
        const { id, secret } = await newKey(ada);
        expect((await threads(secret)).status).to.equal(200);
        const changes = { scopes: ['model:read'], name: 'Models only' };
        const { status, body } = await ada.call('PATCH', `/api/keys/${id}`, { payload: changes });
        expect([status, body.data.key.revision]).to.equal([200, 2]);
        expect(body.data.key).to.include(changes);
        expectError(await threads(secret), 'FORBIDDEN');
        expect((await app.call('GET', '/api/models', { token: secret })).status).to.equal(200);
    });

    it('changes only the revision that If-Match names', async () => {
        const { id } = await newKey(ada);
        const change = (tag: string) =>
            ada.call('PATCH', `/api/keys/${id}`, { payload: { name: 'New' }, headers: { 'if-match': tag } });
        expectError(await change('"7"'), 'REVISION_MISMATCH');
        expect((await change('"1"')).status).to.equal(200);
    });

    it('refuses a scope that the user has not, and a body without changes', async () => {
        const { id } = await newKey(ada);
        const change = (payload: object) => ada.call('PATCH', `/api/keys/${id}`, { payload });
        expectError(await change({ scopes: ['limit:read'] }), 'FORBIDDEN');
        expectError(await change({}), 'VALIDATION_ERROR');
    });
});

describe('POST /api/keys/{keyId}/rotate', () => {
    const rotate = (id: string, payload: object = {}) => ada.call('POST', `/api/keys/${id}/rotate`, { payload });

    it('gives a new secret and refuses the old one at once', async () => {
        const { id, secret } = await newKey(ada);
        const { status, body } = await rotate(id);
        expect([status, body.data.key.previousSecretExpiresAt]).to.equal([200, null]);
        expectError(await threads(secret), 'KEY_INVALID');
        expect((await threads(body.data.secret)).status).to.equal(200);
    });

    it('takes the old secret for the grace, and no longer', async () => {
        const own = await startApp();
        const tenant = await newTenant(own);
        const { id, secret } = await newKey(tenant);
        await tenant.call('POST', `/api/keys/${id}/rotate`, { payload: { graceSeconds: 60 } });
        const use = () => own.call('GET', '/api/threads', { token: secret });
        await own.advance(55_000);
        expect((await use()).status).to.equal(200);
        await own.advance(6_000);
        expectError(await use(), 'KEY_INVALID');
        await own.stop();
    });

    it('lets one of several at once win', async () => {
        const { id } = await newKey(ada);
        const answers = await Promise.all(Array.from({ length: 8 }, () => rotate(id)));
        const won = answers.filter(({ status }) => status === 200);
        expect(won.length).to.be.at.least(1);
        for (const answer of answers) if (answer.status !== 200) expectError(answer, 'REVISION_MISMATCH');
        const alive = await Promise.all(won.map(({ body }) => threads(body.data.secret)));
        expect(alive.filter(({ status }) => status === 200)).to.have.length(1);
    });

    it('refuses a grace of more than a week', async () => {
        const { id } = await newKey(ada);
        expectFaults(await rotate(id, { graceSeconds: 604_801 }), ['graceSeconds']);
    });
});

describe('DELETE /api/keys/{keyId}', () => {
    it('revokes the key on the next request', async () => {
        const { id, secret } = await newKey(ada);
        const { status, body } = await ada.call('DELETE', `/api/keys/${id}`);
        expect([status, body.data]).to.equal([200, { revoked: true }]);
        expectError(await threads(secret), 'KEY_INVALID');
        expectError(await ada.call('GET', `/api/keys/${id}`), 'KEY_NOT_FOUND');
        expectError(await ada.call('DELETE', `/api/keys/${id}`), 'KEY_NOT_FOUND');
    });

    it('does not find the key of a colleague', async () => {
        const { id } = await newKey(ada);
        const colleague = await newUser(app, ada.tenantId, 'admin');
        for (const method of ['GET', 'DELETE']) {
            expectError(await colleague.call(method, `/api/keys/${id}`), 'KEY_NOT_FOUND');
        }
    });

    it('is told in the audit, as making and rotating are', async () => {
        const { id, secret } = await newKey(ada);
        await ada.call('POST', `/api/keys/${id}/rotate`, { payload: {} });
        await ada.call('DELETE', `/api/keys/${id}`);
        const entries = (await readAudit(app, ada.tenantId)).filter(({ resource }) => resource === 'key');
        expect(entries.map(({ action }) => action)).to.equal(['key.create', 'key.rotate', 'key.revoke']);
        for (const entry of entries) expect(entry).to.include({ userId: ada.userId, resourceId: id });
        expect(JSON.stringify(entries)).to.not.contain(secret);
    });
});
