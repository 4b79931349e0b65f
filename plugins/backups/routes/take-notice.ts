import { callerOf } from '../../../src/http/caller.ts';
import { describeRoute } from '../../../src/http/describe-route.ts';
import {
    noticeAnswer,
    noticeBodyExample,
    noticeExample,
    noticeHeaders,
    type NoticeHeaders,
} from '../notice-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Notices } from '../notices.ts';

const MAX_BYTES = 65_536;

const NOTES = `Tells of a backup of a tenant that was made elsewhere; it is noted in the tenant's audit, events and
statistics. The body is JSON, \`{"tenantId", "backupId", "status": "completed" | "failed", "metadata"?: {"tables",
"records", "duration"}}\`, and signed with \`BACKUP_WEBHOOK_SECRET\`: \`X-Webhook-Timestamp\` is the time in seconds, not
more than five minutes off, \`X-Webhook-Signature\` is \`v1=\` and in hexadecimal the HMAC-SHA256 of the timestamp, a full
stop and the bytes of the body. A notice is taken once.`;

export const takeNotice = (notices: Notices): ServerRoute<{ Payload: Buffer; Headers: NoticeHeaders }> => ({
    method: 'POST',
    path: '/api/webhooks/backup-complete',
    options: {
        ...describeRoute('Tell of a backup that was made elsewhere', {
            tag: 'backups',
            notes: NOTES,
            takesBinary: ['application/json'],
            byteExamples: { 'application/json': noticeBodyExample },
            answer: noticeAnswer,
            example: noticeExample,
            errors: ['VALIDATION_ERROR', 'NOTICE_REFUSED', 'NOTICES_OFF', 'TENANT_NOT_FOUND'],
            grows: true,
            isPublic: true,
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: false,
        payload: { parse: false, output: 'data', allow: ['application/json'], maxBytes: MAX_BYTES },
        validate: { headers: noticeHeaders },
    },
    handler: async (request) => {
        const { payload, headers } = request;
        const { backupId, status } = await notices.take(callerOf(request), {
            body: payload,
            timestamp: headers['x-webhook-timestamp'],
            signature: headers['x-webhook-signature'],
        });
        return { backup: { id: backupId, status, external: true } };
    },
});
