import { aggregateReader, hashOf, withoutTenant } from '../../src/redis/stored-values.ts';

import type { KeysOf } from './api.ts';
import type { UserStore } from './store.ts';
import type { AggregateKind } from '../../src/redis/aggregate.ts';
import type { Datastore } from '../../src/redis/datastore.ts';

export interface BackupParts {
    store: UserStore;
    /** What other features keep of a user that is backed up with him. */
    values: KeysOf;
    /** Removes all that other features keep of a user. */
    forget: (tenantId: string, userId: string) => Promise<void>;
    /** Asks anew for the purge of a user who is deleted. */
    askForPurge: (tenantId: string, userId: string) => Promise<void>;
}

/** Users with what other features keep of them, as their settings. Invitations and sessions are not told. */
export function userAggregates(datastore: Datastore, parts: BackupParts): AggregateKind {
    const { records, invitations } = parts.store;
    const read = aggregateReader(datastore);
    const keyOf = (id: string): string => `user:${id}`;
    return {
        kind: 'user',
        component: 'database',
        ids: (tenantId) => records.ids({ tenantId }, 'created'),
        read: (tenantId, id) => read(tenantId, 'user', id, [records.key(tenantId, id), ...parts.values(tenantId, id)]),
        settled: (user) => user,
        indexes: (user) => records.indexes(hashOf(user, keyOf(user.id))),
        leftovers: (tenantId, id) => Promise.resolve([withoutTenant(tenantId, invitations.key(tenantId, id))]),
        // What ended sessions since is not undone, and a password that was given up opens nothing again.
        carried: (user) => {
            const key = keyOf(user.id);
            const { epoch, passwordHash } = hashOf(user, key);
            return [
                ...(epoch === undefined ? [] : [{ key, field: 'epoch', atLeast: epoch }]),
                ...(passwordHash === undefined ? [] : [{ key, field: 'passwordHash', stays: passwordHash }]),
            ];
        },
        forget: parts.forget,
        resume: parts.askForPurge,
    };
}
