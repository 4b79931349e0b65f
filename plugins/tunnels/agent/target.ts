import { baseOf, type NamedTarget } from './plan.ts';

import type { Dispatcher } from 'undici';
import type { EndpointHealth } from '../link/types.ts';

/** When a target is looked after, in milliseconds. */
export interface HealthPolicy {
    everyMs: number;
    timeoutMs: number;
    /** How many failures in a row make it unhealthy. */
    failures: number;
    /** How long an unhealthy one is left alone. */
    recoveryMs: number;
}

export const healthPolicy: HealthPolicy = { everyMs: 30_000, timeoutMs: 5_000, failures: 3, recoveryMs: 60_000 };

const LONGEST_ERROR = 200;

/** A service on this machine or near it, and how it is. */
export class Target {
    readonly url: URL;
    readonly origin: string;
    /** Without a slash at its end. */
    readonly basePath: string;
    readonly host: string;
    #named: NamedTarget;
    readonly #policy: HealthPolicy;
    #failures = 0;
    #checkedAt = -Infinity;
    #latencyMs: number | null = null;
    #error: string | undefined;

    constructor(named: NamedTarget, policy: HealthPolicy) {
        const { url } = named;
        this.url = url;
        this.origin = url.origin;
        this.basePath = baseOf(url);
        this.host = url.host;
        this.#named = named;
        this.#policy = policy;
    }

    get id(): string {
        return this.#named.id;
    }

    get priority(): number {
        return this.#named.priority;
    }

    get weight(): number {
        return this.#named.weight;
    }

    /** By another name, priority and weight it is the same service. */
    rename(named: NamedTarget): this {
        this.#named = named;
        return this;
    }

    get isHealthy(): boolean {
        return this.#failures < this.#policy.failures;
    }

    get health(): EndpointHealth {
        const { id: endpoint, isHealthy } = this;
        return {
            endpoint,
            isHealthy,
            latencyMs: this.#latencyMs,
            ...(this.#error !== undefined && { error: this.#error }),
        };
    }

    /** Whether it is to be looked after in this round: an unhealthy one is left alone for a while. */
    isDue(now: number): boolean {
        const { everyMs, recoveryMs } = this.#policy;
        // Half a round early is as good as half a round late.
        return this.isHealthy || now - this.#checkedAt >= recoveryMs - everyMs / 2;
    }

    async check(dispatcher: Dispatcher, now: () => number): Promise<void> {
        const since = now();
        this.#checkedAt = since;
        try {
            await this.ask(dispatcher, this.#policy.timeoutMs);
            this.noteSuccess();
            this.#latencyMs = now() - since;
        } catch (error) {
            this.noteFailure(error);
        }
    }

    /** The status it answers with: what it says to somebody without a credential is its own affair, but no 5xx. */
    async ask(dispatcher: Dispatcher, timeoutMs: number): Promise<number> {
        const { statusCode, body } = await dispatcher.request({
            origin: this.origin,
            path: `${this.basePath}/`,
            method: 'GET',
            signal: AbortSignal.timeout(timeoutMs),
        });
        body.on('error', () => undefined).destroy();
        if (statusCode >= 500) throw new Error(`It answered ${statusCode}`);
        return statusCode;
    }

    noteSuccess(): void {
        this.#failures = 0;
        this.#error = undefined;
    }

    noteFailure(error: unknown): void {
        this.#failures++;
        this.#latencyMs = null;
        this.#error = describeFailure(error);
    }
}

/** In words that name no more than what is wrong. */
export function describeFailure(error: unknown): string {
    if (!(error instanceof Error)) return 'It failed';
    if (error.name === 'TimeoutError') return 'It did not answer in time';
    const code = 'code' in error ? String(error.code) : '';
    if (code === 'ECONNREFUSED') return 'Nobody listens there';
    if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'Its name is not known';
    return code === '' ? error.message.slice(0, LONGEST_ERROR) : code;
}
