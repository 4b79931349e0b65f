import { randomBytes } from 'node:crypto';

import type { SoakClient } from './client.ts';
import type { Model } from './model.ts';
import type { Mailbox, Receiver } from './receivers.ts';

/** Where all of it happens. */
export interface Place {
    client: SoakClient;
    model: Model;
    receiver: Receiver;
    mailbox: Mailbox;
    /** The service behind the tunnels. */
    service: string;
    /** The token of an admin of the platform. */
    platform: string;
}

/** A tenant, and who may do everything in it. */
export interface House {
    tenantId: string;
    domain: string;
    admin: string;
    adminId: string;
}

/** Somebody of a tenant. */
export interface Guest {
    house: House;
    userId: string;
    email: string;
    password: string;
}

/** Somebody who is logged in. */
export interface Session {
    guest: Guest;
    token: string;
    refreshToken: string;
}

interface Grant {
    user: { id: string };
    tenant: { id: string };
    accessToken: string;
    refreshToken: string;
}

const GIFT_MICROS = 5_000_000;

export const newName = (): string => `soak${randomBytes(6).toString('hex')}`;
const newPassword = (): string => `${randomBytes(9).toString('base64url')} otters`;

export async function login({ client }: Pick<Place, 'client'>, guest: Guest): Promise<Session> {
    const { email, password } = guest;
    const grant = await client.call<Grant>('POST', '/api/login', { payload: { email, password } });
    return { guest, token: grant.accessToken, refreshToken: grant.refreshToken };
}

export async function refresh({ client }: Place, session: Session): Promise<Session> {
    const { refreshToken } = session;
    const grant = await client.call<Grant>('POST', '/api/auth/refresh', { payload: { refreshToken } });
    return { ...session, token: grant.accessToken, refreshToken: grant.refreshToken };
}

/** A tenant registers, and is given a plan and credits by the platform. */
export async function register({ client, platform }: Place): Promise<House> {
    const domain = `${newName()}.example`;
    const payload = { tenantName: 'Soak', domain, email: `admin@${domain}`, password: newPassword() };
    const { user, tenant, accessToken } = await client.call<Grant>('POST', '/api/auth/register', { payload });
    const { id: tenantId } = tenant;
    const token = platform;
    await client.call('PATCH', `/api/admin/tenants/${tenantId}`, { token, payload: { plan: 'enterprise' } });
    await client.call('POST', '/api/billing/credits', {
        token,
        payload: { tenantId, amountMicros: GIFT_MICROS, reason: 'A gift' },
        headers: { 'idempotency-key': newName() },
    });
    return { tenantId, domain, admin: accessToken, adminId: user.id };
}

/** An admin invites somebody, who accepts. */
export async function invite({ client }: Place, house: House): Promise<Guest> {
    const email = `${newName()}@${house.domain}`;
    const { user, token } = await client.call<{ user: { id: string }; token: string }>('POST', '/api/users', {
        token: house.admin,
        payload: { email, displayName: 'A guest', role: 'user' },
    });
    const password = newPassword();
    await client.call('POST', '/api/auth/invitation/accept', { payload: { token, password } });
    return { house, userId: user.id, email, password };
}

/** Somebody has forgotten the password, and sets another one by mail. */
export async function forget({ client, mailbox }: Place, guest: Guest): Promise<Guest> {
    const { email } = guest;
    const mailed = mailbox.tokenFor(email);
    await client.call('POST', '/api/auth/password/forgot', { payload: { email } });
    const newOne = newPassword();
    await client.call('POST', '/api/auth/password/reset', { payload: { token: await mailed, newPassword: newOne } });
    return { ...guest, password: newOne };
}

/** The platform deletes a tenant: from then on nobody is let in. */
export async function remove({ client, platform }: Place, { tenantId, admin }: House): Promise<void> {
    await client.call('DELETE', `/api/admin/tenants/${tenantId}`, { token: platform });
    await client.call('GET', '/api/auth/me', { token: admin, expects: 403 });
}
