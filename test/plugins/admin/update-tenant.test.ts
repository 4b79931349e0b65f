import { randomBytes } from 'node:crypto';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { newTenant, platformToken, type TestTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const UNKNOWN = 'tenant_00000000000000000000000000';
const routeOf = (tenantId: string) => `/api/admin/tenants/${tenantId}`;
const newDomain = () => `${randomBytes(8).toString('hex')}.example`;

describe('PATCH /api/admin/tenants/{tenantId}', () => {
    let app: TestApp;
    let replica: TestApp;
    let token: string;
    const patch = (tenantId: string, payload: object, options: object = {}) =>
        app.call('PATCH', routeOf(tenantId), { token, payload, ...options });
    const login = ({ email, password }: TestTenant, domain: string) =>
        app.call('POST', '/api/login', { payload: { email, password, domain } });

    before(async () => {
        app = await startApp();
        replica = await startApp({ config: { JWT_KEYS: app.config.JWT_KEYS } });
        token = await platformToken(app);
    });

    after(() => Promise.all([app.stop(), replica.stop()]));

    it('gives the changed tenant with its ETag', async () => {
        const { tenantId, domain } = await newTenant(app);
        const { status, body, headers } = await patch(tenantId, { name: ' Acme ', plan: 'premium' });
        expect(status).to.equal(200);
        expect(body.data.tenant).to.include({ id: tenantId, name: 'Acme', plan: 'premium', domain, limits: null });
        expect(headers.etag).to.equal('"2"');
        const shown = await app.call('GET', routeOf(tenantId), { token });
        expect(shown.body.data.tenant).to.equal(body.data.tenant);
        expect(shown.headers.etag).to.equal('"2"');
    });

    it('holds from the next request on, on every server', async () => {
        const { tenantId, accessToken } = await newTenant(app);
        const limit = async () => {
            const { headers } = await replica.call('GET', '/api/auth/me', { token: accessToken });
            return Number(headers['x-ratelimit-limit']);
        };
        expect(await limit()).to.equal(100);
        await patch(tenantId, { plan: 'premium' });
        expect(await limit()).to.equal(500);
        await patch(tenantId, { limits: { requestsPerMinute: 7 } });
        expect(await limit()).to.equal(7);
        await patch(tenantId, { limits: null });
        expect(await limit()).to.equal(500);
    });

    it('sets figures one by one, and takes them away', async () => {
        const { tenantId } = await newTenant(app);
        const limits = async (change: object | null) =>
            (await patch(tenantId, { limits: change })).body.data.tenant.limits as unknown;
        const most = Number.MAX_SAFE_INTEGER;
        expect(await limits({ relayedBytesPerMonth: most, vms: 1 })).to.equal({ relayedBytesPerMonth: most, vms: 1 });
        expect(await limits({ projects: 0, vms: null })).to.equal({ relayedBytesPerMonth: most, projects: 0 });
        expect(await limits({ projects: null, relayedBytesPerMonth: null, vms: null })).to.be.null();
        expect(await limits({ apiKeys: 3 })).to.equal({ apiKeys: 3 });
        expect(await limits(null)).to.be.null();
    });

    it('loses none of the figures that are set at once', async () => {
        const { tenantId } = await newTenant(app);
        const names = ['requestsPerMinute', 'tunnels', 'proxies', 'projects', 'vms', 'apiKeys'];
        const answers = await Promise.all(names.map((name) => patch(tenantId, { limits: { [name]: 9 } })));
        expect(answers.map(({ status }) => status)).to.equal(names.map(() => 200));
        const { body } = await app.call('GET', routeOf(tenantId), { token });
        expect(body.data.tenant.limits).to.equal(Object.fromEntries(names.map((name) => [name, 9])));
        expect(body.data.tenant.revision).to.equal(names.length + 1);
    });

    it('changes the revision that If-Match names, and no other', async () => {
        const { tenantId } = await newTenant(app);
        const at = (tag: string, change: object) => patch(tenantId, change, { headers: { 'if-match': tag } });
        expectError(await at('"2"', { name: 'Late', domain: newDomain() }), 'REVISION_MISMATCH');
        const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => at('"1"', { name: `N${n}` })));
        expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
        for (const answer of answers.filter(({ status }) => status !== 200)) expectError(answer, 'REVISION_MISMATCH');
        expect((await at('*', { name: 'Any' })).body.data.tenant).to.include({ name: 'Any', revision: 3 });
    });

    it('is audited in the tenant and in the platform, and told to the tenant', async () => {
        const { tenantId } = await newTenant(app);
        const id = `upd-${tenantId.slice(-20)}`;
        await patch(tenantId, { plan: 'premium', domain: newDomain() }, { headers: { 'x-request-id': id } });
        const told = async (place: string) =>
            (await readAudit(app, place)).filter(({ correlationId }) => correlationId === id);
        const expected = {
            action: 'tenant.update',
            resource: 'tenant',
            resourceId: tenantId,
            result: 'success',
            details: '{"fields":["plan","domain"]}',
        };
        const [entry, ...more] = await told(tenantId);
        expect(entry).to.include(expected);
        expect(more).to.equal([]);
        expect(await told('platform')).to.equal([{ ...entry, result: 'intended' }, entry]);
        const events = await app.redis.xrange(tenantKey(tenantId, 'events'), '-', '+');
        const data = JSON.stringify({ tenantId });
        expect(events.at(-1)?.[1]).to.equal(['type', 'tenant.updated', 'data', data, 'requestId', id]);
    });

    it('audits a refusal in the platform', async () => {
        const { tenantId } = await newTenant(app);
        const { domain } = await newTenant(app);
        const id = `ref-${tenantId.slice(-20)}`;
        expectError(await patch(tenantId, { domain }, { headers: { 'x-request-id': id } }), 'DOMAIN_TAKEN');
        const entries = (await readAudit(app, 'platform')).filter(({ correlationId }) => correlationId === id);
        expect(entries.map(({ result }) => result)).to.equal(['intended', 'DOMAIN_TAKEN']);
    });

    describe('with another domain', () => {
        const claims = () => app.redis.zrange(tenantKey('platform', 'domain-claims'), '0', '-1');

        it('leads the login by the new one, whatever its case, and frees the old one', async () => {
            const tenant = await newTenant(app);
            const domain = newDomain();
            const { body } = await patch(tenant.tenantId, { domain: domain.toUpperCase() });
            expect(body.data.tenant.domain).to.equal(domain);
            expect((await login(tenant, domain)).status).to.equal(200);
            expectError(await login(tenant, tenant.domain), 'INVALID_CREDENTIALS');
            expect((await claims()).filter((claim) => claim.startsWith(tenant.tenantId))).to.equal([]);

            const registration = { tenantName: 'Next', domain: tenant.domain, email: 'b@b.example' };
            const next = await app.call('POST', '/api/auth/register', {
                payload: { ...registration, password: 'a password for a test' },
            });
            expect(next.status).to.equal(201);
        });

        it('takes the one it has for none, and can go back', async () => {
            const tenant = await newTenant(app);
            const { tenantId, domain } = tenant;
            expect((await patch(tenantId, { domain })).body.data.tenant).to.include({ domain, revision: 2 });
            expect((await patch(tenantId, { domain: newDomain() })).status).to.equal(200);
            expect((await patch(tenantId, { domain })).status).to.equal(200);
            expect((await login(tenant, domain)).status).to.equal(200);
        });

        it('gives it to exactly one of twenty', async () => {
            const tenants = await Promise.all(Array.from({ length: 20 }, () => newTenant(app)));
            const domain = newDomain();
            const answers = await Promise.all(
                tenants.map(({ tenantId }, n) =>
                    (n % 2 ? app : replica).call('PATCH', routeOf(tenantId), { token, payload: { domain } }),
                ),
            );
            const won = tenants.filter((_, n) => answers[n]?.status === 200);
            expect(won).to.have.length(1);
            for (const answer of answers.filter(({ status }) => status !== 200)) expectError(answer, 'DOMAIN_TAKEN');
            for (const tenant of tenants) {
                const isWinner = tenant === won[0];
                expect((await login(tenant, domain)).status).to.equal(isWinner ? 200 : 401);
                expect((await login(tenant, tenant.domain)).status).to.equal(isWinner ? 401 : 200);
            }
        });

        it('ends with one of ten that were asked for at once, and no other leads to the tenant', async () => {
            const tenant = await newTenant(app);
            const domains = Array.from({ length: 10 }, newDomain);
            const answers = await Promise.all(domains.map((domain) => patch(tenant.tenantId, { domain })));
            for (const answer of answers.filter(({ status }) => status !== 200)) {
                expectError(answer, 'REVISION_MISMATCH');
            }
            const { body } = await app.call('GET', routeOf(tenant.tenantId), { token });
            const now = String(body.data.tenant.domain);
            expect(domains).to.include(now);
            const findByDomain = (domain: string) => app.server.plugins.tenants.findByDomain(domain);
            expect(await findByDomain(now)).to.equal(tenant.tenantId);
            // What a former one was meanwhile marked for is settled by the sweeper.
            const others = domains.filter((domain) => domain !== now);
            const left = (await claims()).filter((claim) => claim.startsWith(tenant.tenantId));
            for (const domain of others) {
                const owner = await findByDomain(domain);
                expect(owner === null || left.includes(`${tenant.tenantId} ${domain}`)).to.be.true();
            }
        });
    });

    it('refuses who has not the permission, and names it', async () => {
        const victim = await newTenant(app);
        const tenant = await newTenant(app);
        const others = [
            tenant,
            victim,
            await newUser(app, 'platform', 'support'),
            await newUser(app, 'platform', 'finance'),
        ];
        for (const { call } of others) {
            const answer = await call('PATCH', routeOf(victim.tenantId), { payload: { plan: 'enterprise' } });
            expect(expectError(answer, 'FORBIDDEN').details).to.equal({ permission: 'tenant:write' });
        }
        expect((await victim.call('GET', '/api/auth/me')).body.data.tenant.plan).to.equal('free');
    });

    it('needs a credential', async () => {
        expectError(await app.call('PATCH', routeOf(UNKNOWN), { payload: { name: 'X' } }), 'UNAUTHENTICATED');
    });

    it('does not know a tenant that does not exist, and claims nothing for it', async () => {
        const domain = newDomain();
        expectError(await patch(UNKNOWN, { domain }), 'TENANT_NOT_FOUND');
        expect(await app.redis.keys(tenantKey(UNKNOWN, '*'))).to.equal([]);
        expect(await app.server.plugins.tenants.findByDomain(domain)).to.be.null();
    });

    it('does not change a deleted tenant', async () => {
        const { tenantId } = await newTenant(app);
        await app.call('DELETE', routeOf(tenantId), { token });
        expectError(await patch(tenantId, { name: 'Late' }), 'ALREADY_DELETED');
        expectError(await patch(tenantId, { domain: newDomain() }), 'ALREADY_DELETED');
    });

    it('refuses what it cannot change', async () => {
        const { tenantId } = await newTenant(app);
        for (const [wrong, fields] of [
            [{ name: '  ' }, ['name']],
            [{ plan: 'gold' }, ['plan']],
            [{ domain: 'localhost' }, ['domain']],
            [{ limits: { requestsPerMinute: 0 } }, ['limits.requestsPerMinute']],
            [{ limits: { vms: 1.5 } }, ['limits.vms']],
            [{ limits: { disks: 1 } }, ['limits.disks']],
            [{ limits: {} }, ['limits']],
            [{ name: 'Acme', status: 'active' }, ['status']],
        ] as const) {
            expectFaults(await patch(tenantId, wrong), [...fields]);
        }
        expectError(await patch(tenantId, {}), 'VALIDATION_ERROR');
        expectFaults(await patch('platform', { name: 'X' }), ['tenantId']);
    });
});
