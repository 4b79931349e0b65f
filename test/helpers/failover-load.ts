import { setTimeout as sleep } from 'node:timers/promises';

import { grant } from './main-scenario-money.ts';
import { well, type Guest } from './scene.ts';
import { openStream, type OpenStream } from './stream.ts';
import { messagesPath, newThread } from './thread.ts';

import type { Answer } from './app.ts';
import type { Api, House } from './house.ts';

/** Milliseconds between two of a kind: below what a user may ask in a minute. */
const PAUSES = { keys: 700, grants: 1_500, calls: 600, messages: 2_500 };
const GRANTED = 1_000;
const REPEAT_AFTER_MS = 500;
/** A key of a request whose answer could not be stored is free again after 15 s. */
const PATIENCE_MS = 60_000;

export type Kind = keyof typeof PAUSES;

/** A request and its answer. */
export interface Sent {
    kind: Kind;
    tenantId: string;
    /** Of the key that it was sent with. */
    key: string;
    api: 0 | 1;
    /** How often it was sent before. */
    repeats: number;
    sentAt: number;
    answeredAt: number;
    status: number;
    code: string;
    /** Of what was made, where it was. */
    id: string;
}

/** One that works while its servers fail: a tenant, with a platform admin who gives it credits. */
interface Worker {
    guest: Guest;
    cashier: string;
    thread: string;
}

/**
 * People who work at both replicas, and repeat with the same Idempotency-Key what was answered 503 until it is done, as
 * clients should.
 */
export class FailoverLoad {
    readonly sent: Sent[] = [];
    readonly #house: House;
    readonly #workers: Worker[] = [];
    readonly #running: Promise<void>[] = [];
    readonly #end = new AbortController();

    constructor(house: House) {
        this.#house = house;
    }

    async add(guest: Guest): Promise<void> {
        const { apis, token } = this.#house;
        const enterprise = { token, payload: { plan: 'enterprise' } };
        well(await apis[0].call('PATCH', `/api/admin/tenants/${guest.tenantId}`, enterprise));
        well(await grant(this.#house, guest, 1_000_000, `first-${guest.tenantId}`));
        const cashier = await newCashier(this.#house, `cashier-of-${guest.tenantId.toLowerCase()}`);
        this.#workers.push({ guest, cashier, thread: await newThread(guest) });
    }

    start(): void {
        for (const worker of this.#workers) {
            for (const kind of Object.keys(PAUSES) as Kind[]) this.#running.push(this.#goOn(worker, kind));
        }
    }

    /** Waits until everything that was begun is done. */
    async stop(): Promise<void> {
        this.#end.abort();
        await Promise.all(this.#running);
    }

    /** Opens a stream of each of them at each replica, and waits until all run. */
    streams(to: number): Promise<RunningStream[]> {
        const each = this.#workers.flatMap(({ guest }) => this.#house.apis.map((api) => openOne(guest, api, to)));
        return Promise.all(each);
    }

    /** What was answered well. */
    done(kind: Kind, tenantId: string): Sent[] {
        return this.sent.filter((one) => one.kind === kind && one.tenantId === tenantId && one.status < 300);
    }

    async #goOn(worker: Worker, kind: Kind): Promise<void> {
        for (let n = 0; !this.#end.signal.aborted; n++) {
            await this.#untilDone(worker, kind, `${kind}-${n}`);
            await sleep(PAUSES[kind]);
        }
    }

    async #untilDone(worker: Worker, kind: Kind, name: string): Promise<void> {
        const { tenantId } = worker.guest;
        const key = `${name}-of-${tenantId}`;
        const deadline = Date.now() + PATIENCE_MS;
        for (let repeats = 0; ; repeats++) {
            const at = Math.random() < 0.5 ? 0 : 1;
            const sentAt = Date.now();
            const answer = await this.#send(worker, kind, name, { key, api: this.#house.apis[at] });
            const { status, body } = answer;
            const code = String(body?.error?.code ?? '').toUpperCase();
            const told = { kind, tenantId, key, api: at, repeats, sentAt, answeredAt: Date.now() } as const;
            this.sent.push({ ...told, status, code, id: idIn(kind, answer) });
            if (status < 300) return;
            if (Date.now() > deadline) throw new Error(`${key} is not done: ${answer.text}`);
            await sleep(REPEAT_AFTER_MS);
        }
    }

    #send({ guest, cashier, thread }: Worker, kind: Kind, name: string, { key, api }: { key: string; api: Api }) {
        const as = { token: guest.accessToken, headers: { 'idempotency-key': key } };
        if (kind === 'keys') {
            return api.call('POST', '/api/keys', { ...as, payload: { name, scopes: ['thread:read'] } });
        }
        if (kind === 'grants') {
            const payload = { tenantId: guest.tenantId, amountMicros: GRANTED, reason: name };
            return api.call('POST', '/api/billing/credits', { ...as, token: cashier, payload });
        }
        if (kind === 'messages') {
            return api.call('POST', messagesPath(thread, 'remote'), { ...as, payload: { content: name } });
        }
        const messages = [{ role: 'user', content: name }];
        return api.call('POST', '/v1/chat/completions', { ...as, payload: { model: 'remote', messages } });
    }
}

export interface RunningStream {
    guest: Guest;
    stream: OpenStream;
    /** Where its message is. */
    path: string;
    to: number;
}

async function openOne(guest: Guest, { url }: Api, to: number): Promise<RunningStream> {
    const path = messagesPath(await newThread(guest));
    const payload = { content: `Please count to ${to}` };
    const stream = await openStream({ url: url + path, token: guest.accessToken, payload });
    const [first] = await stream.until(({ data }) => data.token === ' 5');
    return { guest, stream, path: `${path}/${first?.data.messageId}`, to };
}

/** One more platform admin, with rates of his own. */
async function newCashier({ apis: [api], token }: House, name: string): Promise<string> {
    const login = { email: `${name}@platform.example`, password: 'a password for a test' };
    const payload = { ...login, displayName: 'Cashier', role: 'superadmin' };
    well(await api.call('POST', '/api/users', { token, payload }));
    return well(await api.call('POST', '/api/login', { payload: { ...login, tenantId: 'platform' } })).accessToken;
}

const idIn = (kind: Kind, { status, body }: Answer): string => {
    if (status >= 300) return '';
    if (kind === 'calls') return String(body.id);
    if (kind === 'keys') return String(body.data.key.id);
    return String(kind === 'grants' ? body.data.record.id : body.data.assistantMessage.id);
};
