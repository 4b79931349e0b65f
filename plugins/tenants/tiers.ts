/** What a tenant pays for; a user's tier is the plan's unless set on the user. */
export type Plan = 'free' | 'premium' | 'enterprise';

/** Requests per minute and user, by tier. */
export const requestsPerMinute: Record<Plan, number> = { free: 100, premium: 500, enterprise: 2_000 };
