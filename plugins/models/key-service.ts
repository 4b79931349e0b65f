import { KEY_NAMES, type KeyName, type KeyOwner, type KeyState, type ProviderKeyService } from './api.ts';
import { providerKeyPurpose, usedField, type ProviderKeyStore } from './store.ts';
import { apiError } from '../../src/http/errors.ts';
import { isoTime } from '../../src/redis/codec.ts';
import { audited, type EventEntry } from '../../src/redis/outbox.ts';

import type { KeyCheck } from './key-checks.ts';
import type { Vault } from '../../src/security/vault.ts';
import type { Actor } from '../../src/types/actor.ts';

/** The API keys that users bring. */
export function createKeyService(
    store: ProviderKeyStore,
    vault: Vault,
    checks: Record<KeyName, KeyCheck>,
): ProviderKeyService {
    const open = (owner: KeyOwner, name: KeyName, sealed: string) =>
        vault.open(sealed, providerKeyPurpose(owner, name));
    return {
        async add(actor, keys) {
            const given = KEY_NAMES.flatMap((name) => (keys[name] === undefined ? [] : [{ name, apiKey: keys[name] }]));
            const checked = await Promise.all(
                given.map(async ({ name, apiKey }) => ({ name, apiKey, verdict: await checks[name](apiKey) })),
            );
            const good = checked.filter(({ verdict }) => verdict !== false);
            const set = good.map(({ name, apiKey }) => ({
                name,
                sealed: vault.seal(apiKey, providerKeyPurpose(actor, name)),
            }));
            const audit = checked.map(({ name, verdict }) =>
                entryOf(actor, 'add', name, verdict === false ? 'PROVIDER_KEY_INVALID' : 'success', { verdict }),
            );
            const updated = good.map(({ name }) => name);
            const events = updated.map((name) => eventOf(actor, 'added', name));
            if (!(await store.put(actor, set, { events, audit }))) throw apiError('USER_NOT_FOUND');
            return { updated, verified: Object.fromEntries(checked.map(({ name, verdict }) => [name, verdict])) };
        },

        async remove(actor, name) {
            const outbox = {
                events: [eventOf(actor, 'removed', name)],
                audit: [entryOf(actor, 'remove', name, 'success')],
            };
            if (!(await store.remove(actor, name, outbox))) throw apiError('PROVIDER_KEY_NOT_FOUND');
        },

        async use(actor, name) {
            const sealed = await store.use(actor, name, { audit: [entryOf(actor, 'use', name, 'success')] });
            return sealed === null ? null : open(actor, name, sealed);
        },

        key: (owner) => store.key(owner),

        describe(owner, flat) {
            const fields = new Map<string, string>();
            for (let at = 0; at < flat.length; at += 2) fields.set(flat[at] ?? '', flat[at + 1] ?? '');
            const stateOf = (name: KeyName): KeyState => {
                const used = fields.get(usedField(name));
                return {
                    configured: open(owner, name, fields.get(name) ?? '') !== null,
                    ...(used !== undefined && { lastUsed: isoTime(Number(used)) }),
                };
            };
            return { claude: stateOf('claude'), openai: stateOf('openai'), google: stateOf('google') };
        },

        open,
    };
}

const eventOf = ({ userId }: Actor, what: 'added' | 'removed', provider: KeyName): EventEntry => ({
    type: `provider_key.${what}`,
    data: { userId, provider },
});

function entryOf(actor: Actor, what: 'add' | 'remove' | 'use', name: KeyName, result: string, details?: object) {
    const entry = { action: `provider_key.${what}`, resource: 'provider_key', resourceId: name, result };
    return audited(actor, { ...entry, ...(details && { details: { ...details } }) });
}
