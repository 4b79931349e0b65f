/** What may happen: in words, and the data of an example. */
export interface EventTypeEntry {
    description: string;
    example: Record<string, unknown>;
}

/** Ids that examples name records by. */
export const EXAMPLE_IDS = {
    tenantId: 'tenant_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    userId: 'user_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    sessionId: 'sess_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    keyId: 'key_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    threadId: 'thread_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    messageId: 'msg_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    jobId: 'job_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    projectId: 'project_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    vmId: 'vm_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    tunnelId: 'tun_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    endpointId: 'endpoint_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    shareId: 'share_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    proxyId: 'proxy_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    recordId: 'bill_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    backupId: 'backup_2026-11-20_02-00-00',
    scheduleId: 'schedule_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    webhookId: 'hook_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
};

/** A type whose data are those ids, and what else there is. */
export const happening = (
    description: string,
    ids: (keyof typeof EXAMPLE_IDS)[],
    more: Record<string, unknown> = {},
): EventTypeEntry => ({
    description,
    example: { ...Object.fromEntries(ids.map((id) => [id, EXAMPLE_IDS[id]])), ...more },
});
