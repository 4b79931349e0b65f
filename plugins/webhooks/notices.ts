import type { DisabledReason, Webhook } from './api.ts';
import type { WebhookStore } from './store.ts';
import type { Jobs, JobData } from '../../src/jobs/jobs.ts';
import type { Mailer } from '../../src/mail/mailer.ts';
import type { UserService } from '../users/api.ts';

export const TELL_DISABLED = 'tell-webhook-disabled';

export interface NoticeParts {
    store: WebhookStore;
    users: Pick<UserService, 'admins' | 'find'>;
    jobs: Jobs;
    /** Null where no mail server is configured. */
    mailer: Mailer | null;
}

/** Tells admins by mail of webhooks that were disabled. */
export class Notices {
    readonly #parts: NoticeParts;

    constructor(parts: NoticeParts) {
        this.#parts = parts;
    }

    /** Has each of the tenant's admins told. */
    async disabled(tenantId: string, { id: webhookId, revision }: Webhook, reason: DisabledReason): Promise<void> {
        const { users, jobs, mailer } = this.#parts;
        if (!mailer) return;
        for (const { id: userId } of await users.admins(tenantId)) {
            const id = `${TELL_DISABLED}.${webhookId}.${revision}.${userId}`;
            await jobs.add(TELL_DISABLED, { tenantId, webhookId, userId, reason }, { id });
        }
    }

    /** @throws When the mail server does not take it */
    async tell({ tenantId, webhookId = '', userId = '', reason = '' }: JobData): Promise<void> {
        const { store, users, mailer } = this.#parts;
        const [webhook, user] = await Promise.all([
            store.records.find({ tenantId }, webhookId),
            users.find(tenantId, userId),
        ]);
        if (!webhook || !user?.isActive) return;
        await mailer?.send({ to: user.email, subject: 'A webhook was disabled', text: textOf(webhook, reason) });
    }
}

const REASONS: Record<string, string> = {
    gone: 'its receiver answered 410 Gone',
    failing: 'nothing that was sent to it has succeeded for five days',
};

const textOf = ({ id, url }: Webhook, reason: string): string =>
    [
        'A webhook of yours is not sent anything any more:',
        '',
        `    ${id}`,
        `    ${new URL(url).origin}`,
        '',
        `The reason is that ${REASONS[reason] ?? reason}. When it is in order again, make it active`,
        `(PATCH /api/webhooks/${id} with isActive), and replay what it has missed.`,
        '',
    ].join('\n');
