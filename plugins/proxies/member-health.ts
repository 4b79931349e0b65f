import { isoTime } from '../../src/redis/codec.ts';

import type { MemberHealth } from './api.ts';

/** What a check or a request saw of a member. */
export interface Seen {
    tunnelId: string;
    isSuccess: boolean;
    /** Null: there was no answer. */
    latencyMs: number | null;
    error?: string;
}

/** As the scripts keep it. */
interface KeptHealth {
    isHealthy: boolean;
    failures: number;
    successes: number;
    checkedAt: number;
    latencyMs?: number;
    error?: string;
}

/** Reads the flat `tunnel, health, …` of those members that were looked at. */
export function memberHealth(flat: string[]): Map<string, MemberHealth> {
    const found = new Map<string, MemberHealth>();
    for (let at = 0; at < flat.length; at += 2) found.set(flat[at] ?? '', toHealth(flat[at + 1] ?? ''));
    return found;
}

function toHealth(text: string): MemberHealth {
    const { checkedAt, latencyMs = null, error = null, ...rest } = JSON.parse(text) as KeptHealth;
    return { ...rest, checkedAt: isoTime(checkedAt), latencyMs, error };
}
