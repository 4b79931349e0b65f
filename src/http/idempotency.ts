import { setTimeout as sleep } from 'node:timers/promises';

import { apiError, isApiError, type ErrorCode } from './errors.ts';
import { claimOf, requireKey, type RepeatableRequest } from './idempotency-key.ts';
import { IdempotencyKeys, type KeyClaim, type TakenKey } from '../redis/idempotency-keys.ts';

import type { Lifecycle, Plugin, ResponseObject, ResponseToolkit } from '@hapi/hapi';
import type { Platform } from '../platform.ts';

const LEASE_MS = 15_000;
const RETRY_AFTER_S = 2;
const ATTACH_TRIES = 20;
const ATTACH_EVERY_MS = 100;

/** Refusals that may be none the next time: they free the key, as every 5xx does. */
const PASSING = new Set([401, 402, 403, 408, 429]);

/** Work that goes on without the request that began it, so that repeats of that can take part. */
export interface SharedWork<Work> {
    start: () => Promise<Work>;
    /** Of work that other processes can take part in. */
    elsewhere?: {
        /** What they find it by. */
        id: string;
        /** Takes part in what another process has begun, by its id; null where it is not there (yet). */
        attach: (id: string) => Promise<Work | null>;
    };
    /** What it comes to, as JSON can hold it; rejected when it failed. */
    result: (work: Work) => Promise<object>;
    /** The work as it is after its end, from its result. */
    restore: (result: object) => Work;
}

/** See `Idempotency.share`. */
export type ShareWork = Idempotency['share'];

/** What is kept of an answer; a repeat gets it in an envelope of its own. */
type Outcome = Success | { code: ErrorCode; details?: Record<string, unknown> };

interface Success {
    /** Null where the handler left it to the route. */
    status: number | null;
    headers: ResponseObject['headers'];
    data: object;
}

/** Shared work of this process, with a digest of the body that asked for it. */
interface Run {
    body: string;
    /** False when the key turned out to be taken; the run is forgotten by then. */
    taken: Promise<boolean>;
    work: Promise<unknown>;
}

export interface IdempotencyParts extends Pick<Platform, 'store' | 'vault' | 'logger' | 'drain'> {
    /** Milliseconds after which the key of a process that died is free again; 15 s unless given. */
    leaseMs?: number;
}

/** Requests with an Idempotency-Key: done once, and answered again as often as they are repeated. */
export class Idempotency {
    readonly #parts: IdempotencyParts;
    readonly #leaseMs: number;
    readonly #keys: IdempotencyKeys;
    readonly #runs = new Map<string, Run>();
    /** What has to be stored before the process may stop. */
    readonly #open = new Set<Promise<void>>();

    constructor(parts: IdempotencyParts) {
        this.#parts = parts;
        this.#leaseMs = parts.leaseMs ?? LEASE_MS;
        this.#keys = new IdempotencyKeys(parts.store, this.#leaseMs);
        parts.drain.onDrain(async () => {
            while (this.#open.size > 0) await Promise.all(this.#open);
        });
    }

    /** The handler that answers a repeat as the first request was answered. */
    once(handler: Lifecycle.Method): Lifecycle.Method {
        return async (request, h) => {
            const claim = claimOf(request);
            if (!claim) return handler.call(null, request, h);
            const key = await this.#keys.take(claim);
            if (key.state !== 'taken') return replay(request, h, this.#stored(claim, key));
            const answer = async () => h.response((await handler.call(null, request, h)) as object);
            const answered = answer();
            const outcome = answered.then(successOf);
            // Stored before it is sent, and also when the client has gone or the request has run out of time.
            await this.#settle(claim, outcome);
            await outcome;
            return answered;
        };
    }

    /**
     * Starts work for a request. A repeat takes part in it while it runs, in this process or another, and gets it
     * restored afterwards.
     *
     * @throws VALIDATION_ERROR; IDEMPOTENCY_KEY_REUSED; IDEMPOTENCY_IN_PROGRESS when its process has died with it
     */
    async share<Work>(request: RepeatableRequest, work: SharedWork<Work>): Promise<Work> {
        const claim = claimOf(request, work.elsewhere?.id);
        if (!claim) return work.start();
        for (let run = this.#runs.get(claim.key); run; run = this.#runs.get(claim.key)) {
            if (!(await run.taken)) continue;
            if (run.body !== claim.body) throw apiError('IDEMPOTENCY_KEY_REUSED');
            request.app.isReplayed = true;
            return run.work as Promise<Work>;
        }
        return this.#begin(request, claim, work);
    }

    /** Known to others before anything is waited for: of two at once, the second finds the first. */
    async #begin<Work>(request: RepeatableRequest, claim: KeyClaim, work: SharedWork<Work>): Promise<Work> {
        const forget = () => void this.#runs.delete(claim.key);
        const taking = this.#keys.take(claim);
        const isTaken = taking.then(
            ({ state }) => state === 'taken',
            () => false,
        );
        const taken = isTaken.then((is) => {
            if (!is) forget();
            return is;
        });
        const begun = taking.then(async (key) => {
            if (key.state === 'taken') return work.start();
            const attached = key.state === 'running' ? await attachTo(work, key.holder) : null;
            if (!attached) return work.restore(successIn(request, this.#stored(claim, key)).data);
            request.app.isReplayed = true;
            return attached;
        });
        this.#runs.set(claim.key, { body: claim.body, taken, work: begun });
        if (await taken) {
            const result = begun.then(work.result).then((data) => ({ status: null, headers: {}, data }));
            void this.#settle(claim, result).then(forget);
        }
        return begun;
    }

    /**
     * What is stored under a key that somebody else has taken.
     *
     * @throws IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_IN_PROGRESS
     */
    #stored(claim: KeyClaim, key: TakenKey): Outcome {
        if (key.state === 'reused') throw apiError('IDEMPOTENCY_KEY_REUSED');
        if (key.state === 'answered') return this.#unseal(claim, key.answer);
        throw apiError('IDEMPOTENCY_IN_PROGRESS', { retryAfter: RETRY_AFTER_S });
    }

    /** Holds the key until the outcome is there and stored; never fails, because the work itself may have succeeded. */
    async #settle(claim: KeyClaim, outcome: Promise<Outcome>): Promise<void> {
        const settled = this.#hold(claim, outcome).then((kept) => this.#end(claim, kept));
        this.#open.add(settled);
        await settled;
        this.#open.delete(settled);
    }

    async #hold(claim: KeyClaim, outcome: Promise<Outcome>): Promise<Outcome | undefined> {
        // A renewal that fails is made up for by the next one.
        const renew = () => void this.#keys.renew(claim).catch(() => undefined);
        const renewal = setInterval(renew, this.#leaseMs / 3);
        try {
            return await outcome;
        } catch (error) {
            return refusalOf(error);
        } finally {
            clearInterval(renewal);
        }
    }

    async #end(claim: KeyClaim, kept: Outcome | undefined): Promise<void> {
        const { vault, logger } = this.#parts;
        try {
            await this.#keys.end(claim, kept && vault.seal(JSON.stringify(kept), purposeOf(claim)));
        } catch (error) {
            logger.warn({ module: 'idempotency', err: error }, 'An answer could not be stored for its repeats');
        }
    }

    #unseal(claim: KeyClaim, answer: string): Outcome {
        const text = this.#parts.vault.open(answer, purposeOf(claim));
        if (text === null) throw new Error('A stored answer does not open: its vault key was retired within a day');
        return JSON.parse(text) as Outcome;
    }
}

/** A plugin, so that routes that say `idempotent: true` need no more: their handlers run once. */
export const idempotency: Plugin<IdempotencyParts> = {
    name: 'idempotency',
    register: (server, parts) => {
        const requests = new Idempotency(parts);
        server.expose('share', requests.share.bind(requests));
        server.events.on('route', ({ settings }) => {
            const way = settings.app?.idempotent;
            if (way !== true && way !== 'required') return;
            // Hapi has made a function of it by now, whatever the route gave.
            const handler = requests.once(settings.handler as Lifecycle.Method);
            settings.handler = way === true ? handler : withKey(handler);
        });
    },
};

/** Refuses a request that could not be repeated safely. */
const withKey =
    (handler: Lifecycle.Method): Lifecycle.Method =>
    (request, h) => {
        requireKey(request);
        return handler.call(null, request, h);
    };

/** What another process has just begun is there in a moment, or the process has died. */
async function attachTo<Work>({ elsewhere }: SharedWork<Work>, id: string): Promise<Work | null> {
    if (!elsewhere) return null;
    for (let tries = 0; tries < ATTACH_TRIES; tries++) {
        const work = await elsewhere.attach(id);
        if (work) return work;
        await sleep(ATTACH_EVERY_MS);
    }
    return null;
}

/** Moved between keys, an answer does not open. */
const purposeOf = ({ key }: KeyClaim): string => `idempotent answer ${key}`;

function replay(request: RepeatableRequest, h: ResponseToolkit, stored: Outcome): ResponseObject {
    const { status, headers, data } = successIn(request, stored);
    const answer = h.response(data);
    if (status !== null) answer.code(status);
    for (const [name, value] of Object.entries(headers)) answer.header(name, String(value));
    return answer;
}

/** @throws The error that was stored */
function successIn(request: RepeatableRequest, stored: Outcome): Success {
    request.app.isReplayed = true;
    if ('code' in stored) throw apiError(stored.code, stored);
    return stored;
}

function successOf({ variety, statusCode, headers, source }: ResponseObject): Success {
    if (variety !== 'plain') throw new Error('An idempotent route answers with data');
    return { status: statusCode, headers: { ...headers }, data: source as object };
}

/** What is kept of a refusal: nothing when it may be none the next time. */
function refusalOf(error: unknown): Outcome | undefined {
    if (!isApiError(error) || !error.data) return undefined;
    const { statusCode } = error.output;
    return statusCode >= 500 || PASSING.has(statusCode) ? undefined : error.data;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        idempotency: Pick<Idempotency, 'share'>;
    }
}
