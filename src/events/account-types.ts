import { happening } from './entry.ts';

/** What happens to tenants, users, their credentials and their money. */
export const accountTypes = {
    'auth.login': happening('A user has logged in.', ['userId', 'sessionId']),
    'auth.session_ended': happening('A session is over: its tokens are refused.', ['userId', 'sessionId']),

    'user.created': happening('There is a new user, who may still have to accept the invitation.', ['userId']),
    'user.updated': happening('An admin has changed a user: name, role, tier or standing.', ['userId']),
    'user.invited': happening('An invitation was given anew.', ['userId']),
    'user.joined': happening('A user has accepted the invitation.', ['userId']),
    'user.password_changed': happening('A user has another password.', ['userId']),
    'user.deleted': happening('A user was deleted, and can be restored for some time.', ['userId']),
    'user.restored': happening('A deleted user is back.', ['userId']),
    'user.purged': happening('A deleted user is gone with everything that was theirs.', ['userId']),
    'profile.updated': happening('A user has changed the own profile; `changed` names what.', ['userId'], {
        changed: ['displayName'],
    }),

    'key.created': happening('There is a new service API key.', ['keyId', 'userId']),
    'key.updated': happening('A service API key has another name, other scopes, rate or expiry.', ['keyId', 'userId']),
    'key.rotated': happening('A service API key has another secret.', ['keyId', 'userId']),
    'key.revoked': happening('A service API key is refused from now on.', ['keyId', 'userId']),
    'provider_key.added': happening('A user calls a provider with a key of their own.', ['userId'], {
        provider: 'openai',
    }),
    'provider_key.removed': happening('A user has taken the own key of a provider back.', ['userId'], {
        provider: 'openai',
    }),

    'tenant.created': happening('The tenant was founded.', ['tenantId']),
    'tenant.updated': happening('Name, domain, plan, limits or settings of the tenant have changed.', ['tenantId']),
    'tenant.suspended': happening('Nobody of the tenant is let in for now.', ['tenantId']),
    'tenant.activated': happening('The tenant is let in again.', ['tenantId']),
    'tenant.deleted': happening('The tenant was deleted, and can be restored for some time.', ['tenantId']),
    'tenant.restored': happening('The deleted tenant is back.', ['tenantId']),
    'tenant.purged': happening('A deleted tenant is gone; the platform is told.', ['tenantId']),

    'platform.configured': happening('The configuration of the platform has changed; the platform is told.', [], {
        changed: ['maintenance'],
    }),

    'billing.credits_added': happening('The tenant has got credits.', ['recordId'], { amountMicros: 5_000_000 }),
    'billing.credits_deducted': happening('Credits were taken from the tenant by the platform.', ['recordId'], {
        amountMicros: -1_000_000,
    }),
    'billing.refunded': happening('A charge was given back, or a part of it.', ['recordId'], { amountMicros: 25_000 }),
    'billing.low_credit': happening('The credits have fallen below what counts as low.', [], {
        balanceMicros: 990_000,
        lowCreditMicros: 1_000_000,
    }),
    'billing.limits_updated': happening('What a month may cost, or what counts as low, was set.', ['tenantId']),
    'billing.invoice_issued': happening('The invoice of a month is there.', [], { month: '202611', number: 3 }),
};
