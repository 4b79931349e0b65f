import { createHmac, randomBytes } from 'node:crypto';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { Keyring } from '../../../src/security/keyring.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { asCookies, sameOrigin } from '../../helpers/cookies.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { newTenant, platformToken } from '../../helpers/tenant.ts';
import { newUser, setUserField } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
const decode = (token: string, part: number) =>
    JSON.parse(Buffer.from(token.split('.')[part] ?? '', 'base64url').toString());

const sign = (header: object, payload: object, secret: Buffer, digest = 'sha256') => {
    const signed = `${encode(header)}.${encode(payload)}`;
    return `${signed}.${createHmac(digest, secret).update(signed).digest('base64url')}`;
};

describe('authentication by access token', () => {
    let app: TestApp;
    const me = (token: string, headers: Record<string, string> = {}) =>
        app.call('GET', '/api/auth/me', { token, headers });

    before(async () => {
        app = await startApp();
    });

    after(() => app.stop());

    it('takes the scheme of the header in any case', async () => {
        const { accessToken } = await newTenant(app);
        const headers = { authorization: `bearer ${accessToken}` };
        expect((await app.call('GET', '/api/auth/me', { headers })).status).to.equal(200);
    });

    for (const authorization of ['', 'Bearer', 'Bearer ', 'Basic YWRhOmFkYQ==', 'Bearer a b', 'nonsense']) {
        it(`refuses the header "${authorization}"`, async () => {
            expectError(await app.call('GET', '/api/auth/me', { headers: { authorization } }), 'UNAUTHENTICATED');
        });
    }

    it('looks at no cookie where there is a header', async () => {
        const { accessToken } = await newTenant(app);
        const headers = { authorization: 'Basic YWRhOmFkYQ==', ...asCookies({ access: accessToken }) };
        expectError(await app.call('GET', '/api/auth/me', { headers }), 'UNAUTHENTICATED');
    });

    it('refuses forged tokens', async () => {
        const [one, other] = [await newTenant(app), await newTenant(app)];
        const { secret } = app.config.JWT_KEYS.newest;
        const header = decode(one.accessToken, 0);
        const claims = decode(one.accessToken, 1);
        const parts = one.accessToken.split('.');
        const resigned = (changes: object) => sign(header, { ...claims, ...changes }, secret);
        expect((await me(resigned({}))).status).to.equal(200);

        const forged = {
            'no algorithm': `${encode({ ...header, alg: 'none' })}.${parts[1]}.`,
            'no algorithm, old signature': `${encode({ ...header, alg: 'none' })}.${parts[1]}.${parts[2]}`,
            'another key under our name': sign(header, claims, randomBytes(48)),
            'a key that is not known': sign({ ...header, kid: 'k0' }, claims, secret),
            'no name of a key': sign({ alg: 'HS256', typ: 'JWT' }, claims, secret),
            'another algorithm': sign({ ...header, alg: 'HS512' }, claims, secret, 'sha512'),
            'the ids of another tenant': [parts[0], encode(decode(other.accessToken, 1)), parts[2]].join('.'),
            'the tenant of another': [parts[0], encode({ ...claims, tid: other.tenantId }), parts[2]].join('.'),
            'another expiry': [parts[0], encode({ ...claims, exp: claims.exp + 1 }), parts[2]].join('.'),
            'no signature': `${parts[0]}.${parts[1]}`,
            'another issuer': resigned({ iss: 'someone' }),
            'another audience': resigned({ aud: 'something' }),
            'no session': resigned({ sid: undefined }),
            nonsense: 'nonsense',
        };
        for (const [what, token] of Object.entries(forged)) {
            const answer = await me(token);
            expect(answer.body.error?.code, what).to.equal('UNAUTHENTICATED');
            expectError(answer, 'UNAUTHENTICATED');
        }
    });

    it('refuses ids that do not belong together, even if well signed', async () => {
        const [one, other] = [await newTenant(app), await newTenant(app)];
        const { secret } = app.config.JWT_KEYS.newest;
        const colleague = await newUser(app, one.tenantId, 'user');
        const header = decode(one.accessToken, 0);
        const claims = decode(one.accessToken, 1);
        for (const changes of [
            { sub: other.userId },
            { sub: colleague.userId },
            { tid: other.tenantId },
            { sid: decode(other.accessToken, 1).sid },
        ]) {
            expectError(await me(sign(header, { ...claims, ...changes }, secret)), 'SESSION_ENDED');
        }
    });

    it('takes a token of an older key while that is in the ring, and signs with the newest', async () => {
        const { newest } = app.config.JWT_KEYS;
        const rotated = await startApp({
            config: { JWT_KEYS: new Keyring([{ id: 'k2', secret: randomBytes(48) }, newest]) },
        });
        const retired = await startApp({ config: { JWT_KEYS: new Keyring([{ id: 'k2', secret: randomBytes(48) }]) } });
        const { accessToken, email, password } = await newTenant(app);
        const ofOld = await rotated.call('GET', '/api/auth/me', { token: accessToken });
        const login = await rotated.call('POST', '/api/login', { payload: { email, password } });
        const afterRetirement = await retired.call('GET', '/api/auth/me', { token: accessToken });
        await Promise.all([rotated.stop(), retired.stop()]);
        expect(ofOld.status).to.equal(200);
        expect(decode(login.body.data.accessToken, 0).kid).to.equal('k2');
        expectError(afterRetirement, 'UNAUTHENTICATED');
    });

    it('takes X-Tenant-Id if it names the tenant of the token', async () => {
        const [one, other] = [await newTenant(app), await newTenant(app)];
        expect((await me(one.accessToken, { 'x-tenant-id': one.tenantId })).status).to.equal(200);
        for (const named of [other.tenantId, 'nonsense', '']) {
            expectError(await me(one.accessToken, { 'x-tenant-id': named }), 'TENANT_MISMATCH');
        }
    });

    it('names tenant and user in the log line of the request', async () => {
        const tenant = await newTenant(app);
        const { body } = await tenant.call('GET', '/api/auth/me');
        const line = app.logs.find(({ requestId }) => requestId === body.requestId);
        expect(line).to.include({ tenantId: tenant.tenantId, userId: tenant.userId });
    });

    it('refuses a revoked token by its id, though its session lives', async () => {
        const { tenantId, accessToken, refreshToken } = await newTenant(app);
        await app.redis.set(tenantKey(tenantId, 'revoked', decode(accessToken, 1).jti), '1', 'PX', 900_000);
        expectError(await me(accessToken), 'SESSION_ENDED');
        const { body } = await app.call('POST', '/api/auth/refresh', { payload: { refreshToken } });
        expect((await me(body.data.accessToken)).status).to.equal(200);
    });

    it('refuses a token that has expired', async () => {
        const { accessToken, refreshToken } = await newTenant(app);
        await app.advance(890_000);
        expect((await me(accessToken)).status).to.equal(200);
        await app.advance(11_000);
        expectError(await me(accessToken), 'TOKEN_EXPIRED');
        const { body } = await app.call('POST', '/api/auth/refresh', { payload: { refreshToken } });
        expect((await me(body.data.accessToken)).status).to.equal(200);
    });
});

describe('authentication by the access cookie', () => {
    let app: TestApp;
    let route: string;
    let access: string;

    before(async () => {
        app = await startApp();
        route = `/api/admin/tenants/${(await newTenant(app)).tenantId}/activate`;
        access = await platformToken(app);
    });

    after(() => app.stop());

    it('lets an unsafe request pass from the same origin', async () => {
        expect((await app.call('POST', route, { headers: sameOrigin({ access }) })).status).to.equal(200);
        const headers = { ...asCookies({ access }), host: 'api.example', origin: 'https://api.example' };
        expect((await app.call('POST', route, { headers })).status).to.equal(200);
    });

    for (const [what, headers] of [
        ['nothing on its origin', {}],
        ['another origin', { host: 'api.example', origin: 'https://evil.example' }],
        ['another site', { 'sec-fetch-site': 'cross-site' }],
        ['a page the browser does not know', { 'sec-fetch-site': 'none' }],
    ] as const) {
        it(`rejects an unsafe request with ${what}`, async () => {
            const answer = await app.call('POST', route, { headers: { ...asCookies({ access }), ...headers } });
            expectError(answer, 'CSRF_REJECTED');
        });
    }
});

describe('the permissions of a role', () => {
    let app: TestApp;

    before(async () => {
        app = await startApp();
    });

    after(() => app.stop());

    it('are asked at each request', async () => {
        const { tenantId } = await newTenant(app);
        const user = await newUser(app, 'platform', 'finance');
        const activate = () => user.call('POST', `/api/admin/tenants/${tenantId}/activate`);
        const refused = expectError(await activate(), 'FORBIDDEN');
        expect(refused.details).to.equal({ permission: 'tenant:suspend' });
        await setUserField(app, 'platform', user.userId, 'role', 'support');
        expect((await activate()).status).to.equal(200);
        await setUserField(app, 'platform', user.userId, 'role', 'user');
        expectError(await activate(), 'FORBIDDEN');
    });

    it('are not what the token says', async () => {
        const { tenantId, accessToken } = await newTenant(app);
        const { secret } = app.config.JWT_KEYS.newest;
        const claims = { ...decode(accessToken, 1), scope: ['tenant:suspend'] };
        const token = sign(decode(accessToken, 0), claims, secret);
        expectError(await app.call('POST', `/api/admin/tenants/${tenantId}/activate`, { token }), 'FORBIDDEN');
    });
});
