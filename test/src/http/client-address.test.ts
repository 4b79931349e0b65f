import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { sameOrigin } from '../../helpers/cookies.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { newTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const PROXY = '192.0.2.10';
const TRUSTED = ['192.0.2.0/24', '2001:db8:1::/48', '198.51.100.7'];

describe('the address of a client', () => {
    let app: TestApp;
    let seen: { ipAddress: string; protocol: string; host: string } | undefined;

    before(async () => {
        app = await startApp({ config: { TRUSTED_PROXIES: TRUSTED } });
        app.server.route({
            method: 'GET',
            path: '/test/client',
            options: { auth: false },
            handler: (request) => {
                seen = request.app.client;
                return 'seen';
            },
        });
    });

    after(() => app.stop());

    const client = async (from: string, headers: Record<string, string> = {}) => {
        await app.call('GET', '/test/client', { from, headers });
        return seen;
    };
    const addressOf = async (from: string, forwarded: string) =>
        (await client(from, { 'x-forwarded-for': forwarded }))?.ipAddress;

    it('is that of the peer, whatever it says, unless it is trusted', async () => {
        const headers = {
            'x-forwarded-for': '203.0.113.9',
            'x-forwarded-proto': 'https',
            'x-forwarded-host': 'evil.example',
            host: 'api.example',
        };
        const expected = { ipAddress: '203.0.113.1', protocol: 'http', host: 'api.example' };
        expect(await client('203.0.113.1', headers)).to.equal(expected as never);
    });

    it('is what a trusted peer says', async () => {
        const headers = {
            'x-forwarded-for': '203.0.113.9',
            'x-forwarded-proto': 'https',
            'x-forwarded-host': 'api.example',
            host: 'inner',
        };
        const expected = { ipAddress: '203.0.113.9', protocol: 'https', host: 'api.example' };
        expect(await client(PROXY, headers)).to.equal(expected as never);
        expect(await client(`::ffff:${PROXY}`, headers)).to.equal(expected as never);
        expect(await client('2001:db8:1::1', headers)).to.equal(expected as never);
        expect(await client('198.51.100.7', headers)).to.equal(expected as never);
    });

    it('is the first from the right that is not trusted', async () => {
        expect(await addressOf(PROXY, '10.9.9.9, 203.0.113.9, 192.0.2.20')).to.equal('203.0.113.9');
        expect(await addressOf(PROXY, '10.9.9.9, 203.0.113.9')).to.equal('203.0.113.9');
        expect(await addressOf(PROXY, '192.0.2.30, 192.0.2.20')).to.equal('192.0.2.30');
        expect(await addressOf(PROXY, '2001:DB8:2:0::1, 2001:db8:1::9')).to.equal('2001:db8:2::1');
        expect(await addressOf(PROXY, '203.0.113.9:4711')).to.equal('203.0.113.9');
        expect(await addressOf(PROXY, '[2001:db8:2::1]:4711')).to.equal('2001:db8:2::1');
    });

    it('is the last that is known where the header is no list of addresses', async () => {
        for (const forwarded of ['', 'unknown', '203.0.113.9, unknown', '203.0.113.9;192.0.2.1', '999.1.1.1', ',']) {
            expect(await addressOf(PROXY, forwarded), forwarded).to.equal(PROXY);
        }
        expect(await addressOf(PROXY, 'x, 192.0.2.20')).to.equal('192.0.2.20');
    });

    it('has the protocol and the host that the proxy it spoke to wrote', async () => {
        const of = async (forwarded: string, proto: string, host: string) => {
            const headers = { 'x-forwarded-for': forwarded, 'x-forwarded-proto': proto, 'x-forwarded-host': host };
            const found = await client(PROXY, { host: 'inner', ...headers });
            return [found?.protocol, found?.host];
        };
        expect(await of('203.0.113.9', 'https, http', 'evil.example, api.example')).to.equal(['http', 'api.example']);
        expect(await of('203.0.113.9, 192.0.2.20', 'HTTPS, http', 'a.example, b.example')).to.equal([
            'https',
            'a.example',
        ]);
        expect(await of('203.0.113.9, 192.0.2.20', 'https', 'a.example')).to.equal(['https', 'a.example']);
        expect(await of('203.0.113.9', 'gopher', 'not a host')).to.equal(['http', 'inner']);
    });

    it('is in the session, in the audit and in the log', async () => {
        const { email, password, tenantId } = await newTenant(app);
        const headers = { 'x-forwarded-for': '203.0.113.77', 'x-request-id': `forwarded-${tenantId.slice(-10)}` };
        const { body } = await app.call('POST', '/api/login', { payload: { email, password }, from: PROXY, headers });
        const sessions = await app.call('GET', '/api/auth/sessions', { token: body.data.accessToken });
        const addresses = sessions.body.data.sessions.map(({ ipAddress }: { ipAddress: string }) => ipAddress);
        expect(addresses).to.include('203.0.113.77');
        expect((await readAudit(app, tenantId)).at(-1)?.ipAddress).to.equal('203.0.113.77');
        const line = app.logs.find(({ requestId }) => requestId === headers['x-request-id']);
        expect(line?.ipAddress).to.equal('203.0.113.77');
    });

    it('is what limits are counted by', () =>
        app.inNoTime(async () => {
            const { email, password } = await newTenant(app);
            const login = (forwarded: string) =>
                app.call('POST', '/api/login', {
                    payload: { email, password },
                    from: PROXY,
                    headers: { 'x-forwarded-for': forwarded },
                });
            for (let n = 0; n < 5; n++) expect((await login('203.0.113.50')).status).to.equal(200);
            expectError(await login('203.0.113.50'), 'RATE_LIMITED');
            expectError(await login('1.2.3.4, 203.0.113.50'), 'RATE_LIMITED');
            expect((await login('203.0.113.51')).status).to.equal(200);
            expect(await app.redis.exists(tenantKey('platform', 'rate', 'login', '203.0.113.50'))).to.equal(1);
        }));

    it('lets a page of the forwarded host use its cookies', async () => {
        const { accessToken } = await newTenant(app);
        const { 'sec-fetch-site': _site, ...cookie } = sameOrigin({ access: accessToken });
        const end = (from: string) =>
            app.call('DELETE', '/api/auth/sessions', {
                from,
                headers: { ...cookie, host: 'inner', origin: 'https://api.example', 'x-forwarded-host': 'api.example' },
            });
        expectError(await end('203.0.113.1'), 'CSRF_REJECTED');
        expect((await end(PROXY)).status).to.equal(200);
    });
});

describe('REQUIRE_HTTPS', () => {
    let app: TestApp;

    before(async () => {
        app = await startApp({ config: { TRUSTED_PROXIES: [PROXY], REQUIRE_HTTPS: true } });
    });

    after(() => app.stop());

    it('refuses what came by http, whoever says otherwise', async () => {
        const https = { 'x-forwarded-proto': 'https' };
        expectError(await app.call('GET', '/api/errors'), 'HTTPS_REQUIRED');
        expectError(await app.call('GET', '/api/errors', { headers: https }), 'HTTPS_REQUIRED');
        expectError(await app.call('GET', '/api/v1/errors', { from: PROXY }), 'HTTPS_REQUIRED');
        const http = { 'x-forwarded-proto': 'http' };
        expectError(await app.call('POST', '/api/login', { from: PROXY, headers: http }), 'HTTPS_REQUIRED');
        expectError(await app.call('GET', '/nothing'), 'HTTPS_REQUIRED');
        expect((await app.call('GET', '/api/errors', { from: PROXY, headers: https })).status).to.equal(200);
    });

    it('lets the probes through', async () => {
        expect((await app.call('GET', '/health/live')).status).to.equal(200);
        expect((await app.call('GET', '/health/ready')).status).to.equal(200);
        expectError(await app.call('GET', '/api/health'), 'HTTPS_REQUIRED');
    });
});
