import type { Actor } from '../../src/types/actor.ts';
import type { LimitChanges, Plan, TierFigures, TierTable } from '../tenants/api.ts';

/** Whether the platform is closed for maintenance, and what is said of it. */
export interface Maintenance {
    isOn: boolean;
    message: string | null;
}

/** What is in force. */
export interface PlatformSettings {
    registration: 'open' | 'closed';
    maintenance: Maintenance;
    /** Figures that go before the defaults of the tiers: the same object until they are others. */
    limits: TierFigures;
}

/** The configuration as it is shown: with all figures of all tiers. */
export interface PlatformConfig extends Omit<PlatformSettings, 'limits'> {
    limits: TierTable;
    /** 0: nothing was ever set. */
    revision: number;
    updatedAt: string | null;
}

/** What may change of it: what is named. */
export interface ConfigChanges {
    /** Null: what REGISTRATION says. */
    registration?: 'open' | 'closed' | null;
    maintenance?: Partial<Maintenance>;
    /** Null gives a figure its default back. */
    limits?: { [Tier in Plan]?: LimitChanges };
}

/** The platform's configuration, for who runs it. */
export interface ConfigRules {
    /** As it is kept. Told in the platform's audit. */
    get(actor: Actor): Promise<PlatformConfig>;
    /**
     * Changes it for all processes: when the promise is settled, all that are connected obey, or a second has passed.
     *
     * @throws REVISION_MISMATCH
     */
    change(actor: Actor, changes: ConfigChanges, revision?: number): Promise<PlatformConfig>;
}

/** The port of the operations feature. */
export interface OperationsPort {
    /** What is in force in this process: it costs nothing to ask. While Redis is away it is what was known last. */
    settings: () => PlatformSettings;
    /** @param tenantId Whose request it is; null: nobody knows yet. @throws MAINTENANCE */
    checkMaintenance: (tenantId: string | null) => void;
    config: ConfigRules;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        operations: OperationsPort;
    }
}
