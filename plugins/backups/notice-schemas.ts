import Joi from 'joi';

export interface NoticeHeaders extends Record<string, unknown> {
    'x-webhook-timestamp'?: string;
    'x-webhook-signature'?: string;
}

export const noticeHeaders = Joi.object<NoticeHeaders>({
    'x-webhook-timestamp': Joi.string().max(20).example('1795170600').description('seconds since the epoch'),
    'x-webhook-signature': Joi.string()
        .max(200)
        .example(`v1=${'5f'.repeat(32)}`)
        .description('`v1=` and in hexadecimal the HMAC-SHA256 of `<timestamp>.<body>`'),
})
    .unknown()
    .label('NoticeHeaders');

export const noticeAnswer = Joi.object({
    backup: Joi.object({
        id: Joi.string(),
        status: Joi.string().valid('completed', 'failed'),
        external: Joi.boolean(),
    }).label('ExternalBackup'),
}).label('ExternalBackupData');

/** A notice as it is sent. */
export const noticeBodyExample = JSON.stringify({
    tenantId: 'tenant_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    backupId: 'backup_2026-11-20_10-30-00',
    status: 'completed',
    metadata: { tables: 12, records: 4_711, duration: '90 s' },
});

export const noticeExample = { backup: { id: 'backup_2026-11-20_10-30-00', status: 'completed', external: true } };
