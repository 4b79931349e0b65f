import type { Candidate } from './capacity-store.ts';
import type { MemberHealth, Proxy } from '../api.ts';

/** Goes after every priority. */
const UNHEALTHY = 1e9;

/**
 * A proxy's members for the choice among them. Those that are not healthy are the last: they are tried when no healthy
 * one took the request. One that nobody looked at counts as healthy.
 */
export const candidatesOf = (
    { members, strategy }: Pick<Proxy, 'members' | 'strategy'>,
    health: Map<string, MemberHealth>,
): Candidate[] =>
    members.map(({ tunnelId, priority, weight }) => ({
        id: tunnelId,
        weight,
        rank: (health.get(tunnelId)?.isHealthy === false ? UNHEALTHY : 0) + (strategy === 'priority' ? priority : 0),
    }));
