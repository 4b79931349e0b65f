import { luaFile } from './lua-file.ts';

import type { Datastore, RunScript } from './datastore.ts';

const LIFETIME_MS = 24 * 3_600_000;

/** A request under an idempotency key: where that stands, a digest of its body, and who runs it. */
export interface KeyClaim {
    key: string;
    body: string;
    holder: string;
}

/** `running` comes with who runs it, `answered` with the text that was stored. */
export type TakenKey =
    | { state: 'taken' | 'reused' }
    | { state: 'running'; holder: string }
    | { state: 'answered'; answer: string };

/** Idempotency keys in Redis: held under a lease while their request runs, with its answer for 24 h afterwards. */
export class IdempotencyKeys {
    readonly #leaseMs: number;
    readonly #take: RunScript;
    readonly #renew: RunScript;
    readonly #end: RunScript;

    /** @param leaseMs After that a key is free again whose holder does not renew it */
    constructor(store: Datastore, leaseMs: number) {
        this.#leaseMs = leaseMs;
        this.#take = store.script(luaFile('take-idempotency-key'));
        this.#renew = store.script(luaFile('renew-idempotency-key'));
        this.#end = store.script(luaFile('end-idempotency-key'));
    }

    async take({ key, body, holder }: KeyClaim): Promise<TakenKey> {
        const [code, text = ''] = (await this.#take([key], [body, holder, this.#leaseMs])) as [number, string?];
        if (code === 2) return { state: 'answered', answer: text };
        if (code === 0) return { state: 'running', holder: text };
        return { state: code === 1 ? 'taken' : 'reused' };
    }

    async renew({ key, holder }: KeyClaim): Promise<void> {
        await this.#renew([key], [holder, this.#leaseMs]);
    }

    /** Stores the answer; without one the key is free again. Nothing happens when somebody else has it by now. */
    async end({ key, body, holder }: KeyClaim, answer = ''): Promise<void> {
        await this.#end([key], [body, holder, answer, LIFETIME_MS]);
    }
}
