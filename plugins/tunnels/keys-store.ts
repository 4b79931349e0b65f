import { tenantKey } from '../../src/redis/keys.ts';

import type { TunnelPlace } from './api.ts';

const partKey =
    (part: string) =>
    ({ tenantId, tunnelId }: TunnelPlace): string =>
        tenantKey(tenantId, 'tunnel', tunnelId, part);

export const endpointsKey = partKey('endpoints');
export const sharesKey = partKey('shares');
/** With whom the tunnel is shared: user → `<access>:<share>`. */
export const sharedWithKey = partKey('shared-with');
export const healthKey = partKey('health');
export const activityKey = partKey('activity');

/** What the keys of a tunnel's days begin with. */
export const daysKey = (place: TunnelPlace): string => `${partKey('metrics')(place)}:`;
/** The same of all tunnels of a user. */
export const userDaysKey = (tenantId: string, userId: string): string => `${userKey(tenantId, userId)}:tunnel-metrics:`;
/** A batch of counted calls that is not to be counted again. */
export const batchKey = (place: TunnelPlace, batchId: string): string => partKey(`counted:${batchId}`)(place);

/** What is shared with a user. */
export const sharedTunnelsKey = (tenantId: string, userId: string): string =>
    `${userKey(tenantId, userId)}:shared-tunnels`;
export const namesKey = (tenantId: string, userId: string): string => `${userKey(tenantId, userId)}:tunnels:names`;
/** What the keys of lists of users begin with. */
export const usersKey = (tenantId: string): string => `${tenantKey(tenantId, 'user')}:`;
/** The links of a tenant's tunnels, by until when they count as alive. */
export const linkedKey = (tenantId: string): string => tenantKey(tenantId, 'tunnels', 'linked');
/** The bytes that a tenant has not paid yet. */
export const unpaidKey = (tenantId: string): string => tenantKey(tenantId, 'tunnels', 'unpaid');
/** What the keys of a tenant's relayed bytes of a month begin with. */
export const relayedKey = (tenantId: string): string => `${tenantKey(tenantId, 'tunnels', 'relayed')}:`;

const userKey = (tenantId: string, userId: string): string => tenantKey(tenantId, 'user', userId);
