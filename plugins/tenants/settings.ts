/** What a tenant's admin has set for its users; what a request says itself goes before it. */
export interface TenantSettings {
    /** What happens to an answer when its client goes away. */
    onDisconnect: 'finish' | 'cancel';
    /** Ids of models that answer in place of one that fails before its first word. */
    fallbackModels: string[];
}

const USUAL: TenantSettings = { onDisconnect: 'finish', fallbackModels: [] };

/** The settings that hold. @param stored Those of the tenant's record; null where nobody has set any */
export const settingsOf = (stored: Partial<TenantSettings> | null): TenantSettings => ({ ...USUAL, ...stored });
