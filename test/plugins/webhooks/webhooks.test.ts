import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { Webhook } from 'standardwebhooks';

import { newKey } from '../../helpers/api-key.ts';
import { startApp, startReplicas, type Answer, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';
import { eventsOf } from '../../helpers/vm.ts';
import {
    newWebhook,
    PRIVATE_WEBHOOKS,
    startReceiver,
    storedWebhook,
    type TestReceiver,
} from '../../helpers/webhook.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after, afterEach } = lab;

const FILTER = { events: ['thread.*'], conditions: [] };
const NOBODYS = '/api/webhooks/hook_00000000000000000000000000';
const statusesOf = (answers: Answer[]) => answers.map(({ status }) => status).toSorted((a, b) => a - b);

let app: TestApp;
let ada: TestTenant;
let receiver: TestReceiver;

before(async () => {
    app = await startApp({ config: PRIVATE_WEBHOOKS });
});

beforeEach(async () => {
    ada = await newTenant(app);
    receiver = await startReceiver();
});

afterEach(() => receiver.stop());
after(() => app.stop());

const create = (more: object = {}) =>
    ada.call('POST', '/api/webhooks', { payload: { url: receiver.url, filter: FILTER, ...more } });

describe('POST /api/webhooks', () => {
    it('creates a webhook and shows its secret, with an event and an audit entry', async () => {
        const { status, body, headers } = await create({ description: ' Operations ' });
        expect(status).to.equal(201);
        const { webhook, secret } = body.data;
        expect(webhook).to.include({ url: receiver.url, description: 'Operations', isActive: true, revision: 1 });
        expect(webhook).to.include({ filter: FILTER, mapping: null, format: 'standard', disabledReason: null });
        expect(webhook.id).to.match(/^hook_/);
        expect(secret).to.match(/^whsec_/);
        expect(headers.etag).to.equal('"1"');
        const [event] = await eventsOf(app, ada.tenantId, 'webhook.');
        expect(event).to.equal({ type: 'webhook.created', data: { webhookId: webhook.id } });
        const entry = (await readAudit(app, ada.tenantId)).find(({ action }) => action === 'webhook.create');
        expect(entry).to.include({ resourceId: webhook.id, userId: ada.userId, result: 'success' });
    });

    for (const [what, more, fields] of [
        ['no URL', { url: undefined }, ['url']],
        ['no filter', { filter: undefined }, ['filter']],
        ['no pattern', { filter: { events: [] } }, ['filter.events']],
        ['another format', { format: 'xml' }, ['format']],
        ['a mapping to a prototype', { mapping: { '__proto__.x': 'data.threadId' } }, ['mapping']],
        ['a secret of the user’s', { secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' }, ['secret']],
        ['a URL that is too long', { url: `https://a.example/${'a'.repeat(2_048)}` }, ['url']],
    ] as const) {
        it(`refuses ${what}`, async () => expectFaults(await create(more), [...fields]));
    }

    it('refuses a URL that webhooks may not be sent to', async () => {
        for (const url of ['ftp://a.example/', 'http://169.254.169.254/', 'https://ada:pw@a.example/', 'no url']) {
            expectError(await create({ url }), 'WEBHOOK_URL_REFUSED');
        }
        expect((await ada.call('GET', '/api/webhooks')).body.data.webhooks).to.equal([]);
    });

    it('makes no more than 20 for a tenant, also when they are asked for at once on two replicas', async () => {
        const replicas = await startReplicas({ config: PRIVATE_WEBHOOKS });
        const own = await newTenant(replicas[0]);
        // The limit of requests is the user's: another admin goes on.
        const admin = await newUser(replicas[0], own.tenantId, 'admin');
        const payload = { url: receiver.url, filter: FILTER };
        const post = (count: number, token: string) =>
            Promise.all(
                Array.from({ length: count }, (_, n) =>
                    (n % 2 ? replicas[0] : replicas[1]).call('POST', '/api/webhooks', { token, payload }),
                ),
            );
        await post(18, own.accessToken);
        const rest = await post(10, admin.accessToken);
        expect(statusesOf(rest)).to.equal([201, 201, ...Array<number>(8).fill(409)]);
        const refused = rest.find(({ status }) => status === 409) as Answer;
        expect(expectError(refused, 'WEBHOOK_LIMIT_REACHED').details).to.equal({ limit: 20 });
        await Promise.all(replicas.map((replica) => replica.stop()));
    });

    it('takes the permission webhook:write, which admins have', async () => {
        const user = await newUser(app, ada.tenantId, 'user');
        const options = { payload: { url: receiver.url, filter: FILTER } };
        expectError(await user.call('POST', '/api/webhooks', options), 'FORBIDDEN');
        expectError(await user.call('GET', '/api/webhooks'), 'FORBIDDEN');
        const { secret: token } = await newKey(ada, { scopes: ['webhook:read'] });
        expectError(await app.call('POST', '/api/webhooks', { ...options, token }), 'FORBIDDEN');
        expect((await app.call('GET', '/api/webhooks', { token })).status).to.equal(200);
    });
});

describe('GET /api/webhooks', () => {
    it('lists the tenant’s webhooks, newest first, page by page', async () => {
        const ids: string[] = [];
        for (let n = 0; n < 3; n++) ids.push((await newWebhook(ada, receiver.url)).id);
        await newWebhook(await newTenant(app), receiver.url);
        const first = await ada.call('GET', '/api/webhooks?limit=2');
        expect(first.body.pagination).to.include({ hasMore: true, totalCount: 3 });
        const rest = await ada.call('GET', `/api/webhooks?limit=2&cursor=${first.body.pagination.cursor}`);
        const listed = [first, rest].flatMap(({ body }) => body.data.webhooks.map(({ id }: { id: string }) => id));
        expect(listed).to.equal(ids.toReversed());
        expectError(await ada.call('GET', '/api/webhooks?cursor=none'), 'INVALID_CURSOR');
    });
});

describe('PATCH /api/webhooks/{webhookId}', () => {
    it('changes what is named, and tells of it', async () => {
        const { id, path } = await newWebhook(ada, receiver.url);
        const { body, headers } = await ada.call('PATCH', path, { payload: { isActive: false, format: 'slack' } });
        expect(body.data.webhook).to.include({ isActive: false, format: 'slack', revision: 2, url: receiver.url });
        expect(headers.etag).to.equal('"2"');
        expect((await ada.call('GET', path)).body.data).to.equal(body.data);
        expect((await eventsOf(app, ada.tenantId, 'webhook.updated'))[0]?.data).to.equal({ webhookId: id });
        const entry = (await readAudit(app, ada.tenantId)).find(({ action }) => action === 'webhook.update');
        expect(JSON.parse(entry?.details ?? '{}')).to.equal({ fields: ['isActive', 'format'] });
    });

    it('forgets the failures of one that is made active or sent elsewhere', async () => {
        for (const payload of [{ isActive: true }, { url: `${receiver.url}/new` }]) {
            const { id, path } = await newWebhook(ada, receiver.url);
            await storedWebhook(app, ada.tenantId, id, { failingSince: '1', isActive: '0', disabledReason: 'gone' });
            const { webhook } = (await ada.call('PATCH', path, { payload })).body.data;
            expect(webhook.failingSince).to.be.null();
            expect([webhook.isActive, webhook.disabledReason]).to.equal(
                'url' in payload ? [false, 'gone'] : [true, null],
            );
        }
    });

    it('changes the revision of If-Match only, and one of ten at once', async () => {
        const { path } = await newWebhook(ada, receiver.url);
        const patch = (n: number) =>
            ada.call('PATCH', path, { payload: { description: `No. ${n}` }, headers: { 'if-match': '"1"' } });
        const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => patch(n)));
        expect(statusesOf(answers)).to.equal([200, ...Array<number>(9).fill(412)]);
        expectError(await patch(11), 'REVISION_MISMATCH');
    });

    it('refuses a URL that webhooks may not be sent to, and one that is nobody’s', async () => {
        const { path } = await newWebhook(ada, receiver.url);
        const payload = { url: 'http://169.254.169.254/' };
        expectError(await ada.call('PATCH', path, { payload }), 'WEBHOOK_URL_REFUSED');
        expectError(await ada.call('PATCH', NOBODYS, { payload }), 'WEBHOOK_NOT_FOUND');
        expectFaults(await ada.call('PATCH', path, { payload: { secret: 'mine' } }), ['secret']);
        expect((await ada.call('GET', path)).body.data.webhook.url).to.equal(receiver.url);
    });
});

describe('DELETE /api/webhooks/{webhookId}', () => {
    it('deletes it, once, with an event and an audit entry', async () => {
        const { id, path } = await newWebhook(ada, receiver.url);
        expectError(await ada.call('DELETE', path, { headers: { 'if-match': '"7"' } }), 'REVISION_MISMATCH');
        const answers = await Promise.all(Array.from({ length: 5 }, () => ada.call('DELETE', path)));
        expect(statusesOf(answers)).to.equal([200, 404, 404, 404, 404]);
        expectError(await ada.call('GET', path), 'WEBHOOK_NOT_FOUND');
        expect(await eventsOf(app, ada.tenantId, 'webhook.deleted')).to.have.length(1);
        const entries = (await readAudit(app, ada.tenantId)).filter(({ action }) => action === 'webhook.delete');
        expect(entries.map(({ resourceId }) => resourceId)).to.equal([id]);
    });
});

describe('POST /api/webhooks/{webhookId}/test', () => {
    const test = async (path: string) => (await ada.call('POST', `${path}/test`)).body.data.attempt;

    it('sends a signed event of its own at once and tells what came of it', async () => {
        const { id, path, secret } = await newWebhook(ada, receiver.url);
        const attempt = await test(path);
        expect(attempt).to.include({ outcome: 'delivered', status: 204, failure: null });
        const [{ headers, body } = { headers: {}, body: '' }] = receiver.received;
        const event = new Webhook(secret).verify(body, headers);
        expect(event).to.include({ type: 'webhook.test', data: { webhookId: id } });
        expect(headers['webhook-id']).to.match(/^evt_/);
        expect((await readAudit(app, ada.tenantId)).map(({ action }) => action)).to.include('webhook.test');
    });

    it('tells of a failure, which counts for nothing, also of one that is disabled', async () => {
        const { path } = await newWebhook(ada, receiver.url, { isActive: false });
        receiver.status = 410;
        expect(await test(path)).to.include({ outcome: 'gone', status: 410, responseBody: 'answer 1' });
        receiver.status = 500;
        expect(await test(path)).to.include({ outcome: 'failed', status: 500 });
        const { webhook } = (await ada.call('GET', path)).body.data;
        expect(webhook).to.include({ isActive: false, disabledReason: null, failingSince: null, lastDeliveryAt: null });
        expectError(await ada.call('POST', `${NOBODYS}/test`), 'WEBHOOK_NOT_FOUND');
    });
});

describe('POST /api/webhooks/{webhookId}/rotate-secret', () => {
    const rotate = (path: string, payload = {}) => ada.call('POST', `${path}/rotate-secret`, { payload });
    const signs = async (path: string, secret: string): Promise<boolean> => {
        await ada.call('POST', `${path}/test`);
        const { headers, body } = receiver.received.at(-1) ?? { headers: {}, body: '' };
        // The library refuses a time that is not about now: the clock may have been moved.
        const webhook = new Webhook(secret);
        const time = new Date(Number(headers['webhook-timestamp']) * 1_000);
        const expected = webhook.sign(headers['webhook-id'] ?? '', time, body);
        return (headers['webhook-signature'] ?? '').split(' ').includes(expected);
    };

    it('gives it a new secret, beside which the old one signs until its time', async () => {
        const { path, secret: old } = await newWebhook(ada, receiver.url);
        const { body } = await rotate(path, { graceSeconds: 60 });
        const { webhook, secret } = body.data;
        expect(secret)
            .to.match(/^whsec_/)
            .and.not.equal(old);
        expect(Date.parse(webhook.previousSecretExpiresAt)).to.be.above(Date.parse(webhook.updatedAt) + 50_000);
        await ada.call('POST', `${path}/test`);
        const { headers, body: sent } = receiver.received[0] ?? { headers: {}, body: '' };
        for (const one of [secret, old]) expect(() => new Webhook(one).verify(sent, headers)).to.not.throw();
        await app.advance(61_000);
        expect([await signs(path, secret), await signs(path, old)]).to.equal([true, false]);
    });

    it('takes the old one at once when there is to be no grace', async () => {
        const { path, secret: old } = await newWebhook(ada, receiver.url);
        const { webhook, secret } = (await rotate(path, { graceSeconds: 0 })).body.data;
        expect(webhook.previousSecretExpiresAt).to.be.null();
        expect([await signs(path, secret), await signs(path, old)]).to.equal([true, false]);
    });

    it('is done once of several at once: a secret that was shown is not void already', async () => {
        const { path } = await newWebhook(ada, receiver.url);
        const answers = await Promise.all(Array.from({ length: 5 }, () => rotate(path)));
        const won = answers.filter(({ status }) => status === 200);
        for (const answer of answers) if (answer.status !== 200) expectError(answer, 'REVISION_MISMATCH');
        expect(won.length).to.be.at.least(1);
        expect(await signs(path, won.at(-1)?.body.data.secret)).to.be.true();
    });

    it('refuses a grace of more than a day, and a webhook that is nobody’s', async () => {
        const { path } = await newWebhook(ada, receiver.url);
        expectFaults(await rotate(path, { graceSeconds: 86_401 }), ['graceSeconds']);
        expectError(await rotate(NOBODYS), 'WEBHOOK_NOT_FOUND');
    });
});

describe('The secret of a webhook', () => {
    it('is in no other answer, event, audit entry, log line or key', async () => {
        const { path, secret: old } = await newWebhook(ada, receiver.url);
        const rotated = await ada.call('POST', `${path}/rotate-secret`, { payload: {} });
        await ada.call('PATCH', path, { payload: { description: 'Seen' } });
        await ada.call('POST', `${path}/test`);
        const answers = await Promise.all([ada.call('GET', path), ada.call('GET', '/api/webhooks')]);
        const keys = await app.redis.keys(`tenant:{${ada.tenantId}}:webhook*`);
        const hashes = await Promise.all(
            keys.map(async (key) => ((await app.redis.type(key)) === 'hash' ? app.redis.hgetall(key) : {})),
        );
        const audit = await readAudit(app, ada.tenantId);
        const told = [answers.map(({ text }) => text), hashes, audit, await eventsOf(app, ada.tenantId, ''), app.logs];
        for (const secret of [old, String(rotated.body.data.secret)]) {
            expect(JSON.stringify(told)).to.not.contain(secret.slice('whsec_'.length));
        }
        expect(JSON.stringify(answers.map(({ body }) => body))).to.not.contain('"secret"');
    });
});
