import type { KeyName, KeyOwner, KeyState } from '../models/api.ts';
import type { PublicUser } from '../users/api.ts';

export type Theme = 'light' | 'dark' | 'system';

/** What a user's calls to models begin with, unless they say otherwise; null where the user chose nothing. */
export interface Settings {
    defaultModel: string | null;
    defaultTemperature: number | null;
    systemPrompt: string | null;
    /** After how many messages a conversation is summarised. */
    summarizationInterval: number;
}

export interface Preferences {
    theme: Theme;
    /** A BCP 47 tag. */
    language: string;
    notifications: { email: boolean; browser: boolean };
}

export type ImageType = 'image/png' | 'image/jpeg' | 'image/webp';

export interface AvatarState {
    configured: boolean;
    contentType?: ImageType;
    /** Bytes */
    size?: number;
    updatedAt?: string;
}

/** A user as he sees himself; `revision` counts the changes of the user and of the profile. */
export interface Profile extends PublicUser {
    settings: Settings;
    preferences: Preferences;
    apiKeys: Record<KeyName, KeyState>;
    avatar: AvatarState;
}

/** The port of the profile feature. */
export interface ProfileService {
    /** Where a user's settings live, for scripts that bring them along. */
    key(owner: KeyOwner): string;
    /** Reads what such a script returned, as far as a call to a model needs it. */
    callDefaults(flat: string[]): Pick<Settings, 'systemPrompt' | 'defaultTemperature' | 'summarizationInterval'>;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        profile: ProfileService;
    }
}
