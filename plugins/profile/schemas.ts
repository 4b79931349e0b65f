import Joi from 'joi';

import { KEY_NAMES, type KeyName } from '../models/api.ts';
import { userExample, userSchema } from '../users/api.ts';

import type { Preferences, Settings } from './api.ts';

/** What is sent as an avatar. */
export const IMAGE_TYPES = ['image/png', 'image/jpeg', 'image/webp'];

const time = () => Joi.string().isoDate();

const settingsSchema = Joi.object({
    defaultModel: Joi.string().allow(null).description('the id of a model'),
    defaultTemperature: Joi.number().allow(null),
    systemPrompt: Joi.string().allow(null).description('goes first in every call to a model'),
    summarizationInterval: Joi.number().integer().description('messages between two summaries'),
}).label('Settings');

const preferencesSchema = Joi.object({
    theme: Joi.string().valid('light', 'dark', 'system'),
    language: Joi.string().description('a BCP 47 tag'),
    notifications: Joi.object({ email: Joi.boolean(), browser: Joi.boolean() }).label('Notifications'),
}).label('Preferences');

const keyState = Joi.object({
    configured: Joi.boolean(),
    lastUsed: time().optional().description('to the minute'),
}).label('ApiKeyState');

const avatarSchema = Joi.object({
    configured: Joi.boolean(),
    contentType: Joi.string()
        .valid(...IMAGE_TYPES)
        .optional(),
    size: Joi.number().integer().optional().description('bytes'),
    updatedAt: time().optional(),
}).label('AvatarState');

const profileSchema = userSchema
    .keys({
        settings: settingsSchema,
        preferences: preferencesSchema,
        apiKeys: Joi.object({ claude: keyState, openai: keyState, google: keyState }).label('ApiKeyStates'),
        avatar: avatarSchema,
    })
    .label('Profile');

export const profileAnswer = Joi.object({ user: profileSchema }).label('ProfileData');

const settingsExample = {
    defaultModel: 'sandbox',
    defaultTemperature: 0.7,
    systemPrompt: 'You are an expert coding assistant.',
    summarizationInterval: 10,
};
const preferencesExample = { theme: 'system', language: 'en', notifications: { email: true, browser: false } };
const avatarExample = {
    configured: true,
    contentType: 'image/png',
    size: 4_096,
    updatedAt: '2026-11-20T10:30:00.000Z',
};

export const profileExample = {
    user: {
        ...userExample,
        settings: settingsExample,
        preferences: preferencesExample,
        apiKeys: {
            claude: { configured: true, lastUsed: '2026-11-20T10:30:00.000Z' },
            openai: { configured: false },
            google: { configured: false },
        },
        avatar: avatarExample,
    },
};

export interface UpdateProfile {
    displayName?: string;
    settings?: Partial<Settings>;
    preferences?: Partial<Omit<Preferences, 'notifications'>> & {
        notifications?: Partial<Preferences['notifications']>;
    };
}

/** A language tag in its canonical form (RFC 5646). */
const language = () =>
    Joi.string()
        .max(35)
        .custom((tag: string, helpers) => {
            try {
                return Intl.getCanonicalLocales(tag)[0];
            } catch {
                return helpers.message({ custom: '{{#label}} must be a BCP 47 language tag' });
            }
        });

export const updateProfilePayload = Joi.object<UpdateProfile>({
    displayName: Joi.string().trim().min(1).max(100),
    settings: Joi.object({
        defaultModel: Joi.string().max(200).allow(null).description('the id or an alias of a model'),
        defaultTemperature: Joi.number().min(0).max(2).allow(null),
        systemPrompt: Joi.string().max(2_000).allow(null),
        summarizationInterval: Joi.number().integer().min(1).max(100),
    })
        .min(1)
        .description('null takes a setting back')
        .label('UpdateSettings'),
    preferences: Joi.object({
        theme: Joi.string().valid('light', 'dark', 'system'),
        language: language(),
        notifications: Joi.object({ email: Joi.boolean(), browser: Joi.boolean() }).min(1).label('UpdateNotifications'),
    })
        .min(1)
        .label('UpdatePreferences'),
})
    .min(1)
    .required()
    .example({ displayName: 'Ada', settings: { defaultTemperature: 0.8 }, preferences: { theme: 'dark' } })
    .label('UpdateProfile');

export type AddKeys = Partial<Record<KeyName, string>>;

/** Visible ASCII, which is what a header can carry; the message must not repeat the key. */
const apiKey = () =>
    Joi.string()
        .pattern(/^[\x21-\x7e]{8,512}$/)
        .messages({ 'string.pattern.base': '{{#label}} must be 8 to 512 visible ASCII characters' });

export const addKeysPayload = Joi.object<AddKeys>({ claude: apiKey(), openai: apiKey(), google: apiKey() })
    .or(...KEY_NAMES)
    .required()
    .example({ claude: 'sk-ant-api03-0123456789', openai: 'sk-proj-0123456789' })
    .label('AddKeys');

const keyName = () =>
    Joi.string()
        .valid(...KEY_NAMES)
        .label('ProviderKeyName');
const verdict = () => Joi.any().valid(true, false, 'unknown').optional();

export const addKeysAnswer = Joi.object({
    updated: Joi.array().items(keyName()).label('UpdatedKeys').description('the keys that were stored'),
    verified: Joi.object({ claude: verdict(), openai: verdict(), google: verdict() })
        .label('KeyVerdicts')
        .description('false: the provider refused the key; unknown: the provider could not be asked'),
}).label('AddKeysData');

export const addKeysExample = {
    updated: ['claude', 'openai'],
    verified: { claude: true, openai: 'unknown', google: false },
};

export interface KeyParams {
    provider: KeyName;
}

export const keyParams = Joi.object<KeyParams>({ provider: keyName().required() }).label('KeyParams');

export const removeKeyAnswer = Joi.object({ removed: keyName() }).label('RemoveKeyData');

export const avatarAnswer = Joi.object({ avatar: avatarSchema }).label('AvatarData');
export const putAvatarExample = { avatar: avatarExample };
export const deleteAvatarExample = { avatar: { configured: false } };

export interface DeleteProfile {
    password: string;
}

export const deleteProfilePayload = Joi.object<DeleteProfile>({
    password: Joi.string().max(256).required(),
})
    .required()
    .example({ password: 'correct horse battery staple' })
    .label('DeleteProfile');

export const deleteProfileAnswer = Joi.object({ deletedUser: Joi.string() }).label('DeleteProfileData');
export const deleteProfileExample = { deletedUser: userExample.id };

export interface ActivityQuery {
    limit: number;
    cursor?: string;
}

export const activityQuery = Joi.object<ActivityQuery>({
    limit: Joi.number().integer().min(1).max(100).default(20),
    cursor: Joi.string().max(1024).description('the cursor of the page before'),
}).label('ActivityQuery');

const entrySchema = Joi.object({
    id: Joi.string(),
    action: Joi.string(),
    resource: Joi.string(),
    resourceId: Joi.string(),
    result: Joi.string().description('`success`, or the error code of the refusal'),
    details: Joi.object().unknown().optional().label('ActivityDetails'),
    ipAddress: Joi.string().allow(null),
    userAgent: Joi.string().allow(null, ''),
    correlationId: Joi.string().allow(null),
    timestamp: time(),
}).label('ActivityEntry');

export const activityAnswer = Joi.object({ entries: Joi.array().items(entrySchema).label('ActivityEntries') }).label(
    'ActivityData',
);

export const activityExample = {
    entries: [
        {
            id: '1795170600000-0',
            action: 'thread.create',
            resource: 'thread',
            resourceId: 'thread_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
            result: 'success',
            ipAddress: '203.0.113.7',
            userAgent: 'curl/8.5.0',
            correlationId: 'req_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
            timestamp: '2026-11-20T10:30:00.000Z',
        },
    ],
};
