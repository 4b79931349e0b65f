import { createHash } from 'node:crypto';

import { imageType } from './image-type.ts';
import { IMAGE_TYPES, type ActivityQuery, type UpdateProfile } from './schemas.ts';
import { apiError } from '../../src/http/errors.ts';
import { audited, type Outbox } from '../../src/redis/outbox.ts';

import type { AvatarState, Profile } from './api.ts';
import type { Avatar, Choices, ProfileParts, ProfileStore } from './store.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { AuthPort } from '../auth/api.ts';
import type { ModelService } from '../models/api.ts';
import type { UserService } from '../users/api.ts';

export interface ProfileFeatures {
    auth: AuthPort;
    users: UserService;
    models: ModelService;
}

export type ProfileRules = ReturnType<typeof createProfileService>;

/** What users see and change of themselves. */
export function createProfileService(store: ProfileStore, { auth, users, models }: ProfileFeatures) {
    const profileOf = (actor: Actor, parts: ProfileParts) => present(actor, parts, { users, models });

    return {
        /** @throws USER_NOT_FOUND */
        get: async (actor: Actor): Promise<Profile> => profileOf(actor, await store.read(actor)),

        /** @throws MODEL_NOT_FOUND, REVISION_MISMATCH, USER_NOT_FOUND */
        async update(actor: Actor, { displayName, settings, preferences }: UpdateProfile, revision?: number) {
            const { defaultModel } = settings ?? {};
            const { notifications, ...appearance } = preferences ?? {};
            const choices: Partial<Choices> = {
                ...settings,
                ...(typeof defaultModel === 'string' && { defaultModel: (await models.find(actor, defaultModel)).id }),
                ...appearance,
                ...(notifications?.email !== undefined && { notifyByEmail: notifications.email }),
                ...(notifications?.browser !== undefined && { notifyInBrowser: notifications.browser }),
            };
            const changed = [...(displayName === undefined ? [] : ['displayName']), ...Object.keys(choices)];
            const outbox = outboxOf(actor, 'profile.update', { changed });
            return profileOf(actor, await store.update(actor, { displayName, choices, revision, outbox }));
        },

        /** @throws INVALID_CREDENTIALS, ACCOUNT_DELAYED, SERVER_BUSY, LAST_ADMIN, ALREADY_DELETED */
        async delete(actor: Actor, password: string): Promise<string> {
            await auth.checkPassword(actor, password);
            await users.remove(actor, actor.userId);
            return actor.userId;
        },

        /** @throws UNSUPPORTED_MEDIA_TYPE when the bytes are no image of a kind that is shown */
        putAvatar(actor: Actor, bytes: Buffer): Promise<AvatarState> {
            const contentType = imageType(bytes);
            if (contentType === null) throw apiError('UNSUPPORTED_MEDIA_TYPE', { details: { takes: IMAGE_TYPES } });
            const digest = createHash('sha256').update(bytes).digest('base64url');
            const outbox = outboxOf(actor, 'avatar.put', { changed: ['avatar'] });
            return store.putAvatar(actor, { contentType, digest, bytes }, outbox);
        },

        /** @throws AVATAR_NOT_FOUND */
        avatar: (actor: Actor): Promise<Avatar> => store.avatar(actor),

        /** @throws AVATAR_NOT_FOUND */
        deleteAvatar: (actor: Actor): Promise<void> =>
            store.deleteAvatar(actor, outboxOf(actor, 'avatar.delete', { changed: ['avatar'] })),

        /** @throws INVALID_CURSOR */
        activity: (actor: Actor, query: ActivityQuery) => store.activity(actor, query),
    };
}

/** Choices with an interval: the usual one where none was chosen. */
export const withInterval = <T extends Pick<Choices, 'summarizationInterval'>>(choices: T) => ({
    ...choices,
    summarizationInterval: choices.summarizationInterval ?? 10,
});

/** What was not chosen is as usual. */
function present(
    { tenantId, userId }: Actor,
    { user, choices, providerKeys, avatar }: ProfileParts,
    { users, models }: Pick<ProfileFeatures, 'users' | 'models'>,
): Profile {
    return {
        ...users.publish(user),
        revision: user.revision + choices.revision,
        settings: {
            defaultModel: choices.defaultModel,
            defaultTemperature: choices.defaultTemperature,
            systemPrompt: choices.systemPrompt,
            summarizationInterval: withInterval(choices).summarizationInterval,
        },
        preferences: {
            theme: choices.theme ?? 'system',
            language: choices.language ?? 'en',
            notifications: { email: choices.notifyByEmail ?? true, browser: choices.notifyInBrowser ?? false },
        },
        apiKeys: models.keys.describe({ tenantId, userId }, providerKeys),
        avatar,
    };
}

/** Names what was changed, never what it was changed to. */
function outboxOf(actor: Actor, action: string, details: { changed: string[] }): Outbox {
    const { userId } = actor;
    const entry = { action, resource: 'user', resourceId: userId, result: 'success', details };
    return { events: [{ type: 'profile.updated', data: { userId, ...details } }], audit: [audited(actor, entry)] };
}
