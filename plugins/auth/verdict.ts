import type { RateState } from '../../src/http/rate-limit.ts';

/** Limit, remaining, reset (epoch s), window (s), wait (ms) */
export type RateReply = [number, number, number, number, number];

/** What the admission scripts answer with; after the rate used and limit of the quota, when over it. */
export type AdmitReply = [
    code: number,
    role?: string,
    tier?: string,
    rate?: RateReply,
    used?: unknown,
    limit?: unknown,
];
export type TokenReply = [code: number, role: string, tier: string, rate: RateReply, providerKeys: string];
export type KeyReply = [
    code: number,
    role: string,
    tier: string,
    rate: RateReply,
    userId: string,
    username: string,
    scopes: string,
    expiry: string,
    providerKeys: string,
];

export type PassReply = [
    code: number,
    role: string,
    tier: string,
    rate: RateReply,
    userId: string,
    username: string,
    expiry: string,
];

export interface Verdict {
    code: number;
    role: string;
    tier: string;
    /** Names of the providers that the user has an API key of. */
    providerKeys: string[];
    rate: RateState | undefined;
    /** Milliseconds to wait, when over a limit or the quota. */
    wait: number;
    /** Of the month, when over the quota. */
    quota?: { used: number; limit: number; resetsAt: number };
}

/** Of the providers, as admission gives them. */
export const namesIn = (list: string): string[] => list.split(',').filter((name) => name !== '');

export const rateState = ([limit, remaining, reset, window]: RateReply): RateState => ({
    limit,
    remaining,
    reset,
    window,
});
