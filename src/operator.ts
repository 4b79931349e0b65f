import { newId } from './ids.ts';
import { PLATFORM } from './redis/keys.ts';

import type { Actor } from './types/actor.ts';

/** Who the audit names for what is done by a command: no user. */
export const OPERATOR = 'operator';

/** Whoever runs a command beside the data, and may do everything. */
export const operatorAtTheShell = (): Actor => ({
    requestId: newId('req'),
    ipAddress: '127.0.0.1',
    userAgent: 'operator at the shell',
    tenantId: PLATFORM,
    userId: OPERATOR,
    username: OPERATOR,
    sessionId: '',
    role: OPERATOR,
    tier: 'enterprise',
    permissions: [],
    providerKeys: [],
    tokenId: '',
    expiresAt: '9999-12-31T23:59:59.999Z',
});
