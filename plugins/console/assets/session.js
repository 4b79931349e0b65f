import { api, send } from './api.js';

/** The tenant of the platform's admins. */
const PLATFORM = 'platform';

/** @typedef {{ user: any; tenant: any; permissions: string[] }} Session */

/** Who is signed in, with what that user may do. @returns {Promise<Session>} */
export const whoAmI = async () => (await api('GET', '/api/auth/me')).data;

/** @param {Session} session */
export const isOfPlatform = ({ permissions }) => permissions.includes('platform:read');

/** @param {Session} session @param {string} permission */
export const may = ({ permissions }, permission) => permissions.includes(permission);

/**
 * The tokens of the answer are in cookies as well, and nothing here keeps them.
 *
 * @param {string} email
 * @param {string} password
 */
export const signIn = (email, password) =>
    send('POST', '/api/auth/login', { body: { email, password, tenantId: PLATFORM } });

export const signOut = () => send('POST', '/api/auth/logout', {});
