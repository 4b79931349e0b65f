import { randomBytes } from 'node:crypto';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { resealProviderKeys } from '../../../plugins/models/store.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { parseKeyring, type Keyring } from '../../../src/security/keyring.ts';
import { Vault } from '../../../src/security/vault.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { keyOf, startWithProvider } from '../../helpers/provider-keys.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';

import type { TestApp } from '../../helpers/app.ts';
import type { Provider } from '../../helpers/provider.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

const secret = () => randomBytes(32).toString('base64');
const [first, second] = [`k1:${secret()}`, `k2:${secret()}`];
const keyring = (...keys: string[]): Keyring => parseKeyring(keys.join(','), 'base64', (bytes) => bytes === 32);

describe('resealProviderKeys()', () => {
    let redis: TestRedis;
    let running: { app: TestApp; provider: Provider }[];

    beforeEach(async () => {
        redis = await startRedis();
        running = [];
    });

    afterEach(async () => {
        for (const { app, provider } of running) {
            await app.stop();
            await provider.stop();
        }
        await redis.stop();
    });

    /** A replica with those master keys. */
    async function start(...keys: string[]) {
        const replica = await startWithProvider({ redisPath: redis.path, config: { VAULT_KEYS: keyring(...keys) } });
        running.push(replica);
        return replica;
    }

    const add = (user: TestTenant, openai: string) =>
        user.call('POST', '/api/profile/api-keys', { payload: { openai } });
    const sealed = ({ redis: client }: TestApp, { tenantId, userId }: TestTenant) =>
        client.hget(tenantKey(tenantId, 'user', userId, 'provider-keys'), 'openai');
    const login = async ({ app }: { app: TestApp }, { email, password }: TestTenant) =>
        String((await app.call('POST', '/api/login', { payload: { email, password } })).body.data.accessToken);
    /** The key that a message through that replica goes out with, or the refusal. */
    const sentWith = async (replica: { app: TestApp; provider: Provider }, user: TestTenant) => {
        const token = await login(replica, user);
        const { body } = await replica.app.call('POST', '/api/threads', { token, payload: {} });
        const path = messagesPath(body.data.thread.id, 'remote');
        const answer = await replica.app.call('POST', path, { token, payload: { content: 'Hi' } });
        if (answer.status === 200) return keyOf(replica.provider.requests.at(-1) as never);
        return String(expectError(answer, 'PROVIDER_KEY_MISSING').code);
    };

    it('seals what an older master key sealed, once, so that the older one can go', async () => {
        const old = await start(first);
        const users = [await newTenant(old.app), await newTenant(old.app), await newTenant(old.app)];
        for (const [n, user] of users.entries()) await add(user, `sk-of-user-${n}`);
        const both = await start(second, first);
        const [ada] = users as [TestTenant];
        expect(await sentWith(both, ada)).to.equal('sk-of-user-0');
        expect(await sealed(old.app, ada)).to.match(/^v1\.k1\./);

        const vault = new Vault(keyring(second, first));
        expect(await resealProviderKeys(both.app.store, vault)).to.equal({ resealed: 3, lost: 0 });
        expect(await sealed(old.app, ada)).to.match(/^v1\.k2\./);
        expect(await resealProviderKeys(both.app.store, vault)).to.equal({ resealed: 0, lost: 0 });

        const after = await start(second);
        for (const [n, user] of users.entries()) expect(await sentWith(after, user)).to.equal(`sk-of-user-${n}`);
        expect(await sentWith(old, ada)).to.equal('PROVIDER_KEY_MISSING');
    });

    it('tells of keys that no master key opens, and leaves them', async () => {
        const old = await start(first);
        const ada = await newTenant(old.app);
        await add(ada, 'sk-of-the-user');
        const before = await sealed(old.app, ada);
        expect(await resealProviderKeys(old.app.store, new Vault(keyring(second)))).to.equal({ resealed: 0, lost: 1 });
        expect(await sealed(old.app, ada)).to.equal(before);
        const without = await start(second);
        expect(await sentWith(without, ada)).to.equal('PROVIDER_KEY_MISSING');
        const { body } = await without.app.call('GET', '/api/profile', { token: await login(without, ada) });
        expect(body.data.user.apiKeys.openai.configured).to.be.false();
    });

    it('loses nothing beside a replica that stores and uses keys meanwhile', async () => {
        const old = await start(first);
        const users = await Promise.all(Array.from({ length: 12 }, () => newTenant(old.app)));
        await Promise.all(users.map((user, n) => add(user, `sk-of-user-${n}`)));
        const both = await start(second, first);
        const tokens = await Promise.all(users.map((user) => login(both, user)));
        const vault = new Vault(keyring(second, first));
        const replace = (n: number) =>
            both.app.call('POST', '/api/profile/api-keys', {
                token: tokens[n] ?? '',
                payload: { openai: `sk-new-of-user-${n}` },
            });
        await Promise.all([
            resealProviderKeys(both.app.store, vault),
            ...users.slice(0, 6).map((_user, n) => replace(n)),
            resealProviderKeys(both.app.store, vault),
            ...users.slice(6).map((user) => sentWith(both, user)),
        ]);
        const after = await start(second);
        for (const [n, user] of users.entries()) {
            expect(await sentWith(after, user)).to.equal(n < 6 ? `sk-new-of-user-${n}` : `sk-of-user-${n}`);
        }
    });

    it('does not bring back what was replaced or removed after it was read', async () => {
        const old = await start(first);
        const ada = await newTenant(old.app);
        await newThread(ada);
        await add(ada, 'sk-of-the-user');
        const { store } = old.app;
        // Between the reading and the writing of the rotation the user takes the key away.
        const meddling = {
            ...store,
            script: (file: URL) => {
                const run = store.script(file);
                return async (keys: string[], args: (string | number | Buffer)[]) => {
                    await ada.call('DELETE', '/api/profile/api-keys/openai');
                    return run(keys, args);
                };
            },
        };
        const vault = new Vault(keyring(second, first));
        expect(await resealProviderKeys(meddling, vault)).to.equal({ resealed: 0, lost: 0 });
        expect(await sealed(old.app, ada)).to.be.null();
    });
});
