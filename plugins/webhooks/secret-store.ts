import { WebhookSecrets } from './secrets.ts';
import { WEBHOOK_TENANTS, WebhookStore } from './store.ts';
import { luaFile } from '../../src/redis/lua-file.ts';

import type { Datastore } from '../../src/redis/datastore.ts';
import type { Vault } from '../../src/security/vault.ts';

/**
 * Seals the secrets of all webhooks with the newest master key, where another one was used: how many, and how many no
 * master key opens any more. It may be repeated, and run while replicas work.
 */
export async function resealWebhookSecrets(
    store: Datastore,
    vault: Vault,
): Promise<{ resealed: number; lost: number }> {
    const webhooks = new WebhookStore(store, vault);
    const secrets = new WebhookSecrets(vault);
    const replace = store.script(luaFile('reseal-fields'));
    const total = { resealed: 0, lost: 0 };
    for (const tenantId of await store.redis.zrange(WEBHOOK_TENANTS, 0, '-1')) {
        for (const webhook of await webhooks.all(tenantId)) {
            const { changes, lost } = secrets.renewed(tenantId, webhook);
            total.lost += lost;
            if (changes.length === 0) continue;
            total.resealed += Number(await replace([webhooks.records.key(tenantId, webhook.id)], changes));
        }
    }
    return total;
}
