import { apiError, type ErrorCode } from '../../src/http/errors.ts';
import { isoTime, RecordCodec, type Fields } from '../../src/redis/codec.ts';
import { Collection, type ChangeOptions, type Place } from '../../src/redis/collection.ts';
import { tenantKey } from '../../src/redis/keys.ts';
import { outboxKeys, outboxLists, type Outbox } from '../../src/redis/outbox.ts';

import type { Project } from './api.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { Vault } from '../../src/security/vault.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

const FIELDS: Fields<Project> = { userId: 'text', name: 'text', description: 'text', status: 'text' };

/** A project still to be created. */
export type NewProject = Omit<Project, 'revision' | 'createdAt' | 'updatedAt'>;
/** The project, or how many its user may have and has. */
export type Creation = { project: Project } | { most: number };
export type ProjectChanges = Partial<Pick<Project, 'name' | 'description'>>;

/** A deletion; the one outbox or the other, as it ends at once or later. */
export interface Deletion {
    revision?: number | undefined;
    deleted: Outbox;
    deleting: Outbox;
    /** Keys that exist while something is in the project. */
    contents: string[];
}

const REFUSALS: Record<number, ErrorCode> = {
    0: 'PROJECT_NOT_FOUND',
    [-1]: 'REVISION_MISMATCH',
    [-2]: 'PROJECT_DELETING',
    [-3]: 'NAME_TAKEN',
};

const refusal = (code: number) => apiError(REFUSALS[code] ?? 'PROJECT_NOT_FOUND');

/** Projects of users: `project:<id>`, a list of each user's and their names. */
export class ProjectStore {
    readonly records: Collection<Project>;
    readonly #store: Datastore;
    readonly #codec = new RecordCodec<Project>(FIELDS);
    readonly #tenantKey: (tenantId: string) => string;
    readonly #create: RunScript;
    readonly #update: RunScript;
    readonly #delete: RunScript;
    readonly #finish: RunScript;

    constructor(store: Datastore, vault: Vault, tenantKeyOf: (tenantId: string) => string) {
        this.#store = store;
        this.#tenantKey = tenantKeyOf;
        this.records = new Collection<Project>(store, vault, {
            name: 'project',
            owner: 'userId',
            fields: FIELDS,
            orders: { created: { by: 'createdAt', index: (userId) => ['user', userId, 'projects'] } },
            notFound: 'PROJECT_NOT_FOUND',
        });
        this.#create = store.script(lua('create-project'));
        this.#update = store.script(lua('update-project'));
        this.#delete = store.script(lua('delete-project'));
        this.#finish = store.script(lua('finish-project'));
    }

    /** @param most What the tier allows; null: no limit. @throws NAME_TAKEN */
    async create(tenantId: string, project: NewProject, most: number | null, outbox: Outbox): Promise<Creation> {
        const { id, name, userId: ownerId } = project;
        const { fields } = this.records.draft(tenantId, project).change;
        const place = { tenantId, ownerId };
        const keys = [
            this.records.key(tenantId, id),
            ...outboxKeys(tenantId),
            this.records.orderKey(place, 'created'),
            namesKey(place),
            this.#tenantKey(tenantId),
        ];
        const body = JSON.stringify({ id, name, fields, most, ...outboxLists(outbox) });
        const [code, figure = 0] = (await this.#create(keys, [body])) as [number, number?];
        if (code === -2) return { most: figure };
        if (code !== 1) throw apiError('NAME_TAKEN');
        const time = isoTime(figure);
        return { project: { ...project, revision: 1, createdAt: time, updatedAt: time } };
    }

    /** @throws PROJECT_NOT_FOUND, REVISION_MISMATCH, PROJECT_DELETING, NAME_TAKEN */
    async update(
        place: Required<Place>,
        id: string,
        changes: ProjectChanges,
        { revision, outbox = {} }: ChangeOptions,
    ): Promise<Project> {
        const keys = [this.records.key(place.tenantId, id), ...outboxKeys(place.tenantId), namesKey(place)];
        const change = {
            ...guardOf(place, id, revision),
            name: changes.name,
            ...this.#codec.encode(changes),
            ...outboxLists(outbox),
        };
        const [code, flat = []] = (await this.#update(keys, [JSON.stringify(change)])) as [number, string[]?];
        if (code !== 1) throw refusal(code);
        return this.records.decode(flat);
    }

    /** Those of the users that have projects, also such as are being deleted. */
    async ownersAmong(tenantId: string, userIds: string[]): Promise<string[]> {
        const counts = await Promise.all(
            userIds.map((ownerId) => this.#store.redis.zcard(this.records.orderKey({ tenantId, ownerId }, 'created'))),
        );
        return userIds.filter((_userId, n) => counts[n] !== 0);
    }

    /** @throws PROJECT_NOT_FOUND, REVISION_MISMATCH */
    async delete(
        place: Required<Place>,
        id: string,
        { revision, deleted, deleting, contents }: Deletion,
    ): Promise<'deleted' | 'deleting'> {
        const change = {
            ...guardOf(place, id, revision),
            deleted: outboxLists(deleted),
            deleting: outboxLists(deleting),
        };
        const keys = [...this.#removalKeys(place, id), ...contents];
        const code = Number(await this.#delete(keys, [JSON.stringify(change)]));
        if (code < 1) throw refusal(code);
        return code === 2 ? 'deleted' : 'deleting';
    }

    /** Removes a project that is being deleted when nothing is in it; whether it is gone. */
    async finish(place: Required<Place>, id: string, contents: string[], outbox: Outbox): Promise<boolean> {
        const keys = [...this.#removalKeys(place, id), ...contents];
        return (await this.#finish(keys, [JSON.stringify({ id, ...outboxLists(outbox) })])) === 1;
    }

    deleting = (tenantId: string): Promise<string[]> => this.#store.redis.zrange(deletingKey(tenantId), 0, '-1');

    #removalKeys(place: Required<Place>, id: string): string[] {
        return [
            this.records.key(place.tenantId, id),
            ...outboxKeys(place.tenantId),
            this.records.orderKey(place, 'created'),
            namesKey(place),
            deletingKey(place.tenantId),
        ];
    }
}

const guardOf = ({ ownerId }: Required<Place>, id: string, revision: number | undefined) => ({
    id,
    ownerField: 'userId',
    ownerId,
    ...(revision !== undefined && { revision: String(revision) }),
});

const namesKey = ({ tenantId, ownerId }: Required<Place>): string =>
    tenantKey(tenantId, 'user', ownerId, 'projects', 'names');
const deletingKey = (tenantId: string): string => tenantKey(tenantId, 'projects', 'deleting');
