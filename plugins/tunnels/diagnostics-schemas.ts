import Joi from 'joi';

import type { Check, TunnelDiagnostics } from './diagnostics-service.ts';

const check = Joi.object<Check>({
    name: Joi.string().valid('agentConnection', 'authentication', 'nameResolution', 'upstream'),
    endpoint: Joi.string()
        .allow(null)
        .description('of the tunnel by its id, of the agent alone by its address; null: it is not about one'),
    status: Joi.string()
        .valid('passed', 'failed', 'skipped')
        .description('skipped: there was nothing to test, or something before it has failed'),
    durationMs: Joi.number().allow(null).description('of agentConnection: the round trip to the agent'),
    message: Joi.string().allow(''),
}).label('TunnelCheck');

export const diagnosticsAnswer = Joi.object({
    diagnostics: Joi.object<TunnelDiagnostics>({
        checkedAt: Joi.string().isoDate(),
        checks: Joi.array().items(check).label('TunnelChecks'),
    }).label('TunnelDiagnostics'),
}).label('TunnelDiagnosticsData');

const endpoint = 'endpoint_01K9ZQ4V7N8M3T5R2W6X1Y0ABC';

export const diagnosticsExample: TunnelDiagnostics = {
    checkedAt: '2026-11-20T10:31:30.000Z',
    checks: [
        {
            name: 'agentConnection',
            endpoint: null,
            status: 'passed',
            durationMs: 24,
            message: 'The agent answers',
        },
        {
            name: 'authentication',
            endpoint: null,
            status: 'passed',
            durationMs: 1,
            message: 'The token of the agent is that of the tunnel',
        },
        { name: 'nameResolution', endpoint, status: 'passed', durationMs: 2, message: 'Its name is known' },
        { name: 'upstream', endpoint, status: 'failed', durationMs: 3, message: 'Nobody listens there' },
    ],
};
