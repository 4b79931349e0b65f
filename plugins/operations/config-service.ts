import { apiError } from '../../src/http/errors.ts';
import { PLATFORM } from '../../src/redis/keys.ts';
import { audited, type AuditEntry, type Outbox } from '../../src/redis/outbox.ts';
import { tellLook } from '../../src/redis/platform-audit.ts';
import { tiersWith, type TierFigures } from '../tenants/api.ts';

import type { ConfigChanges, ConfigRules, Maintenance, PlatformConfig, PlatformSettings } from './api.ts';
import type { ConfigStore, StoredConfig } from './config-store.ts';
import type { Obedience } from './obedience.ts';
import type { AppendOutbox } from '../../src/redis/append-outbox.ts';
import type { Actor } from '../../src/types/actor.ts';

/** How often a change is done again that met another one. */
const MOST_TRIES = 10;

export interface ConfigParts {
    store: ConfigStore;
    obedience: Obedience;
    append: AppendOutbox;
    /** Until something else is set. */
    registration: PlatformSettings['registration'];
}

/** The platform's configuration, as it is kept for all processes. */
export function createConfigService(parts: ConfigParts): ConfigRules {
    const { store, obedience, append } = parts;
    const shown = ({ registration, maintenance, limits, revision, updatedAt }: StoredConfig): PlatformConfig => ({
        registration: registration ?? parts.registration,
        maintenance: maintenance ?? { isOn: false, message: null },
        limits: tiersWith(limits ?? {}),
        revision,
        updatedAt,
    });

    return {
        async get(actor) {
            await tellLook(append, actor, { id: PLATFORM, resource: 'config', action: 'config.read' });
            return shown(await store.read());
        },

        async change(actor, changes, revision) {
            const outbox: Outbox = {
                events: [{ type: 'platform.configured', data: { changed: Object.keys(changes) } }],
                audit: [updated(actor, changes)],
            };
            await obedience.listen();
            for (let tries = 1; ; tries++) {
                const before = await store.read();
                if (revision !== undefined && revision !== before.revision) throw apiError('REVISION_MISMATCH');
                const choices = merged(before, changes);
                const config = await obedience.of(() => store.change(before.revision, choices, outbox));
                if (config) return shown(config);
                if (revision !== undefined || tries === MOST_TRIES) throw apiError('REVISION_MISMATCH');
            }
        },
    };
}

const updated = (actor: Actor, changes: ConfigChanges): AuditEntry => {
    const entry = { action: 'config.update', resource: 'config', resourceId: PLATFORM, result: 'success' };
    return audited(actor, { ...entry, details: { ...changes } });
};

const QUIET: Maintenance = { isOn: false, message: null };

function merged(before: StoredConfig, { registration, maintenance, limits }: ConfigChanges) {
    return {
        registration: registration === undefined ? before.registration : registration,
        maintenance: maintenance ? { ...QUIET, ...before.maintenance, ...maintenance } : before.maintenance,
        limits: limits ? mergedLimits(before.limits ?? {}, limits) : before.limits,
    };
}

/** Null: all figures are the defaults again. */
function mergedLimits(before: TierFigures, changes: NonNullable<ConfigChanges['limits']>): TierFigures | null {
    const tiers = (['free', 'premium', 'enterprise'] as const).flatMap((tier) => {
        const figures = Object.entries({ ...before[tier], ...changes[tier] }).filter(([, figure]) => figure !== null);
        return figures.length === 0 ? [] : [[tier, Object.fromEntries(figures)]];
    });
    return tiers.length === 0 ? null : (Object.fromEntries(tiers) as TierFigures);
}
