import { apiError } from '../../src/http/errors.ts';
import { isoTime, RecordCodec, type RecordBase } from '../../src/redis/codec.ts';
import { openCursor, sealCursor } from '../../src/redis/cursor.ts';
import { tenantKey } from '../../src/redis/keys.ts';
import { outboxKeys, outboxLists, type Outbox } from '../../src/redis/outbox.ts';

import type { AvatarState, ImageType, Theme } from './api.ts';
import type { ActivityQuery } from './schemas.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { Vault } from '../../src/security/vault.ts';
import type { KeyOwner, ProviderKeyService } from '../models/api.ts';
import type { User, UserService } from '../users/api.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

/** What a user chose; null where nothing. */
export interface Choices {
    defaultModel: string | null;
    defaultTemperature: number | null;
    systemPrompt: string | null;
    summarizationInterval: number | null;
    theme: Theme | null;
    language: string | null;
    notifyByEmail: boolean | null;
    notifyInBrowser: boolean | null;
}

type ChoicesRecord = Choices & RecordBase;

/** Everything that a profile is made of. */
export interface ProfileParts {
    user: User;
    choices: ChoicesRecord;
    providerKeys: string[];
    avatar: AvatarState;
}

export interface ProfileChange {
    displayName?: string | undefined;
    choices: Partial<Choices>;
    revision?: number | undefined;
    outbox: Outbox;
}

export interface Avatar {
    contentType: ImageType;
    digest: string;
    bytes: Buffer;
}

export interface ActivityEntry {
    id: string;
    action: string;
    resource: string;
    resourceId: string;
    result: string;
    details?: object;
    ipAddress: string | null;
    userAgent: string | null;
    correlationId: string | null;
    timestamp: string;
}

type PartsReply = [done: number, user?: string[], choices?: string[], providerKeys?: string[], avatar?: AvatarReply];
type AvatarReply = [contentType: ImageType | null, size: string | null, updatedAt: string | null];
type StreamEntry = [id: string, fields: string[]];

/** A user's choices, avatar and activity; user and provider keys belong to other features and are read along. */
export class ProfileStore {
    readonly #redis: Datastore['redis'];
    readonly #vault: Vault;
    readonly #users: UserService;
    readonly #providerKeys: ProviderKeyService;
    readonly #codec = new RecordCodec<ChoicesRecord>({
        defaultModel: 'text',
        defaultTemperature: 'number',
        systemPrompt: 'text',
        summarizationInterval: 'number',
        theme: 'text',
        language: 'text',
        notifyByEmail: 'boolean',
        notifyInBrowser: 'boolean',
    });
    readonly #read: RunScript;
    readonly #update: RunScript;
    readonly #putAvatar: RunScript;
    readonly #deleteAvatar: RunScript;
    readonly #activity: RunScript;

    constructor(store: Datastore, vault: Vault, users: UserService, providerKeys: ProviderKeyService) {
        this.#redis = store.redis;
        this.#vault = vault;
        this.#users = users;
        this.#providerKeys = providerKeys;
        this.#read = store.script(lua('read-profile'));
        this.#update = store.script(lua('update-profile'));
        this.#putAvatar = store.script(lua('put-avatar'));
        this.#deleteAvatar = store.script(lua('delete-avatar'));
        this.#activity = store.script(lua('read-activity'));
    }

    key({ tenantId, userId }: KeyOwner): string {
        return tenantKey(tenantId, 'user', userId, 'profile');
    }

    avatarKey({ tenantId, userId }: KeyOwner): string {
        return tenantKey(tenantId, 'user', userId, 'avatar');
    }

    /** Reads the flat `field, value, …` of the choices. */
    decode(flat: string[]): Choices {
        return this.#codec.decode(flat);
    }

    /** @throws USER_NOT_FOUND */
    async read(owner: KeyOwner): Promise<ProfileParts> {
        return this.#parts((await this.#read(this.#partKeys(owner), [])) as PartsReply);
    }

    /** Changes what is given and nothing else. @throws USER_NOT_FOUND, REVISION_MISMATCH */
    async update(owner: KeyOwner, { displayName, choices, revision, outbox }: ProfileChange): Promise<ProfileParts> {
        const { tenantId, userId } = owner;
        const renaming = displayName === undefined ? null : this.#users.renaming(tenantId, displayName);
        const fields = this.#codec.encode(choices);
        const change = { id: userId, displayName, terms: renaming?.terms, revision, ...fields, ...outboxLists(outbox) };
        const keys = [
            ...this.#partKeys(owner),
            ...outboxKeys(tenantId),
            ...(renaming === null ? [] : [renaming.termsKey]),
        ];
        return this.#parts((await this.#update(keys, [JSON.stringify(change)])) as PartsReply);
    }

    /** @throws USER_NOT_FOUND */
    async putAvatar(owner: KeyOwner, { contentType, digest, bytes }: Avatar, outbox: Outbox): Promise<AvatarState> {
        const lists = JSON.stringify(outboxLists(outbox));
        const at = Number(await this.#putAvatar(this.#avatarKeys(owner), [lists, contentType, digest, bytes]));
        if (at === 0) throw apiError('USER_NOT_FOUND');
        return avatarState([contentType, String(bytes.length), String(at)]);
    }

    /** @throws AVATAR_NOT_FOUND */
    async avatar(owner: KeyOwner): Promise<Avatar> {
        const found = await this.#redis.hmgetBuffer(this.avatarKey(owner), 'contentType', 'digest', 'bytes');
        const [contentType, digest, bytes] = found;
        if (!contentType || !digest || !bytes) throw apiError('AVATAR_NOT_FOUND');
        return { contentType: contentType.toString() as ImageType, digest: digest.toString(), bytes };
    }

    /** @throws AVATAR_NOT_FOUND */
    async deleteAvatar(owner: KeyOwner, outbox: Outbox): Promise<void> {
        const done = await this.#deleteAvatar(this.#avatarKeys(owner), [JSON.stringify(outboxLists(outbox))]);
        if (done === 0) throw apiError('AVATAR_NOT_FOUND');
    }

    /** The user's own audit entries, newest first. @throws INVALID_CURSOR */
    async activity(owner: KeyOwner, { limit, cursor }: ActivityQuery) {
        const list = this.#activityKey(owner);
        const seen = cursor === undefined ? '' : openCursor(this.#vault, list, cursor).score;
        const [, audit] = outboxKeys(owner.tenantId);
        const [last, entries] = (await this.#activity([list, audit], [seen, limit])) as [string, StreamEntry[]];
        const next = last === '' ? null : sealCursor(this.#vault, list, { score: last, id: '-' });
        return { entries: entries.map(entryOf), pagination: { cursor: next, limit, hasMore: next !== null } };
    }

    /** Removes what is left of a user who is purged. */
    async purge(owner: KeyOwner): Promise<void> {
        const activity = this.#activityKey(owner);
        await this.#redis.unlink(this.key(owner), this.avatarKey(owner), activity);
    }

    #activityKey({ tenantId, userId }: KeyOwner): string {
        return tenantKey(tenantId, 'user', userId, 'audit');
    }

    #partKeys(owner: KeyOwner): string[] {
        const { tenantId, userId } = owner;
        const user = this.#users.key(tenantId, userId);
        return [user, this.key(owner), this.#providerKeys.key(owner), this.avatarKey(owner)];
    }

    #avatarKeys(owner: KeyOwner): string[] {
        const { tenantId, userId } = owner;
        const user = this.#users.key(tenantId, userId);
        return [user, this.key(owner), this.avatarKey(owner), ...outboxKeys(tenantId)];
    }

    #parts([done, user = [], choices = [], providerKeys = [], avatar = [null, null, null]]: PartsReply): ProfileParts {
        if (done === 0) throw apiError('USER_NOT_FOUND');
        if (done === -1) throw apiError('REVISION_MISMATCH');
        return {
            user: this.#users.decode(user),
            choices: this.#codec.decode(choices),
            providerKeys,
            avatar: avatarState(avatar),
        };
    }
}

function avatarState([contentType, size, updatedAt]: AvatarReply): AvatarState {
    if (contentType === null) return { configured: false };
    return { configured: true, contentType, size: Number(size), updatedAt: isoTime(Number(updatedAt)) };
}

/** The id of an entry begins with its time, in milliseconds since the epoch. */
function entryOf([id, flat]: StreamEntry): ActivityEntry {
    const fields = new Map<string, string>();
    for (let at = 0; at < flat.length; at += 2) fields.set(flat[at] ?? '', flat[at + 1] ?? '');
    const details = fields.get('details');
    return {
        id,
        action: fields.get('action') ?? '',
        resource: fields.get('resource') ?? '',
        resourceId: fields.get('resourceId') ?? '',
        result: fields.get('result') ?? '',
        ...(details !== undefined && { details: JSON.parse(details) as object }),
        ipAddress: fields.get('ipAddress') ?? null,
        userAgent: fields.get('userAgent') ?? null,
        correlationId: fields.get('correlationId') ?? null,
        timestamp: isoTime(Number(id.split('-')[0])),
    };
}
