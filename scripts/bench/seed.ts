import { Redis } from 'ioredis';

import { SessionStore } from '../../plugins/auth/session-store.ts';
import { scriptEntry } from '../../plugins/billing/entry.ts';
import { BillingStore } from '../../plugins/billing/store.ts';
import { createTenantService } from '../../plugins/tenants/service.ts';
import { createTenantStore } from '../../plugins/tenants/store.ts';
import { ThreadStore } from '../../plugins/threads/store.ts';
import { Users } from '../../plugins/users/service.ts';
import { UserStore } from '../../plugins/users/store.ts';
import { newId } from '../../src/ids.ts';
import { openJobs } from '../../src/jobs/jobs.ts';
import { dollars } from '../../src/money.ts';
import { appendOutbox } from '../../src/redis/append-outbox.ts';
import { createRecords } from '../../src/redis/create-records.ts';
import { createDatastore, type Datastore } from '../../src/redis/datastore.ts';
import { AccessTokens } from '../../src/security/access-tokens.ts';
import { parseKeyring } from '../../src/security/keyring.ts';
import { Passwords } from '../../src/security/passwords.ts';
import { Vault } from '../../src/security/vault.ts';
import { createLogger } from '../../src/telemetry/logger.ts';

export interface SeededUser {
    email: string;
    token: string;
    threadId: string;
}

export interface SeedOptions {
    keys: { jwt: string; vault: string };
    count: number;
    /** That of the API: a known account must not be told by the time of its hash. */
    bcryptCost: number;
}

const HOUR_MS = 3_600_000;

/**
 * Makes users of one tenant with one password, each logged in and with a thread: as many as it takes for none of them
 * to meet a limit while all of them together are measured.
 */
export async function seed(socket: string, { keys, count, bcryptCost }: SeedOptions): Promise<SeededUser[]> {
    const redis = new Redis(socket);
    const store = createDatastore(redis);
    const vault = new Vault(parseKeyring(keys.vault, 'base64', () => true));
    const tokens = new AccessTokens(
        parseKeyring(keys.jwt, 'utf8', () => true),
        3600,
        Date.now,
    );
    const jobs = openJobs({ path: socket }, createLogger({ level: 'silent', pretty: false }));
    const tenants = createTenantService({
        store: createTenantStore(store, vault),
        append: appendOutbox(store),
        jobs,
        clock: Date.now,
    });
    const passwords = new Passwords(bcryptCost);
    const passwordHash = await passwords.hash('the password of all of them');
    const users = new Users({ store: new UserStore(store, vault), jobs, passwords, clock: Date.now });
    const create = createRecords(store);
    const { records: sessions } = new SessionStore(store, vault, tenants, users);
    const foreign = { profile: () => '', providerKeys: () => '', tenant: () => '' };
    const { threads } = new ThreadStore(store, vault, foreign);
    const details = { name: 'Bench', domain: 'bench.example', plan: 'enterprise' } as const;
    const { id: tid } = await tenants.create(details, () => Promise.resolve({ drafts: [], outbox: {} }));

    await giveCredit(store, tid);

    const seedOne = async (_user: unknown, index: number): Promise<SeededUser> => {
        const email = `user${index}@${details.domain}`;
        const { user, draft } = users.draft(tid, { email, displayName: email, role: 'user', passwordHash });
        const session = {
            id: newId('sess'),
            userId: user.id,
            counter: 0,
            refreshedAt: null,
            lastSeenAt: null,
            ipAddress: '127.0.0.1',
            userAgent: 'bench',
            expiresAt: new Date(Date.now() + HOUR_MS).toISOString(),
        };
        const thread = { id: newId('thread'), userId: user.id, title: 'A thread', messageCount: 0, models: {} };
        await create(tid, [
            draft,
            sessions.draft(tid, session),
            threads.draft(tid, { ...thread, lastMessage: null, summary: null }),
        ]);
        const claims = { sub: user.id, tid, sid: session.id, jti: newId('jti'), username: email, scope: [] };
        return { email, token: tokens.issue(claims), threadId: thread.id };
    };
    const seeded = await Promise.all(Array.from({ length: count }, seedOne));
    redis.disconnect();
    return seeded;
}

/** More than all paid calls can cost. */
async function giveCredit(store: Datastore, tenantId: string): Promise<void> {
    const entry = scriptEntry({ type: 'credit_add', payer: null });
    const amount = dollars(10_000);
    const grant = { id: 'bench', amount, most: amount, entry, outbox: {} };
    await new BillingStore(store, Date.now).grant(tenantId, grant);
}
