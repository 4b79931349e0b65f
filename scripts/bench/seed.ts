import { randomBytes } from 'node:crypto';

import { Redis } from 'ioredis';

import { SessionStore, type NewSession } from '../../plugins/auth/session-store.ts';
import { scriptEntry } from '../../plugins/billing/entry.ts';
import { BillingStore } from '../../plugins/billing/store.ts';
import { createTenantService } from '../../plugins/tenants/service.ts';
import { createTenantStore } from '../../plugins/tenants/store.ts';
import { createTiers } from '../../plugins/tenants/tiers.ts';
import { encodeMessage, newMessage } from '../../plugins/threads/message-codec.ts';
import { ThreadStore } from '../../plugins/threads/store.ts';
import { Users } from '../../plugins/users/service.ts';
import { UserStore } from '../../plugins/users/store.ts';
import { newId } from '../../src/ids.ts';
import { openJobs } from '../../src/jobs/jobs.ts';
import { dollars } from '../../src/money.ts';
import { appendOutbox } from '../../src/redis/append-outbox.ts';
import { createRecords } from '../../src/redis/create-records.ts';
import { createDatastore, type Datastore } from '../../src/redis/datastore.ts';
import { tenantKey } from '../../src/redis/keys.ts';
import { AccessTokens } from '../../src/security/access-tokens.ts';
import { parseKeyring } from '../../src/security/keyring.ts';
import { Passwords } from '../../src/security/passwords.ts';
import { Vault } from '../../src/security/vault.ts';
import { createLogger } from '../../src/telemetry/logger.ts';

import type { TenantService } from '../../plugins/tenants/api.ts';

export interface SeededUser {
    userId: string;
    email: string;
    token: string;
    threadId: string;
}

export interface SeedOptions {
    keys: { jwt: string; vault: string };
    /** That of the API: a known account must not be told by the time of its hash. */
    bcryptCost: number;
}

const HOUR_MS = 3_600_000;
const PASSWORD = 'the password of all of them';

/** The API's own stores, on its Redis: what is made by them is what it would have made itself. */
export class Ground {
    readonly redis: Redis;
    readonly store: Datastore;
    readonly vault: Vault;
    readonly threads: ThreadStore;
    readonly tenants: TenantService;
    readonly users: Users;
    readonly sessions: SessionStore['records'];
    readonly #tokens: AccessTokens;
    readonly #passwords: Passwords;
    #passwordHash: Promise<string> | undefined;

    constructor(socket: string, { keys, bcryptCost }: Pick<SeedOptions, 'keys' | 'bcryptCost'>) {
        this.redis = new Redis(socket);
        this.store = createDatastore(this.redis);
        const { store } = this;
        const vault = new Vault(parseKeyring(keys.vault, 'base64', () => true));
        this.vault = vault;
        this.#tokens = new AccessTokens(
            parseKeyring(keys.jwt, 'utf8', () => true),
            3600,
            Date.now,
        );
        const jobs = openJobs({ path: socket }, createLogger({ level: 'silent', pretty: false }));
        const append = appendOutbox(store);
        const clock = Date.now;
        this.tenants = createTenantService({
            store: createTenantStore(store, vault),
            append,
            jobs,
            clock,
            tiers: createTiers(() => ({})),
        });
        this.#passwords = new Passwords(bcryptCost);
        this.users = new Users({
            store: new UserStore(store, vault),
            jobs,
            passwords: this.#passwords,
            clock,
        });
        this.sessions = new SessionStore(store, vault, this.tenants, this.users).records;
        const foreign = { profile: () => '', providerKeys: () => '', tenant: () => '' };
        this.threads = new ThreadStore(store, vault, foreign);
    }

    /** A tenant with more credit than all paid calls can cost; gives its id. */
    async addTenant(domain: string): Promise<string> {
        const details = { name: 'Bench', domain, plan: 'enterprise' } as const;
        const { id } = await this.tenants.create(details, () => Promise.resolve({ drafts: [], outbox: {} }));
        const entry = scriptEntry({ type: 'credit_add', payer: null });
        const amount = dollars(10_000);
        const grant = { id: 'bench', amount, most: amount, entry, outbox: {} };
        await new BillingStore(this.store, Date.now).grant(id, grant);
        return id;
    }

    /** A user who is logged in and has a thread. */
    async addUser(tid: string, email: string, role: 'user' | 'admin' = 'user'): Promise<SeededUser> {
        this.#passwordHash ??= this.#passwords.hash(PASSWORD);
        const passwordHash = await this.#passwordHash;
        const { user, draft } = this.users.draft(tid, { email, displayName: email, role, passwordHash });
        const session = sessionOf(user.id);
        const thread = this.#threadOf(tid, user.id);
        await createRecords(this.store)(tid, [draft, this.sessions.draft(tid, session), thread.draft]);
        return { userId: user.id, email, token: this.#tokenOf(tid, session, email), threadId: thread.id };
    }

    /** Logs a user in; gives the token. */
    async logIn(tid: string, userId: string, email: string): Promise<string> {
        const session = sessionOf(userId);
        await createRecords(this.store)(tid, [this.sessions.draft(tid, session)]);
        return this.#tokenOf(tid, session, email);
    }

    /** Threads of a user, each with so many messages of 200 characters. */
    async addThreads(tid: string, userId: string, { threads, messages }: Conversations): Promise<void> {
        for (let made = 0; made < threads; made++) {
            const { id, draft } = this.#threadOf(tid, userId);
            await createRecords(this.store)(tid, [draft]);
            const key = tenantKey(tid, 'thread', id);
            const pipeline = this.redis.pipeline();
            for (let n = 0; n < messages; n++) {
                const place = { tenantId: tid, ownerId: userId, threadId: id, modelId: 'bench' };
                const role = n % 2 ? 'assistant' : 'user';
                const content = randomBytes(100).toString('hex');
                const message = { ...newMessage(place, newId('msg')), role, content, tokens: 50 } as const;
                pipeline.xadd(`${key}:model:bench:messages`, '*', ...encodeMessage(message));
            }
            pipeline.hset(key, {
                messageCount: messages,
                models: JSON.stringify({ bench: { messageCount: messages, lastMessageAt: Date.now() } }),
            });
            await pipeline.exec();
        }
    }

    /** The process of the Redis. */
    async redisPid(): Promise<number> {
        return Number(/^process_id:(\d+)/m.exec(await this.redis.info('server'))?.[1]);
    }

    close(): void {
        this.redis.disconnect();
    }

    #threadOf(tid: string, userId: string) {
        const id = newId('thread');
        const record = { id, userId, title: 'A thread', messageCount: 0, models: {}, lastMessage: null, summary: null };
        return { id, draft: this.threads.threads.draft(tid, record) };
    }

    #tokenOf(tid: string, { id, userId }: NewSession, username: string): string {
        return this.#tokens.issue({ sub: userId, tid, sid: id, jti: newId('jti'), username, scope: [] });
    }
}

/** A session of an hour. */
export const sessionOf = (userId: string): NewSession => ({
    id: newId('sess'),
    userId,
    counter: 0,
    refreshedAt: null,
    lastSeenAt: null,
    ipAddress: '127.0.0.1',
    userAgent: 'bench',
    expiresAt: new Date(Date.now() + HOUR_MS).toISOString(),
});

/** How much there is to keep. */
export interface Conversations {
    threads: number;
    /** Of each thread. */
    messages: number;
}

/**
 * Makes users of one tenant with one password, each logged in and with a thread: as many as it takes for none of them
 * to meet a limit while all of them together are measured.
 */
export async function seed(ground: Ground, count: number): Promise<SeededUser[]> {
    const domain = 'bench.example';
    const tid = await ground.addTenant(domain);
    return Promise.all(Array.from({ length: count }, (_, index) => ground.addUser(tid, `user${index}@${domain}`)));
}
