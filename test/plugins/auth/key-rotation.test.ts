import { randomBytes } from 'node:crypto';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { parseKeyring, type Keyring } from '../../../src/security/keyring.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newThread } from '../../helpers/thread.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const newKey = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`;
const keyring = (...keys: string[]): Keyring => parseKeyring(keys.join(','), 'base64', () => true);
const kidOf = (token: string): string => JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid;

describe('the rotation of JWT_KEYS and VAULT_KEYS', () => {
    const [older, newer] = [newKey('older'), newKey('newer')];
    let old: TestApp;
    let between: TestApp;
    let afterwards: TestApp;
    let ada: TestTenant;
    let cursor: string;

    before(async () => {
        const start = (keys: Keyring) => startApp({ config: { JWT_KEYS: keys, VAULT_KEYS: keys } });
        old = await start(keyring(older));
        between = await start(keyring(newer, older));
        afterwards = await start(keyring(newer));
        ada = await newTenant(old);
        for (let n = 0; n < 2; n++) await newThread(ada);
        cursor = String((await ada.call('GET', '/api/threads?limit=1')).body.pagination.cursor);
    });

    after(() => Promise.all([old.stop(), between.stop(), afterwards.stop()]));

    it('logs nobody out: what the older key signed and sealed is good', async () => {
        const token = ada.accessToken;
        expect((await between.call('GET', '/api/auth/me', { token })).status).to.equal(200);
        const page = await between.call('GET', `/api/threads?limit=1&cursor=${cursor}`, { token });
        expect(page.status).to.equal(200);
    });

    it('signs with the newer key from then on', async () => {
        const { body } = await between.call('POST', '/api/auth/refresh', {
            payload: { refreshToken: ada.refreshToken },
        });
        expect(kidOf(ada.accessToken)).to.equal('older');
        expect(kidOf(body.data.accessToken)).to.equal('newer');
        expect(body.data.refreshToken.split('.')[1]).to.equal('newer');
        const { accessToken: token, refreshToken } = body.data;
        expect((await afterwards.call('GET', '/api/auth/me', { token })).status).to.equal(200);
        const again = await afterwards.call('POST', '/api/auth/refresh', { payload: { refreshToken } });
        expect(again.status).to.equal(200);
    });

    it('refuses what the older key signed and sealed once that is retired', async () => {
        const { accessToken: token, refreshToken } = ada;
        expectError(await afterwards.call('GET', '/api/auth/me', { token }), 'UNAUTHENTICATED');
        const refresh = await afterwards.call('POST', '/api/auth/refresh', { payload: { refreshToken } });
        expectError(refresh, 'REFRESH_INVALID');
        const login = await afterwards.call('POST', '/api/login', {
            payload: { email: ada.email, password: ada.password },
        });
        const page = await afterwards.call('GET', `/api/threads?limit=1&cursor=${cursor}`, {
            token: login.body.data.accessToken,
        });
        expectError(page, 'INVALID_CURSOR');
    });
});
