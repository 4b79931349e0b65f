import { mapValues, type Operation } from './openapi.ts';
import { defaultTiers } from '../tenants/api.ts';

/**
 * What holds for every request with a credential, besides a limit of the route's own: unless the platform has set
 * others.
 */
const OF_TIER = {
    per: 'user',
    window: 60,
    tiers: mapValues(defaultTiers, ({ requestsPerMinute }) => requestsPerMinute),
};

/** The limit of a route: its own, that of the user's tier, or none where nobody has to say who asks. */
export const rateLimitOf = ({ security, 'x-rate-limit': own }: Operation): unknown =>
    own ?? (security === undefined ? OF_TIER : { per: 'none' });
