import Joi from 'joi';

import { desired, reason, status, time } from './schemas.ts';

import type { MemberDiagnosis, MemberView, ProxyHealth, ProxyState } from './public-proxy.ts';

const latency = () => Joi.number().integer().allow(null).description('null: there was no answer');
const error = () => Joi.string().allow(null).description('as offline, timeout, not_found, credits or status_503');

export const stateAnswer = Joi.object({
    status: Joi.object<ProxyState>({
        status: status(),
        desired: desired(),
        reason: reason(),
        since: time().description('of the status'),
        availability: Joi.number()
            .min(0)
            .max(1)
            .allow(null)
            .description('share of the last 24 hours, or of its life, running or degraded; null: it is too new'),
        replicas: Joi.number().integer(),
        load: Joi.object({
            active: Joi.number().integer().description('calls that run'),
            waiting: Joi.number().integer().description('that wait for room'),
        }).label('ProxyLoad'),
    }).label('ProxyStatus'),
}).label('ProxyStatusData');

export const stateExample: ProxyState = {
    status: 'degraded',
    desired: 'running',
    reason: null,
    since: '2026-11-20T10:31:00.000Z',
    availability: 0.998,
    replicas: 2,
    load: { active: 12, waiting: 0 },
};

export const healthAnswer = Joi.object({
    health: Joi.object<ProxyHealth>({
        status: status(),
        members: Joi.array()
            .items(
                Joi.object<MemberView>({
                    tunnelId: Joi.string(),
                    isHealthy: Joi.boolean().allow(null).description('null: nobody has looked since it runs'),
                    failures: Joi.number().integer().description('in a row; unhealthy after 3'),
                    successes: Joi.number().integer().description('in a row; healthy after 2'),
                    checkedAt: time().allow(null),
                    latencyMs: latency(),
                    error: error(),
                }).label('ProxyMemberHealth'),
            )
            .label('ProxyMemberHealths'),
    }).label('ProxyHealth'),
}).label('ProxyHealthData');

export const healthExample: ProxyHealth = {
    status: 'degraded',
    members: [
        {
            tunnelId: 'tun_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
            isHealthy: true,
            failures: 0,
            successes: 14,
            checkedAt: '2026-11-20T10:31:30.000Z',
            latencyMs: 12,
            error: null,
        },
        {
            tunnelId: 'tun_01K9ZQ4V7N8M3T5R2W6X1Y0ABD',
            isHealthy: false,
            failures: 3,
            successes: 0,
            checkedAt: '2026-11-20T10:31:30.000Z',
            latencyMs: null,
            error: 'offline',
        },
    ],
};

export const diagnosticsAnswer = Joi.object({
    diagnostics: Joi.array()
        .items(
            Joi.object<MemberDiagnosis>({
                tunnelId: Joi.string(),
                isFound: Joi.boolean().description('you may use the tunnel'),
                isConnected: Joi.boolean().description('its agent is connected'),
                isAnswering: Joi.boolean().description('its service answers healthPath below 500, in healthTimeout'),
                status: Joi.number().integer().allow(null).description('of the answer'),
                latencyMs: latency(),
                error: error(),
            }).label('ProxyMemberDiagnosis'),
        )
        .label('ProxyDiagnosis'),
}).label('ProxyDiagnosticsData');

export const diagnosticsExample: MemberDiagnosis[] = [
    {
        tunnelId: 'tun_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
        isFound: true,
        isConnected: true,
        isAnswering: false,
        status: 503,
        latencyMs: 31,
        error: 'status_503',
    },
];
