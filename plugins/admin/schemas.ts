import Joi from 'joi';

import { idSchema } from '../../src/ids.ts';
import { tenantSchema } from '../tenants/api.ts';

export interface TenantParams {
    tenantId: string;
}

export interface SuspendTenant {
    reason: string;
}

export const tenantParams = Joi.object<TenantParams>({ tenantId: idSchema('tenant').required() }).label('TenantParams');

export const suspendTenantPayload = Joi.object<SuspendTenant>({
    reason: Joi.string().trim().min(1).max(500).required().example('Payment overdue'),
})
    .example({ reason: 'Payment overdue' })
    .label('SuspendTenant');

export const tenantAnswer = Joi.object({ tenant: tenantSchema }).label('TenantData');
