/** What a tenant pays for; a user's tier is the plan's unless set on the user. */
export type Plan = 'free' | 'premium' | 'enterprise';

/** What a tier allows; `null` is no limit. */
export interface TierLimits {
    /** Of a user. */
    requestsPerMinute: number;
    /** Of a tenant, as all figures by month. */
    requestsPerMonth: number | null;
    /** Of a user. */
    concurrentGenerations: number;
    tunnels: number | null;
    proxies: number | null;
    replicasPerProxy: number;
    relayedBytesPerMonth: number | null;
    /** Of a user. */
    projects: number | null;
    /** Of a user. */
    vms: number | null;
    /** Of a user: service API keys. */
    apiKeys: number;
    auditRetentionDays: number;
}

/** The figures that a platform admin has set for one tenant; they go before those of any tier. */
export type LimitOverrides = Partial<TierLimits>;

/** Some of these figures; null takes one away, so that the tier's holds again. */
export type LimitChanges = { [Figure in keyof TierLimits]?: number | null };

/** What each tier allows. */
export type TierTable = Record<Plan, TierLimits>;

/** The figures that go before the defaults, by tier. */
export type TierFigures = { [Tier in Plan]?: LimitOverrides };

const GIB = 1_073_741_824;

/** What tiers allow where the platform's configuration says nothing else. */
export const defaultTiers: TierTable = {
    free: {
        requestsPerMinute: 100,
        requestsPerMonth: 10_000,
        concurrentGenerations: 3,
        tunnels: 3,
        proxies: 0,
        replicasPerProxy: 0,
        relayedBytesPerMonth: GIB,
        projects: 10,
        vms: 5,
        apiKeys: 100,
        auditRetentionDays: 90,
    },
    premium: {
        requestsPerMinute: 500,
        requestsPerMonth: 1_000_000,
        concurrentGenerations: 25,
        tunnels: 50,
        proxies: 10,
        replicasPerProxy: 3,
        relayedBytesPerMonth: 100 * GIB,
        projects: 10,
        vms: 50,
        apiKeys: 100,
        auditRetentionDays: 365,
    },
    enterprise: {
        requestsPerMinute: 2_000,
        requestsPerMonth: null,
        concurrentGenerations: 100,
        tunnels: null,
        proxies: null,
        replicasPerProxy: 10,
        relayedBytesPerMonth: null,
        projects: null,
        vms: null,
        apiKeys: 100,
        auditRetentionDays: 7 * 365,
    },
};

const isPlan = (tier: string): tier is Plan => Object.hasOwn(defaultTiers, tier);

/** The tiers with some figures in the place of the defaults. */
export const tiersWith = ({ free, premium, enterprise }: TierFigures): TierTable => ({
    free: { ...defaultTiers.free, ...free },
    premium: { ...defaultTiers.premium, ...premium },
    enterprise: { ...defaultTiers.enterprise, ...enterprise },
});

/** The one table that limits, quotas and feature checks read. */
export interface Tiers {
    /** The tiers in force. */
    table(): TierTable;
    /** What a tier allows in a tenant with those figures of its own. @throws {RangeError} When there is no such tier */
    limitsOf(tier: string, overrides: LimitOverrides | null): TierLimits;
    /** Some figures of every tier, as `<tier>:<figure>:<figure> …` for a script; no limit is nothing. */
    figuresByTier(...figures: (keyof TierLimits)[]): string;
}

/** @param figures What the platform's configuration says at the moment: the same object until it is another */
export function createTiers(figures: () => TierFigures): Tiers {
    let known = { figures: figures(), table: tiersWith(figures()), texts: new Map<string, string>() };
    // Each request asks, and the configuration hardly ever changes.
    const current = () => {
        const now = figures();
        if (now !== known.figures) known = { figures: now, table: tiersWith(now), texts: new Map() };
        return known;
    };
    return {
        table: () => current().table,
        limitsOf(tier, overrides) {
            if (!isPlan(tier)) throw new RangeError(`There is no tier ${tier}`);
            return { ...current().table[tier], ...overrides };
        },
        figuresByTier(...names) {
            const { table, texts } = current();
            const name = names.join();
            const text = texts.get(name) ?? figuresText(table, names);
            texts.set(name, text);
            return text;
        },
    };
}

const figuresText = (table: TierTable, names: (keyof TierLimits)[]): string =>
    Object.entries(table)
        .map(([tier, limits]) => [tier, ...names.map((name) => limits[name] ?? '')].join(':'))
        .join(' ');
