import Joi from 'joi';

import { filterSchema, mappingSchema } from './sender/index.ts';
import { pageParams, type PageParams } from '../../src/http/pagination.ts';
import { idSchema } from '../../src/ids.ts';

import type { PublicWebhook } from './api.ts';
import type { EventFilter, FieldMapping, WebhookFormat } from './sender/types.ts';

const MAX_URL = 2_048;
const DAY_S = 86_400;
const FORMATS: WebhookFormat[] = ['standard', 'slack', 'discord'];

const time = () => Joi.string().isoDate();
const url = () =>
    Joi.string()
        .max(MAX_URL)
        .example('https://hooks.example.com/llm')
        .description('https, without credentials and fragment, at a public address');
const description = () => Joi.string().trim().min(1).max(500).allow(null);
const format = () =>
    Joi.string()
        .valid(...FORMATS)
        .description('standard: {id, type, timestamp, data}; slack, discord: a message as they take it');
const mapping = () => mappingSchema.allow(null);

export interface WebhookParams {
    webhookId: string;
}

export const webhookParams = Joi.object<WebhookParams>({ webhookId: idSchema('hook').required() }).label(
    'WebhookParams',
);

export interface CreateWebhook {
    url: string;
    description: string | null;
    filter: EventFilter;
    mapping: FieldMapping | null;
    format: WebhookFormat;
    isActive: boolean;
}

const filterExample: EventFilter = { events: ['vm.*', 'backup.completed'], conditions: [] };

export const createWebhookPayload = Joi.object<CreateWebhook>({
    url: url().required(),
    description: description().default(null),
    filter: filterSchema.required(),
    mapping: mapping().default(null).label('NewWebhookMapping'),
    format: format().default('standard'),
    isActive: Joi.boolean().default(true),
})
    .example({ url: 'https://hooks.example.com/llm', description: 'Operations', filter: filterExample })
    .label('CreateWebhook');

export type UpdateWebhook = Partial<CreateWebhook>;

export const updateWebhookPayload = Joi.object<UpdateWebhook>({
    url: url(),
    description: description(),
    filter: filterSchema,
    mapping: mapping(),
    format: format(),
    isActive: Joi.boolean().description('true also for one that was disabled by itself'),
})
    .min(1)
    .example({ isActive: true })
    .label('UpdateWebhook');

export interface RotateSecret {
    graceSeconds: number;
}

export const rotateSecretPayload = Joi.object<RotateSecret>({
    graceSeconds: Joi.number()
        .integer()
        .min(0)
        .max(DAY_S)
        .default(3_600)
        .description('how long the old secret signs beside the new one'),
})
    .example({ graceSeconds: 3_600 })
    .label('RotateWebhookSecret');

export const webhookQuery = Joi.object<PageParams>(pageParams({ usual: 20, most: 100 })).label('WebhookQuery');

const webhookSchema = Joi.object<PublicWebhook>({
    id: Joi.string(),
    url: Joi.string(),
    description: Joi.string().allow(null),
    filter: Joi.object<EventFilter>({
        events: Joi.array().items(Joi.string()).label('WebhookPatterns'),
        conditions: Joi.array().items(Joi.object().unknown().label('WebhookComparison')).label('WebhookComparisons'),
    }).label('WebhookFilterView'),
    mapping: Joi.object<FieldMapping>().pattern(Joi.string(), Joi.string()).allow(null).label('WebhookMappingView'),
    format: format(),
    isActive: Joi.boolean(),
    disabledReason: Joi.string()
        .valid('gone', 'failing')
        .allow(null)
        .description('gone: its receiver answered 410; failing: nothing has succeeded for 120 hours'),
    failingSince: time().allow(null).description('the first failure since the last success'),
    lastDeliveryAt: time().allow(null).description('the last attempt'),
    lastStatus: Joi.number().integer().allow(null).description('of the last attempt; null when there was no answer'),
    previousSecretExpiresAt: time().allow(null).description('until then the secret before also signs'),
    revision: Joi.number().integer(),
    createdAt: time(),
    updatedAt: time(),
}).label('Webhook');

export const webhookAnswer = Joi.object({ webhook: webhookSchema }).label('WebhookData');
export const webhooksAnswer = Joi.object({ webhooks: Joi.array().items(webhookSchema).label('Webhooks') }).label(
    'WebhooksData',
);
export const webhookSecretAnswer = Joi.object({
    webhook: webhookSchema,
    secret: Joi.string().description('what deliveries are signed with, by Standard Webhooks; shown only here'),
}).label('WebhookSecretData');
export const deletedWebhookAnswer = Joi.object({
    webhook: Joi.object({ id: Joi.string() }).label('DeletedWebhook'),
}).label('DeletedWebhookData');

export const webhookExample: PublicWebhook = {
    id: 'hook_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    url: 'https://hooks.example.com/llm',
    description: 'Operations',
    filter: filterExample,
    mapping: null,
    format: 'standard',
    isActive: true,
    disabledReason: null,
    failingSince: null,
    lastDeliveryAt: '2026-11-20T10:45:00.000Z',
    lastStatus: 204,
    previousSecretExpiresAt: null,
    revision: 1,
    createdAt: '2026-11-20T10:30:00.000Z',
    updatedAt: '2026-11-20T10:30:00.000Z',
};

export const secretExample = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD';
