import { newTenantId, type TestStore } from './store.ts';
import { Collection } from '../../src/redis/collection.ts';

import type { RecordBase } from '../../src/redis/codec.ts';

/** A record with everything that a collection can do, in a tenant of its own. */
export interface Note extends RecordBase {
    ownerId: string;
    /** Unique: EMAIL_TAKEN. */
    name: string;
    /** Unique: DOMAIN_TAKEN. */
    slug: string;
    text: string | null;
    size: number;
}

export const notesOf = ({ store, vault }: TestStore): Collection<Note> =>
    new Collection<Note>(store, vault, {
        name: 'note',
        owner: 'ownerId',
        fields: { ownerId: 'text', name: 'text', slug: 'text', text: 'text', size: 'number' },
        unique: [
            { field: 'name', index: ['notes', 'by-name'], taken: 'EMAIL_TAKEN' },
            { field: 'slug', index: ['notes', 'by-slug'], taken: 'DOMAIN_TAKEN' },
        ],
        orders: {
            created: { by: 'createdAt', index: (ownerId) => ['user', ownerId, 'notes'] },
            updated: { by: 'updatedAt', index: (ownerId) => ['user', ownerId, 'notes', 'by-update'] },
        },
        notFound: 'USER_NOT_FOUND',
    });

export const note = (id: string, changes: Partial<Note> = {}) => ({
    id,
    ownerId: 'ada',
    name: `name of ${id}`,
    slug: `slug-of-${id}`,
    text: null,
    size: 1,
    ...changes,
});

/** A place of its own, with somebody else's beside it. */
export function newPlaces() {
    const tenantId = newTenantId();
    return { tenantId, ada: { tenantId, ownerId: 'ada' }, bob: { tenantId, ownerId: 'bob' } };
}
