import { weaknessOf } from './password-strength.ts';
import { apiError } from '../http/errors.ts';

/** What others know of a user. */
export interface KnownFacts {
    email: string;
    displayName?: string | undefined;
    domain: string;
    tenantName: string;
}

/** @param field Where the password stands in the body @throws VALIDATION_ERROR when it is easy to guess */
export async function checkStrength(field: string, password: string, facts: KnownFacts): Promise<void> {
    const { email, displayName = '', domain, tenantName } = facts;
    const [local = '', host = ''] = email.split('@');
    const [label = ''] = domain.split('.');
    const own = [email, local, host, domain, label, displayName, tenantName].filter((fact) => fact !== '');
    const weakness = await weaknessOf(password, own);
    if (weakness === null) return;
    throw apiError('VALIDATION_ERROR', {
        details: { fields: { [field]: `${field} is too easy to guess. ${weakness}` } },
    });
}
