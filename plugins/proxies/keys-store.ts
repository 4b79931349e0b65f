import { PLATFORM, tenantKey } from '../../src/redis/keys.ts';
import { outboxKeys } from '../../src/redis/outbox.ts';

import type { ProxyPlace } from './api.ts';

const partKey =
    (...part: string[]) =>
    ({ tenantId, proxyId }: ProxyPlace): string =>
        tenantKey(tenantId, 'proxy', proxyId, ...part);

export const proxyKey = partKey();
/** How each member is: its tunnel → JSON. */
export const healthKey = partKey('health');
/** When its status became what: `<number>:<status>` by time. */
export const changesKey = partKey('changes');
/** What all scripts about the state of a proxy are given first. */
export const stateKeys = (place: ProxyPlace): string[] => [
    proxyKey(place),
    ...outboxKeys(place.tenantId),
    healthKey(place),
    changesKey(place),
];

export const namesKey = (tenantId: string, userId: string): string =>
    tenantKey(tenantId, 'user', userId, 'proxies', 'names');

/** The proxies that are to run, by when they are checked next. */
export const CHECKS = tenantKey(PLATFORM, 'proxies', 'checks');
/** Proxies to be checked, and to be sampled, by when they are due; and by when they were noted last. */
export const WATCHED = [CHECKS, ...['samples', 'noted'].map((list) => tenantKey(PLATFORM, 'proxies', list))];
