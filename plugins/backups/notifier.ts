import type { Mailer } from '../../src/mail/mailer.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { UserService } from '../users/api.ts';

/** Tells the admins of a tenant by mail where there is a mail server; what cannot be sent is in the log. */
export class Notifier {
    readonly #mailer: Mailer | null;
    readonly #users: Pick<UserService, 'admins'>;
    readonly #logger: Logger;

    constructor(mailer: Mailer | null, users: Pick<UserService, 'admins'>, logger: Logger) {
        this.#mailer = mailer;
        this.#users = users;
        this.#logger = logger;
    }

    failed(tenantId: string, backupId: string, reason: string): Promise<void> {
        return this.#tell(tenantId, 'A backup failed', `Backup ${backupId}: ${reason}`);
    }

    restored(tenantId: string, backupId: string): Promise<void> {
        const text = `The backup ${backupId} was restored. What was there before is kept as a backup of its own.`;
        return this.#tell(tenantId, 'A backup was restored', text);
    }

    restoreFailed(tenantId: string, backupId: string, code: string): Promise<void> {
        const text = `The backup ${backupId} could not be restored (${code}). Nothing was changed.`;
        return this.#tell(tenantId, 'A restore failed', text);
    }

    async #tell(tenantId: string, subject: string, text: string): Promise<void> {
        if (!this.#mailer) return;
        try {
            for (const { email } of await this.#users.admins(tenantId)) {
                await this.#mailer.send({ to: email, subject, text });
            }
        } catch (error) {
            this.#logger.warn({ module: 'backups', tenantId, err: error }, 'Admins could not be told of a backup');
        }
    }
}
