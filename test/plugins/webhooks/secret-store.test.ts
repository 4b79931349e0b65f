import { randomBytes } from 'node:crypto';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { Webhook } from 'standardwebhooks';

import { resealWebhookSecrets } from '../../../plugins/webhooks/secret-store.ts';
import { parseKeyring, type Keyring } from '../../../src/security/keyring.ts';
import { Vault } from '../../../src/security/vault.ts';
import { startApp } from '../../helpers/app.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { newTenant } from '../../helpers/tenant.ts';
import {
    deliver,
    newEvent,
    newWebhook,
    PRIVATE_WEBHOOKS,
    startReceiver,
    storedWebhook,
    take,
} from '../../helpers/webhook.ts';

import type { TestApp } from '../../helpers/app.ts';
import type { TestReceiver } from '../../helpers/webhook.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

const key = (name: string) => `${name}:${randomBytes(32).toString('base64')}`;
const [first, second] = [key('k1'), key('k2')];
const keyring = (...keys: string[]): Keyring => parseKeyring(keys.join(','), 'base64', (bytes) => bytes === 32);

describe('resealWebhookSecrets()', () => {
    let redis: TestRedis;
    let receiver: TestReceiver;
    const apps: TestApp[] = [];

    const start = async (...keys: string[]) => {
        const config = { ...PRIVATE_WEBHOOKS, VAULT_KEYS: keyring(...keys) };
        const app = await startApp({ redisPath: redis.path, config });
        apps.push(app);
        return app;
    };

    beforeEach(async () => {
        redis = await startRedis();
        receiver = await startReceiver();
    });

    afterEach(async () => {
        await Promise.all(apps.splice(0).map((app) => app.stop()));
        await receiver.stop();
        await redis.stop();
    });

    it('seals what an older master key sealed, once, so that the older one can go', async () => {
        const old = await start(first);
        const [ada, bob] = [await newTenant(old), await newTenant(old)];
        const { id, path, secret: before } = await newWebhook(ada, receiver.url);
        await newWebhook(bob, receiver.url);
        const { secret } = (await ada.call('POST', `${path}/rotate-secret`, { payload: {} })).body.data;
        const vault = new Vault(keyring(second, first));
        expect(await resealWebhookSecrets(old.store, vault)).to.equal({ resealed: 3, lost: 0 });
        expect(await resealWebhookSecrets(old.store, vault)).to.equal({ resealed: 0, lost: 0 });
        const { secret: sealed, revision } = await storedWebhook(old, ada.tenantId, id);
        expect([sealed?.slice(0, 6), revision]).to.equal(['v1.k2.', '2']);

        const after = await start(second);
        const [todo] = await take(after, ada.tenantId, [newEvent()]);
        await deliver(after, ada.tenantId, todo as NonNullable<typeof todo>);
        const [{ headers, body } = { headers: {}, body: '' }] = receiver.received;
        for (const one of [secret, before]) expect(() => new Webhook(one).verify(body, headers)).to.not.throw();
    });

    it('counts those that none opens, and leaves them as they are', async () => {
        const old = await start(first);
        const ada = await newTenant(old);
        const { id } = await newWebhook(ada, receiver.url);
        const { secret: sealed } = await storedWebhook(old, ada.tenantId, id);
        const vault = new Vault(keyring(second));
        expect(await resealWebhookSecrets(old.store, vault)).to.equal({ resealed: 0, lost: 1 });
        expect((await storedWebhook(old, ada.tenantId, id)).secret).to.equal(sealed);
    });
});
