import type { Attempts } from './attempts.ts';
import type { AppendOutbox } from '../../src/redis/append-outbox.ts';
import type { Passwords } from '../../src/security/passwords.ts';
import type { TenantService } from '../tenants/api.ts';
import type { UserService } from '../users/api.ts';

/** What every service needs that checks or changes passwords. */
export interface CredentialParts {
    append: AppendOutbox;
    tenants: TenantService;
    users: UserService;
    passwords: Passwords;
    attempts: Attempts;
}
