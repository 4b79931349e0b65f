import { newSecret } from './sender/index.ts';

import type { Webhook } from './api.ts';
import type { Vault } from '../../src/security/vault.ts';

/** The secrets that webhooks are signed with, sealed for the one webhook they belong to. */
export class WebhookSecrets {
    readonly #vault: Vault;

    constructor(vault: Vault) {
        this.#vault = vault;
    }

    make(tenantId: string, webhookId: string): { secret: string; sealed: string } {
        const secret = newSecret();
        return { secret, sealed: this.#vault.seal(secret, purposeOf(tenantId, webhookId)) };
    }

    /** Those that sign at that time, newest first. */
    open(tenantId: string, webhook: Webhook, at: number): string[] {
        const { id, secret, previousSecret, previousSecretExpiresAt } = webhook;
        const isPreviousGood = previousSecretExpiresAt !== null && Date.parse(previousSecretExpiresAt) > at;
        const sealed = isPreviousGood && previousSecret !== null ? [secret, previousSecret] : [secret];
        return sealed.map((text) => {
            const opened = this.#vault.open(text, purposeOf(tenantId, id));
            if (opened === null) throw new Error(`The secret of ${id} was sealed with none of VAULT_KEYS`);
            return opened;
        });
    }

    /** The `field, old, new, …` of those that another than the newest master key sealed, and how many none opens. */
    renewed(tenantId: string, { id, secret, previousSecret }: Webhook): { changes: string[]; lost: number } {
        const changes: string[] = [];
        let lost = 0;
        for (const [field, sealed] of Object.entries({ secret, previousSecret })) {
            if (sealed === null || this.#vault.isCurrent(sealed)) continue;
            const opened = this.#vault.open(sealed, purposeOf(tenantId, id));
            if (opened === null) lost++;
            else changes.push(field, sealed, this.#vault.seal(opened, purposeOf(tenantId, id)));
        }
        return { changes, lost };
    }
}

const purposeOf = (tenantId: string, webhookId: string): string => `webhook secret ${tenantId} ${webhookId}`;
