import { ChainStore } from '../../plugins/audit/chain-store.ts';
import { Notary } from '../../plugins/audit/notary.ts';
import { Sealer } from '../../plugins/audit/sealer.ts';
import { Signatures } from '../../plugins/audit/signatures.ts';
import { Trimmer } from '../../plugins/audit/trimmer.ts';
import { Verifier } from '../../plugins/audit/verifier.ts';
import { tenantKey } from '../../src/redis/keys.ts';
import { createLogger } from '../../src/telemetry/logger.ts';

import type { TestApp } from './app.ts';
import type { TestTenant } from './tenant.ts';
import type { Keyring } from '../../src/security/keyring.ts';

/** What seals, verifies and trims, as in that replica or under other keys. */
export function chainParts(app: TestApp, keys: Keyring = app.config.VAULT_KEYS) {
    const destination = { write: (line: string) => void app.logs.push(JSON.parse(line) as Record<string, unknown>) };
    const logger = createLogger({ level: 'info', pretty: false, destination });
    const chain = new ChainStore(app.store, (tenantId) => app.server.plugins.tenants.key(tenantId));
    const notary = new Notary(new Signatures(keys));
    const verifier = new Verifier({ chain, notary });
    const parts = { chain, notary, verifier, logger };
    return { ...parts, sealer: new Sealer(parts), trimmer: new Trimmer(parts) };
}

export const sealAudit = (app: TestApp, tenantId: string) => chainParts(app).sealer.seal(tenantId);

export const auditKeys = (tenantId: string) => ({
    audit: tenantKey(tenantId, 'audit'),
    head: tenantKey(tenantId, 'audit', 'head'),
    seals: tenantKey(tenantId, 'audit', 'seals'),
    segments: tenantKey(tenantId, 'audit', 'segments'),
});

/** Replaces a tenant's audit by so many entries, the first at that time and the others after it; their ids. */
export async function writeAudit(
    app: TestApp,
    tenantId: string,
    count: number,
    {
        at = Date.now() - count,
        everyMs = 1,
        fields = (n: number): Record<string, string> => ({ resourceId: `t${n}` }),
    } = {},
): Promise<string[]> {
    const { audit } = auditKeys(tenantId);
    const ids = Array.from({ length: count }, (_, n) => `${Math.floor(at + n * everyMs)}-0`);
    const pipeline = app.redis.pipeline().del(audit);
    const base = { action: 'thread.create', resource: 'thread', result: 'success' };
    for (const [n, id] of ids.entries()) pipeline.xadd(audit, id, ...Object.entries({ ...base, ...fields(n) }).flat());
    await pipeline.exec();
    return ids;
}

export type StreamEntry = [id: string, flat: string[]];

/** Puts another stream in the place of one, as somebody could who can write Redis. */
export async function rewrite(app: TestApp, key: string, change: (entries: StreamEntry[]) => StreamEntry[]) {
    const entries = await app.redis.xrange(key, '-', '+');
    const pipeline = app.redis.pipeline().del(key);
    for (const [id, flat] of change(structuredClone(entries))) pipeline.xadd(key, id, ...flat);
    await pipeline.exec();
}

/** Another value of a field of an entry. */
export const changing =
    (at: number, field: string, value: (was: string) => string) =>
    (entries: StreamEntry[]): StreamEntry[] =>
        entries.map(([id, flat], n) => {
            const place = flat.findIndex((part, m) => m % 2 === 0 && part === field) + 1;
            if (n !== at || place === 0) return [id, flat];
            return [id, flat.with(place, value(flat[place] ?? ''))];
        });

export const without =
    (at: number) =>
    (entries: StreamEntry[]): StreamEntry[] =>
        entries.toSpliced(at, 1);

/** What the tenant's admin learns of the audit. */
export async function verifyAudit(tenant: Pick<TestTenant, 'call'>, cursor?: string) {
    const query = cursor === undefined ? '' : `?cursor=${encodeURIComponent(cursor)}`;
    const { status, body, text } = await tenant.call('GET', `/api/audit/verify${query}`);
    if (status !== 200) throw new Error(`Not verified: ${text}`);
    return body.data.verification;
}
