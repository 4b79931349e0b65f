import type { Request } from '@hapi/hapi';

/** At most `limit` requests in `window` seconds, in one burst or spread out. */
export interface RateLimit {
    limit: number;
    window: number;
    /** Routes with the same bucket share the limit; each has its own unless given. */
    bucket?: string;
}

/** Where a caller stands with a limit; `reset` is the epoch second at which all of it is there again. */
export interface RateState extends Pick<RateLimit, 'limit' | 'window'> {
    remaining: number;
    reset: number;
}

/** The headers that tell a client where it stands; none where no limit applies. */
export const rateHeaders = (state: RateState | undefined): [name: string, value: string][] =>
    state
        ? [
              ['x-ratelimit-limit', String(state.limit)],
              ['x-ratelimit-remaining', String(state.remaining)],
              ['x-ratelimit-reset', String(state.reset)],
              ['x-ratelimit-window', String(state.window)],
          ]
        : [];

/** What a route's limit is counted under. */
export const bucketOf = ({ route }: Pick<Request, 'route'>): string =>
    route.settings.app?.rateLimit?.bucket ?? `${route.method} ${route.path}`;
