import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { newKey } from '../../helpers/api-key.ts';
import { startReplicas, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { writeCatalogue } from '../../helpers/catalogue.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { newTenant, platformToken, type TestTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const ROUTE = '/api/tenant';
const USUAL = { onDisconnect: 'finish', fallbackModels: [] };

let one: TestApp;
let two: TestApp;
let ada: TestTenant;

before(async () => {
    const CATALOGUE_FILE = writeCatalogue([{ id: 'big', aliases: ['large'] }, { id: 'small' }, { id: 'tiny' }]);
    [one, two] = await startReplicas({ config: { CATALOGUE_FILE } });
});

beforeEach(async () => {
    ada = await newTenant(one);
});

after(() => Promise.all([one.stop(), two.stop()]));

const patch = (payload: object, options: object = {}) => ada.call('PATCH', ROUTE, { payload, ...options });
const shown = async (app: TestApp = two) => (await app.call('GET', ROUTE, { token: ada.accessToken })).body.data.tenant;

describe('GET /api/tenant', () => {
    it('shows every user the tenant and its usual settings, and nothing of the platform’s business', async () => {
        const bob = await newUser(one, ada.tenantId, 'user');
        for (const user of [ada, bob]) {
            const { status, body, headers } = await user.call('GET', ROUTE);
            expect(status).to.equal(200);
            const { createdAt, updatedAt, ...tenant } = body.data.tenant;
            expect(tenant).to.equal({
                id: ada.tenantId,
                name: 'Test',
                domain: ada.domain,
                plan: 'free',
                status: 'active',
                settings: USUAL,
                revision: 1,
            });
            expect(updatedAt).to.equal(createdAt);
            expect(headers.etag).to.equal('"1"');
        }
    });

    it('takes profile:read of an API key', async () => {
        const key = await newKey(ada, { scopes: ['thread:read'] });
        expectError(await one.call('GET', ROUTE, { token: key.secret }), 'FORBIDDEN');
    });

    it('shows the settings of a record that was made before there were any', async () => {
        await one.redis.hdel(tenantKey(ada.tenantId, 'info'), 'settings');
        expect((await shown()).settings).to.equal(USUAL);
    });
});

describe('PATCH /api/tenant', () => {
    it('changes what is named, and every replica knows it at once', async () => {
        const { status, body, headers } = await patch({ settings: { fallbackModels: ['large', 'small', 'big'] } });
        expect(status).to.equal(200);
        expect(body.data.tenant.settings).to.equal({ onDisconnect: 'finish', fallbackModels: ['big', 'small'] });
        expect(headers.etag).to.equal('"2"');
        expect(await shown()).to.equal(body.data.tenant);
        await patch({ name: ' Acme ', settings: { onDisconnect: 'cancel' } });
        const settings = { onDisconnect: 'cancel', fallbackModels: ['big', 'small'] };
        expect(await shown()).to.include({ name: 'Acme', settings, revision: 3 });
        await patch({ settings: { fallbackModels: [] } });
        expect((await shown()).settings).to.equal({ onDisconnect: 'cancel', fallbackModels: [] });
    });

    it('keeps what a platform admin has set, and is kept by it', async () => {
        const token = await platformToken(one);
        const url = `/api/admin/tenants/${ada.tenantId}`;
        await one.call('PATCH', url, { token, payload: { plan: 'premium', limits: { projects: 1 } } });
        await patch({ settings: { onDisconnect: 'cancel' } });
        await one.call('PATCH', url, { token, payload: { name: 'Renamed' } });
        const { tenant } = (await one.call('GET', url, { token })).body.data;
        expect(tenant).to.include({ name: 'Renamed', plan: 'premium', limits: { projects: 1 } });
        expect(tenant.settings).to.equal({ onDisconnect: 'cancel', fallbackModels: [] });
    });

    it('changes one revision only where If-Match names it, of twenty at once one', async () => {
        const answers = await Promise.all(
            Array.from({ length: 20 }, (_, n) =>
                (n % 2 === 0 ? one : two).call('PATCH', ROUTE, {
                    token: ada.accessToken,
                    headers: { 'if-match': '"1"' },
                    payload: { name: `Name ${n}` },
                }),
            ),
        );
        const good = answers.filter(({ status }) => status === 200);
        expect(good).to.have.length(1);
        for (const answer of answers.filter(({ status }) => status !== 200)) expectError(answer, 'REVISION_MISMATCH');
        expect(await shown()).to.include({ name: good[0]?.body.data.tenant.name, revision: 2 });
    });

    it('loses no change of several at once', async () => {
        const changes = [
            { name: 'Acme' },
            { settings: { onDisconnect: 'cancel' } },
            { settings: { fallbackModels: ['tiny'] } },
        ];
        const answers = await Promise.all(changes.map((change) => patch(change)));
        expect(answers.map(({ status }) => status)).to.equal([200, 200, 200]);
        const settings = { onDisconnect: 'cancel', fallbackModels: ['tiny'] };
        expect(await shown()).to.include({ name: 'Acme', settings, revision: 4 });
    });

    it('tells the tenant’s events and audit, and nobody else’s', async () => {
        await patch({ settings: { onDisconnect: 'cancel' } });
        const audit = await readAudit(one, ada.tenantId);
        expect(audit.at(-1)).to.include({ action: 'tenant.update', result: 'success', userId: ada.userId });
        expect(JSON.parse(audit.at(-1)?.details ?? '')).to.equal({ fields: ['settings'] });
        const events = await one.redis.xrange(tenantKey(ada.tenantId, 'events'), '-', '+');
        expect(events.at(-1)?.[1]).to.include('tenant.updated');
        const told = (await readAudit(one, 'platform')).filter(({ resourceId }) => resourceId === ada.tenantId);
        expect(told).to.equal([]);
    });

    it('does not know a model that is not in the catalogue, and changes nothing', async () => {
        const answer = await patch({ name: 'Acme', settings: { fallbackModels: ['big', 'gpt-1'] } });
        expect(expectError(answer, 'MODEL_NOT_FOUND').details).to.equal({ model: 'gpt-1' });
        expect(await shown()).to.include({ name: 'Test', revision: 1 });
    });

    for (const [what, payload, fields] of [
        ['an unknown setting', { settings: { color: 'red' } }, ['settings.color']],
        ['settings without any', { settings: {} }, ['settings']],
        [
            'four models',
            { settings: { fallbackModels: ['big', 'small', 'tiny', 'large'] } },
            ['settings.fallbackModels'],
        ],
        ['another word for what to do', { settings: { onDisconnect: 'wait' } }, ['settings.onDisconnect']],
        ['an empty name', { name: ' ' }, ['name']],
        ['another plan', { plan: 'enterprise' }, ['plan']],
        ['another domain', { domain: 'other.example' }, ['domain']],
        ['figures of its own', { limits: { projects: 1 } }, ['limits']],
    ] as [string, object, string[]][]) {
        it(`refuses ${what}`, async () => {
            expectFaults(await patch(payload), fields);
            expect(await shown()).to.include({ plan: 'free', revision: 1 });
        });
    }

    it('is for admins, and for API keys that may', async () => {
        const bob = await newUser(one, ada.tenantId, 'user');
        expectError(await bob.call('PATCH', ROUTE, { payload: { name: 'Taken' } }), 'FORBIDDEN');
        const key = await newKey(ada, { scopes: ['profile:read', 'profile:write', 'user:write'] });
        expectError(await one.call('PATCH', ROUTE, { payload: { name: 'Taken' }, token: key.secret }), 'FORBIDDEN');
        const good = await newKey(ada, { scopes: ['settings:write'] });
        const payload = { name: 'Acme' };
        expect((await one.call('PATCH', ROUTE, { payload, token: good.secret })).status).to.equal(200);
    });

    it('changes no other tenant', async () => {
        const eve = await newTenant(one);
        await eve.call('PATCH', ROUTE, { payload: { settings: { onDisconnect: 'cancel', fallbackModels: ['big'] } } });
        expect(await shown()).to.include({ settings: USUAL, revision: 1 });
    });

    it('is held to 20 a minute', () =>
        one.inNoTime(async () => {
            const answers = await Promise.all(Array.from({ length: 26 }, () => patch({ plan: 'none' })));
            expect(answers.filter(({ status }) => status === 429).length).to.equal(6);
        }));
});
